package source_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/ringtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

var errCut = errors.New("broken off")

func (g *graveyard) read() rxcql.Stream[rxcql.Row] {
	return source.Table[rxcql.Row](g.session, "ks.t", source.AdaptiveSplits(), source.Splits(1+g.random.IntN(3)), source.PageRows(1+g.random.IntN(4)))
}

// numberOf is the number of a row; -1 for one of static columns alone.
func numberOf(t *testing.T, row rxcql.Row) int {
	if value, _ := row.Lookup("v"); value == nil {
		return -1
	}
	v, err := rxcql.Value[int](row, "v")
	require.NoError(t, err)
	return v
}

// seeds runs a test for many random tables.
func seeds(t *testing.T, n uint64, test func(t *testing.T, g *graveyard)) {
	for seed := range n {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, newGraveyard(t, seed)) })
		})
	}
}

func TestAllRowsAmongTombstonesAreReadOnceAndTheRestIsNamed(t *testing.T) {
	cuts := 0
	seeds(t, 60, func(t *testing.T, g *graveyard) {
		counts := map[int]int{}
		report, err := g.read().ForEach(t.Context(), func(row rxcql.Row) error {
			counts[numberOf(t, row)]++
			return nil
		}, rxcql.WithRetry(time.Second, 2), rxcql.WithBudget(rxcql.MinBudgetPerInput))
		cuts += g.cuts
		lost := len(g.hopeless())
		require.Equal(t, len(g.statics)-g.lostStatics(), counts[-1])
		delete(counts, -1)
		require.Len(t, counts, len(g.rows))
		for v, n := range counts {
			require.Equal(t, 1, n, "row %d", v)
		}
		require.EqualValues(t, lost, report.UnreadParts)
		require.Len(t, report.Unread, lost)
		require.Equal(t, lost == 0, report.Complete)
		require.Equal(t, report.Pages, report.PagesSettled)
		require.Zero(t, report.BytesInFlight)
		if lost == 0 {
			require.NoError(t, err)
			return
		}
		require.ErrorIs(t, err, rxcql.ErrUnread)
		require.Equal(t, "static columns of a partition without rows", report.Unread[0].Within)
		require.Contains(t, err.Error(), report.Unread[0].Range)
		require.Contains(t, report.String(), report.Unread[0].Range)
	})
	require.Greater(t, cuts, 1000, "the tests met tombstones")
}

func TestAJobAmongTombstonesGoesOnInTheMiddleOfAPartition(t *testing.T) {
	seeds(t, 60, func(t *testing.T, g *graveyard) {
		if len(g.hopeless()) > 0 {
			return
		}
		store, given := &jobtest.Store{}, map[int]bool{}
		for run := 0; ; run++ {
			left := 1 + g.random.IntN(5)
			if run > 300 {
				left = 1 << 30
			}
			in := source.Table[rxcql.Row](g.session, "ks.t", source.AdaptiveSplits(), source.Splits(2), source.PageRows(1+g.random.IntN(3)))
			p, err := rxcql.New(in, sink.Each(func(_ context.Context, row rxcql.Row) error {
				if left--; left < 0 {
					return errCut
				}
				given[numberOf(t, row)] = true
				return nil
			}, sink.Idempotent(), sink.InFlight(1)), rxcql.WithWorkers(1), rxcql.WithRetry(time.Second, 2),
				rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(10*time.Millisecond)))
			require.NoError(t, err)
			report, err := p.Run(t.Context())
			if err == nil {
				require.True(t, report.Complete)
				require.EqualValues(t, len(g.rows)+len(g.statics), report.ReadRows+report.ResumedRows, "each row is settled once")
				break
			}
			require.ErrorIs(t, err, errCut)
			require.LessOrEqual(t, run, 300)
		}
		delete(given, -1)
		require.Len(t, given, len(g.rows))
	})
}

func TestWhatWasUnreadIsAskedForAgainByTheNextRunOfAJob(t *testing.T) {
	lost := 0
	seeds(t, 60, func(t *testing.T, g *graveyard) {
		if g.lostStatics() == 0 {
			return
		}
		lost++
		store, counts := &jobtest.Store{}, map[int]int{}
		run := func() (rxcql.Report, error) {
			in := source.Table[rxcql.Row](g.session, "ks.t", source.AdaptiveSplits(), source.Splits(2))
			return rxcql.Run(t.Context(), in, sink.Each(func(_ context.Context, row rxcql.Row) error {
				counts[numberOf(t, row)]++
				return nil
			}, sink.Idempotent(), sink.InFlight(1)), rxcql.WithCheckpoint(store, "job"), rxcql.WithRetry(time.Second, 2))
		}
		for range 2 {
			report, err := run()
			require.ErrorIs(t, err, rxcql.ErrUnread)
			require.False(t, report.Complete)
		}
		g.graves = nil // they were compacted away
		report, err := run()
		require.NoError(t, err)
		require.True(t, report.Complete)
		require.Equal(t, len(g.statics), counts[-1])
		for v := range g.rows {
			require.Equal(t, 1, counts[v], "row %d", v)
		}
	})
	require.Positive(t, lost)
}

func TestAServerThatAnswersNothingInTimeEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGraveyard(t, 1)
		k := ringtest.KeyOf(5, 1)
		g.add(k)
		g.slow, g.late, g.limit = true, false, -1 // no request has so few
		report, err := g.read().ForEach(t.Context(), func(rxcql.Row) error { return nil }, rxcql.WithRetry(time.Second, 2))
		require.Error(t, err)
		require.NotErrorIs(t, err, rxcql.ErrUnread)
		var row *rxcql.RowError
		require.ErrorAs(t, err, &row)
		require.False(t, report.Complete)
	})
}

func TestTwoPartitionsOfOneTokenAreNotCut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, late := range []bool{false, true} {
			g := newGraveyard(t, 1)
			one, two := ringtest.KeyOf(5, 1), ringtest.KeyOf(5, 2)
			for range 20 {
				g.add(one)
				g.add(two)
				g.bury(one)
			}
			g.late, g.slow, g.limit = late, false, 2
			_, err := g.read().Collect(t.Context())
			require.ErrorContains(t, err, "two partitions have the token 5")
		}
	})
}

func TestWhatAdaptiveSplitsCannotDoIsRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := cqlfake.New(t)
		server.Keyspace("ks", "t (k int PRIMARY KEY)")
		session := server.Session("ks")
		_, err := rxcql.New(operators.GroupAdjacent(source.Table[int](session, "ks.t", source.Columns("k"), source.AdaptiveSplits()),
			func(k int) int { return k }, func() int { return 0 }, func(n, _ int) (int, error) { return n + 1, nil }),
			sink.Each(func(context.Context, operators.Group[int, int]) error { return nil }))
		require.ErrorIs(t, err, rxcql.ErrConfig)
		_, err = rxcql.New(source.TablePair[int, int](session, "ks.t", session, "ks.t", source.Left(source.AdaptiveSplits())),
			sink.Each(func(context.Context, rxcql.Pair[int, int]) error { return nil }))
		require.ErrorContains(t, err, "AdaptiveSplits is for Table alone")
	})
}

func TestAPositionOfAdaptiveSplitsIsRefusedWithout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := newGraveyard(t, 1)
		g.graves = nil
		store := &jobtest.Store{}
		run := func(opts ...source.TableOption) error {
			opts = append(opts, source.PageRows(1), source.Splits(1))
			left := 4
			_, err := rxcql.Run(t.Context(), source.Table[rxcql.Row](g.session, "ks.t", opts...), sink.Each(func(context.Context, rxcql.Row) error {
				if left--; left < 0 {
					return errCut
				}
				return nil
			}, sink.Idempotent(), sink.InFlight(1)), rxcql.WithWorkers(1), rxcql.WithCheckpoint(store, "job"))
			return err
		}
		require.ErrorIs(t, run(), errCut)
		require.ErrorIs(t, run(source.AdaptiveSplits()), errCut, "it goes on from a page state")
		err := run()
		require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
		require.ErrorContains(t, err, "AdaptiveSplits")
	})
}
