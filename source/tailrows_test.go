package source_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestThePastOfATableIsReadInOrderAndEnds(t *testing.T) {
	const days = 40 * 24 * time.Hour
	inTailAfter(t, days, func(t *testing.T, s *tailed) {
		begin := time.Now().Add(-days)
		for id := range int64(400) {
			s.put(id, begin.Add(time.Duration(id)*144*time.Minute/2*3))
		}
		s.put(1000, begin.Add(-time.Millisecond))
		rows, err := s.tail(source.TailFrom(begin), source.TailUntil(begin.Add(30*24*time.Hour)), source.PageRows(3)).Collect(t.Context())
		require.NoError(t, err)
		want := int64(0)
		for ; begin.Add(time.Duration(want) * 144 * time.Minute / 2 * 3).Before(begin.Add(30 * 24 * time.Hour)); want++ {
		}
		var ids []int64
		for _, row := range rows {
			ids = append(ids, row.ID)
		}
		require.Equal(t, upTo(want), ids, "in the order of arrival, over both shards")
	})
}

func TestATailWithAnEndWaitsForItsOverlap(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		until := time.Now().Add(time.Minute)
		f := follow(t, s.tail(source.TailUntil(until), source.Overlap(20*time.Second)))
		time.Sleep(75 * time.Second)
		s.put(1, until.Add(-time.Millisecond))
		s.put(2, until)
		<-f.done
		require.NoError(t, f.err)
		require.True(t, f.report.Complete)
		require.Equal(t, []int64{1}, f.ids())
		require.GreaterOrEqual(t, time.Since(until), 20*time.Second)
		require.Less(t, time.Since(until), 23*time.Second)
	})
}

func TestATableInDescendingOrderAndOneOfTimeuuidsAreTailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(31*24*time.Hour - time.Minute) // to a minute before February
		s := newTailed(t,
			"down (day date, shard int, arrived timestamp, id bigint, v text, PRIMARY KEY ((day, shard), arrived, id)) WITH CLUSTERING ORDER BY (arrived DESC, id ASC)",
			"uuids (month text, at timeuuid, id bigint, v text, PRIMARY KEY (month, at))",
		)
		months := source.Buckets{
			Columns: []string{"month"}, Arrived: "at",
			Span: func(t time.Time) (start, end time.Time) {
				start = time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
				return start, start.AddDate(0, 1, 0)
			},
			Value: func(start time.Time) []any { return []any{start.Format("2006-01")} },
		}
		down := follow(t, source.Tail[arrival](s.session, "iot.down", daily, source.PageRows(2)))
		uuids := follow(t, source.Tail[arrival](s.session, "iot.uuids", months, source.PageRows(2)))
		time.Sleep(time.Second)
		var want []int64
		for id := range int64(120) {
			now := time.Now().UTC()
			s.Exec(fmt.Sprintf("INSERT INTO iot.down (day, shard, arrived, id) VALUES ('%s', 0, '%s', %d)", now.Format(time.DateOnly), now.Format("2006-01-02T15:04:05Z"), id))
			for range 3 { // of one time
				s.Exec(fmt.Sprintf("INSERT INTO iot.uuids (month, at, id) VALUES ('%s', %s, %d)", now.Format("2006-01"), gocql.UUIDFromTime(now), id))
				want = append(want, id)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		require.Equal(t, upTo(120), down.ids())
		require.Equal(t, want, uuids.ids())
		past, err := source.Tail[arrival](s.session, "iot.down", daily, source.PageRows(7), source.TailFrom(time.Now().Add(-time.Hour)),
			source.TailUntil(time.Now().Add(-31*time.Second))).Collect(t.Context())
		require.NoError(t, err)
		require.Len(t, past, 120)
		require.True(t, slices.IsSortedFunc(past, func(a, b arrival) int { return int(a.ID - b.ID) }), "oldest first")
		down.stop(t)
		uuids.stop(t)
	})
}

func TestAnUpsertComesAgainOnlyIfThatIsAskedFor(t *testing.T) {
	for asked, want := range map[bool][]string{false: {"a"}, true: {"a", "b", "a"}} {
		inTail(t, func(t *testing.T, s *tailed) {
			var opts []source.TailOption
			if asked {
				opts = append(opts, source.Upserts())
			}
			f := follow(t, s.tail(opts...))
			time.Sleep(5 * time.Second)
			arrived := time.Now()
			for _, v := range []string{"a", "b", "a"} {
				s.putInto(arrived, 7, arrived, v)
				time.Sleep(3 * time.Second)
			}
			time.Sleep(time.Minute)
			f.stop(t)
			var got []string
			for _, row := range f.rows {
				got = append(got, row.V)
			}
			require.Equal(t, want, got)
		})
	}
}

func TestWithADelayOfTheOverlapRowsComeInOrderAndNoneIsReadAgain(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		f := follow(t, s.tail(source.Overlap(20*time.Second), source.Delay(20*time.Second), source.SeenBytes(128)))
		time.Sleep(time.Minute)
		written := map[int64]time.Time{}
		for id := range int64(60) { // in pairs, the second of which is a second before the first
			at := time.Now().Add(-time.Duration(id%4/2*2) * time.Second)
			written[id] = at
			s.put(id, at)
			time.Sleep(500 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		f.stop(t)
		require.Equal(t, upTo(60), f.ids())
		last := map[int64]time.Time{}
		for _, id := range f.inOrder() {
			require.False(t, written[id].Before(last[id%2]), "row %d", id)
			last[id%2] = written[id]
			require.GreaterOrEqual(t, f.at[id].Sub(written[id]), 20*time.Second)
			require.LessOrEqual(t, f.at[id].Sub(written[id]), 23*time.Second)
		}
	})
}

func TestMoreKeysThanMayBeRememberedEndATailAndTheErrorSaysWhatToDo(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		f := follow(t, s.tail(source.SeenBytes(50*128)))
		time.Sleep(time.Minute + 500*time.Millisecond) // between two polls
		for id := range int64(51) {
			s.put(id, time.Now())
		}
		<-f.done
		require.ErrorIs(t, f.err, source.ErrTailFull)
		for _, word := range []string{"51 rows", "6528 bytes of 6400", "Overlap shorter", "Delay", "SeenBytes"} {
			require.ErrorContains(t, f.err, word)
		}
		require.Empty(t, f.ids(), "nothing is given that could come twice")
		require.Zero(t, f.report.BytesInFlight)

		past := time.Now()
		time.Sleep(time.Minute)
		rows, err := s.tail(source.TailFrom(past.Add(-time.Hour)), source.TailUntil(past.Add(time.Second)), source.SeenBytes(128)).Collect(t.Context())
		require.NoError(t, err)
		require.Len(t, rows, 51, "what is older than the overlap is not remembered")
	})
}

func TestATableThatIsDroppedOrMadeAgainEndsATail(t *testing.T) {
	for name, again := range map[string]bool{"dropped": false, "dropped and made again": true} {
		inTail(t, func(t *testing.T, s *tailed) {
			f := follow(t, s.tail())
			time.Sleep(10 * time.Second)
			s.put(1, time.Now())
			time.Sleep(10*time.Second + 500*time.Millisecond) // between two polls
			s.Exec("DROP TABLE iot.raw")
			if again {
				s.Exec("CREATE TABLE iot." + rawTable)
			}
			<-f.done
			require.ErrorIs(t, f.err, rxcql.ErrSchema)
			require.ErrorContains(t, f.err, `table "iot"."raw" was `+name+" while it was read")
			require.Equal(t, []int64{1}, f.ids())
		})
	}
}

func TestAPollThatFailsIsRepeatedAndNothingComesTwice(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		n := 0
		s.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if !r.Reads("iot.raw") {
				return nil
			}
			switch n++; n % 5 {
			case 0:
				return cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
			case 1:
				return cqlfake.Fail(&message.ReadTimeout{ErrorMessage: "late", Consistency: primitive.ConsistencyLevelQuorum})
			case 2:
				return cqlfake.EmptyPage()
			}
			return nil
		})
		f := follow(t, s.tail(source.PageRows(2)))
		time.Sleep(time.Second)
		for id := range int64(100) {
			s.put(id, time.Now())
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(2 * time.Minute)
		require.Equal(t, upTo(100), f.ids())
		f.stop(t)
	})
}

func TestARowThatCannotBeDecodedFailsOnce(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		type short struct {
			ID int8 `cql:"id"`
		}
		tail := source.Tail[short](s.session, "iot.raw", daily)
		p, err := rxcql.New(tail, sink.Each(func(context.Context, short) error { return nil }, sink.Idempotent()),
			rxcql.WithRowErrors(rxcql.SkipRows(1000)))
		require.NoError(t, err)
		done := make(chan error)
		var report rxcql.Report
		go func() {
			var err error
			report, err = p.Run(context.Background())
			done <- err
		}()
		time.Sleep(time.Second)
		for id := range int64(256) {
			s.put(id, time.Now())
		}
		time.Sleep(10 * time.Second)
		p.Stop()
		require.NoError(t, <-done)
		require.EqualValues(t, 128, report.Skipped)
		require.EqualValues(t, 128, report.Written)
	})
}

func TestTakeEndsATail(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		for id := range int64(100) {
			s.put(id, time.Now().Add(time.Second))
		}
		rows, err := operators.Take(s.tail(), 60).Collect(t.Context())
		require.NoError(t, err)
		require.Len(t, rows, 60)
	})
}

func TestBucketsThatAreEmptyOrNotThereYetHoldNothingUp(t *testing.T) {
	const poll = 10 * time.Second
	inTailAfter(t, 10*24*time.Hour-3*time.Minute, func(t *testing.T, s *tailed) {
		f := follow(t, s.tail(source.TailFrom(time.Now().Add(-9*24*time.Hour)), source.Overlap(20*time.Second), source.PollEvery(poll)))
		time.Sleep(poll / 2)
		id := int64(0)
		for _, later := range []time.Duration{0, 5 * time.Minute, 49 * time.Hour} { // a day that begins meanwhile, and one behind an empty one
			time.Sleep(later)
			written := time.Now()
			s.put(id, written)
			id++
			time.Sleep(poll)
			require.Equal(t, upTo(id), f.ids())
			require.LessOrEqual(t, f.at[id-1].Sub(written), poll)
			before := s.Requests(cqlfake.Execute, "iot.raw")
			time.Sleep(10 * poll)
			require.LessOrEqual(t, s.Requests(cqlfake.Execute, "iot.raw")-before, 10*2*2, "two buckets of two shards")
		}
		f.stop(t)
	})
}
