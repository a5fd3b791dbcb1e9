package sink_test

import (
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
)

func TestTheTimeToLiveIsWhatIsLeftAtEachAttempt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		expires := time.Now().Unix() + 100
		var refused []sink.TimedSent
		server := &timedRecorder{refuse: func(s sink.TimedSent) error {
			if refused = append(refused, s); len(refused) < 5 {
				time.Sleep(3 * time.Second)
				return overloaded
			}
			return nil
		}}
		row := rowOf(joinCells(key(1), at("a", "text", "A", int64(100), expires))...)
		_, err := run(t, sequence(row), sink.TableOnTimed(server.send, timedTable(), sink.Times()), rxcql.WithRetry(time.Hour, 0))
		require.NoError(t, err)
		w := server.writes()
		require.Len(t, w, 1)
		require.EqualValues(t, 100, refused[0].Writes[0].TTL)
		require.EqualValues(t, expires-time.Now().Unix(), w[0].TTL)
		require.Less(t, w[0].TTL, int32(90))
		require.EqualValues(t, 100, w[0].Time, "it is the time of the source, at each attempt")
	})
}

func TestWhatExpiresOnTheWayIsNotWrittenAndCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		soon := time.Now().Unix() + 2
		attempts := 0
		server := &timedRecorder{refuse: func(sink.TimedSent) error {
			if attempts++; attempts == 1 {
				time.Sleep(5 * time.Second)
				return overloaded
			}
			return nil
		}}
		counts := new(sink.TimesCounts)
		row := rowOf(joinCells(key(1), at("a", "text", "A", int64(100), soon), at("b", "text", "B", int64(50), nil),
			at("m", "map<int, text>", map[int32]string{1: "x", 2: "y"}, []int64{60, 60}, []int64{soon, soon}))...)
		rep, err := run(t, sequence(row), sink.TableOnTimed(server.send, timedTable(), sink.Times(sink.CountTimes(counts))), rxcql.WithRetry(time.Hour, 0))
		require.NoError(t, err)
		require.EqualValues(t, 1, rep.Written)
		require.Len(t, server.sent, 1)
		for _, w := range server.writes() {
			require.Zero(t, w.TTL)
			require.NotContains(t, w.Values, []byte("A"))
			require.NotContains(t, w.CQL, `"m"+`)
		}
		require.EqualValues(t, 3, counts.Report().Expired)
	})
}

func TestARowThatHasExpiredAsAWholeIsNeverPermanent(t *testing.T) {
	server, counts := writeTimed(t, []rxcql.Row{rowOf(joinCells(key(1), at("a", "text", "A", int64(100), time.Now().Unix()-1))...)})
	require.Empty(t, server.writes())
	require.EqualValues(t, 1, counts.Expired)
}

func TestAListIsWrittenOnceAndElementsKeepTheirExpiry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		now := time.Now()
		later := now.Unix() + 500
		day := now.Add(-24 * time.Hour).UnixMicro()
		cells := joinCells(key(1), []given{
			{"l", "list<int>", []int32{7, 8, 9}},
			{"writetime(l)", "list<bigint>", []int64{day - 5, day, day - 9}},
			{"expires(l)", "list<bigint>", []*int64{nil, &later, &later}},
		})
		server, counts := writeTimed(t, []rxcql.Row{rowOf(cells...)})
		var texts []string
		for _, w := range server.writes() {
			if !strings.Contains(w.CQL, "UPDATE") {
				continue
			}
			texts = append(texts, w.CQL[strings.Index(w.CQL, "SET"):strings.Index(w.CQL, " WHERE")])
			require.Equal(t, day+int64(24*time.Hour/sink.ListAge), w.Time)
		}
		require.Equal(t, []string{`SET "l"=?`, `SET "l"="l"+?`}, texts)
		last := server.writes()[len(server.writes())-1]
		require.EqualValues(t, 500, last.TTL)
		require.Equal(t, bytesOf("list<int>", []int32{8, 9}), last.Values[0])
		require.EqualValues(t, 1, counts.Lists)
	})
}

func TestAListIsNeverWrittenTwiceAtOneTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		written := time.Now().Add(-time.Hour).UnixMicro()
		row := rowOf(joinCells(key(1), at("l", "list<int>", []int32{7}, []int64{written}, nil))...)
		seen, requests := map[int64]int{}, 0
		server := &timedRecorder{refuse: func(s sink.TimedSent) error {
			requests++
			for _, w := range s.Writes {
				if strings.Contains(w.CQL, `"l"=?`) {
					seen[w.Time]++
				}
			}
			if requests%3 != 0 {
				return writeTimeout // it may have been written
			}
			return nil
		}}
		for range 2 { // the second one goes on at once, as a job would that has failed
			_, err := run(t, sequence(row, row, row), sink.TableOnTimed(server.send, timedTable(), sink.Times(), sink.InFlight(1)), rxcql.WithRetry(time.Hour, 0))
			require.NoError(t, err)
		}
		require.Len(t, seen, 18)
		for at, n := range seen {
			require.Equal(t, 1, n)
			require.Less(t, at, time.Now().UnixMicro())
		}
	})
}
