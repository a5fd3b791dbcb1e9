package sink_test

import (
	"encoding/json"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
)

func TestARowIsKnownByItsPlaceThroughRoutesAndTeesInEachOther(t *testing.T) {
	server := newReplica()
	a, b, c := &sizes{}, &sizes{Sink: upserts(server)}, &sizes{Sink: deletes(server)}
	first := func(ch change) int { return int(ch.C) % 2 } // 0 2 4 6 8, 1 3 5 7 9
	second := func(ch change) int { return int(ch.C) / 2 % 2 }
	for name, to := range map[string]rxcql.Sink[change]{
		"a Tee in a Route of a Route": sink.Route(first, sink.Route(second, sink.Tee[change](a, b, c))),
		"a Route in a Tee":            sink.Tee(sink.Route(first, sink.Route(second, sink.Tee[change](a, b, c)))),
	} {
		a.at, b.at, c.at = nil, nil, nil
		_, err := run(t, split(upsertsOf(10), 10), to, rxcql.WithRowErrors(rxcql.SkipRows(1000)))
		require.NoError(t, err)
		want := []int{0, 4, 8} // the others are no sink's
		require.Equal(t, [][]int{want, want, want}, [][]int{a.at, b.at, c.at}, name)
	}
}

func TestARowThatFailsInABranchOfARouteIsNamedByItsPlaceInThePage(t *testing.T) {
	refuses := func() *replica {
		server := newReplica()
		server.answer = func(s sink.Sent) (bool, error) {
			for _, row := range s.Rows {
				if len(row.Values) == 3 && strings.HasSuffix(string(row.Values[2].([]byte)), "bad") {
					return false, invalid{}
				}
			}
			return true, nil
		}
		return server
	}
	apart := func(s *replica) rxcql.Sink[change] {
		table := s.table()
		table.ID = "another"
		return sink.TableOn[change](s.send, table)
	}
	one := func(s *replica) rxcql.Sink[change] { return sink.TableOn[change](s.send, s.table()) }
	for name, to := range map[string]func(*replica) rxcql.Sink[change]{
		"of tables of their own": func(s *replica) rxcql.Sink[change] { return sink.Route(kinds, one(s), apart(s), one(newReplica())) },
		"of one table":           func(s *replica) rxcql.Sink[change] { return sink.Route(kinds, one(s), one(s), one(s)) },
		"behind a Through": func(s *replica) rxcql.Sink[change] {
			return sink.Route(kinds, one(s), sink.Through(onlyDeleted(false), one(s)), one(s))
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			feed := upsertsOf(27)
			feed[16].V = []string{"bad"} // row 7 of page 1
			_, err := run(t, split(feed, 9), to(refuses()))
			var row *rxcql.RowError
			require.ErrorAs(t, err, &row, name)
			require.Equal(t, []int64{1, 7}, []int64{row.Page, int64(row.Row)}, name)

			letters := &jobtest.Letters{}
			rep, err := run(t, split(feed, 9), to(refuses()), rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
			require.NoError(t, err, name)
			require.Equal(t, rep.Pages, rep.PagesSettled)
			require.EqualValues(t, 26, rep.Written)
			require.Len(t, letters.All, 1)
			require.Equal(t, []int64{1, 7}, []int64{letters.All[0].Page, int64(letters.All[0].Index)}, name)
			var kept change
			require.NoError(t, json.Unmarshal(letters.All[0].Row, &kept))
			require.Equal(t, feed[16], kept)
		})
	}
}
