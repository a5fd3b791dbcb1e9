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
	"github.com/rxcql/rxcql/internal/gravetest"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/ringtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

var errCut = errors.New("broken off")

func readGraves(g *gravetest.Table) rxcql.Stream[rxcql.Row] {
	return source.Table[rxcql.Row](g.Session, "ks.t", source.AdaptiveSplits(), source.Splits(1+g.Random.IntN(3)), source.PageRows(1+g.Random.IntN(4)))
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

// lostStatics is how many partitions have static columns that cannot be read.
func lostStatics(g *gravetest.Table) (n int) {
	for _, has := range g.Hopeless() {
		if has {
			n++
		}
	}
	return n
}

// seeds runs a test for many random tables.
func seeds(t *testing.T, n uint64, test func(t *testing.T, g *gravetest.Table)) {
	for seed := range n {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { test(t, gravetest.New(t, seed)) })
		})
	}
}

func TestAllRowsAmongTombstonesAreReadOnceAndTheRestIsNamed(t *testing.T) {
	cuts := 0
	seeds(t, 60, func(t *testing.T, g *gravetest.Table) {
		counts := map[int]int{}
		report, err := readGraves(g).ForEach(t.Context(), func(row rxcql.Row) error {
			counts[numberOf(t, row)]++
			return nil
		}, rxcql.WithRetry(time.Second, 2), rxcql.WithBudget(rxcql.MinBudgetPerInput))
		cuts += int(g.Cuts.Load())
		lost := len(g.Hopeless())
		require.Equal(t, len(g.StaticOnly())-lostStatics(g), counts[-1])
		delete(counts, -1)
		require.Len(t, counts, len(g.Rows))
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
	seeds(t, 60, func(t *testing.T, g *gravetest.Table) {
		if len(g.Hopeless()) > 0 {
			return
		}
		store, given := &jobtest.Store{}, map[int]bool{}
		for run := 0; ; run++ {
			left := 1 + g.Random.IntN(5)
			if run > 300 {
				left = 1 << 30
			}
			in := source.Table[rxcql.Row](g.Session, "ks.t", source.AdaptiveSplits(), source.Splits(2), source.PageRows(1+g.Random.IntN(3)))
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
				require.EqualValues(t, len(g.Rows)+len(g.StaticOnly()), report.ReadRows+report.ResumedRows, "each row is settled once")
				break
			}
			require.ErrorIs(t, err, errCut)
			require.LessOrEqual(t, run, 300)
		}
		delete(given, -1)
		require.Len(t, given, len(g.Rows))
	})
}

func TestWhatWasUnreadIsAskedForAgainByTheNextRunOfAJob(t *testing.T) {
	lost := 0
	seeds(t, 60, func(t *testing.T, g *gravetest.Table) {
		if lostStatics(g) == 0 {
			return
		}
		lost++
		store, counts := &jobtest.Store{}, map[int]int{}
		run := func() (rxcql.Report, error) {
			in := source.Table[rxcql.Row](g.Session, "ks.t", source.AdaptiveSplits(), source.Splits(2))
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
		g.Clear() // they were compacted away
		report, err := run()
		require.NoError(t, err)
		require.True(t, report.Complete)
		require.Equal(t, len(g.StaticOnly()), counts[-1])
		for v := range g.Rows {
			require.Equal(t, 1, counts[v], "row %d", v)
		}
	})
	require.Positive(t, lost)
}

func TestAServerThatAnswersNothingInTimeEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gravetest.New(t, 1)
		k := ringtest.KeyOf(5, 1)
		g.Add(k)
		g.Slow, g.Late, g.Limit = true, false, -1 // no request has so few
		report, err := readGraves(g).ForEach(t.Context(), func(rxcql.Row) error { return nil }, rxcql.WithRetry(time.Second, 2))
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
			g := gravetest.New(t, 1)
			one, two := ringtest.KeyOf(5, 1), ringtest.KeyOf(5, 2)
			for range 20 {
				g.Add(one)
				g.Add(two)
				g.Bury(one)
			}
			g.Late, g.Slow, g.Limit = late, false, 2
			_, err := readGraves(g).Collect(t.Context())
			require.ErrorContains(t, err, "two partitions have the token 5")
		}
	})
}

// Behind a row of one partition no other partition's rows are read, so a cut there would lose those
// of them that stand where that row does.
func TestNoRowIsLostWhereTwoPartitionsHaveOneToken(t *testing.T) {
	for seed := range uint64(4) { // either order of each clustering column
		synctest.Test(t, func(t *testing.T) {
			g := gravetest.New(t, seed)
			one, two := ringtest.KeyOf(5, 1), ringtest.KeyOf(5, 2)
			g.Put(gravetest.Row{K: one, D: "b"}, len(g.Rows))
			g.Put(gravetest.Row{K: two, D: "b"}, len(g.Rows))
			for c := range 10 {
				for _, k := range [][]byte{one, two} {
					g.Clear(append(g.Graves(), gravetest.Row{K: k, C: c - 5, D: "c"})...)
				}
			}
			g.Late, g.Slow, g.Limit = true, false, 2
			_, err := source.Table[rxcql.Row](g.Session, "ks.t", source.AdaptiveSplits(), source.Splits(1), source.PageRows(1)).Collect(t.Context())
			require.ErrorContains(t, err, "two partitions have the token 5")
		})
	}
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
		require.ErrorContains(t, err, "AdaptiveSplits is for both tables")
	})
}

func TestAPositionOfAdaptiveSplitsIsRefusedWithout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := gravetest.New(t, 1)
		g.Clear()
		store := &jobtest.Store{}
		run := func(opts ...source.TableOption) error {
			opts = append(opts, source.PageRows(1), source.Splits(1))
			left := 4
			_, err := rxcql.Run(t.Context(), source.Table[rxcql.Row](g.Session, "ks.t", opts...), sink.Each(func(context.Context, rxcql.Row) error {
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
