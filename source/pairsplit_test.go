package source_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/gravetest"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/ringtest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// joined is a pair: the numbers of the rows, 0 for none and -1 for static columns alone.
type joined struct{ left, right int }

// wantedJoins are the pairs of two tables, by place, without those that one of them cannot read.
// parts is how many parts cannot be read.
func wantedJoins(left, right *gravetest.Table) (want map[gravetest.Place]joined, parts int) {
	want = map[gravetest.Place]joined{}
	for i, g := range []*gravetest.Table{left, right} {
		add := func(place gravetest.Place, v int) {
			j := want[place]
			if i == 0 {
				j.left = v
			} else {
				j.right = v
			}
			want[place] = j
		}
		for place, v := range g.Places() {
			add(place, v)
		}
		for k := range g.StaticOnly() {
			add(gravetest.Place{K: k, D: "(none)"}, -1)
		}
	}
	for _, g := range []*gravetest.Table{left, right} {
		for place := range g.Holes() {
			delete(want, place)
			parts++
		}
		for k := range g.Hopeless() {
			delete(want, gravetest.Place{K: k, D: "(none)"})
			parts++
		}
	}
	return want, parts
}

// placeOf returns where a row is, and its number.
func placeOf(t *testing.T, row rxcql.Row) (gravetest.Place, int) {
	k, err := rxcql.Value[[]byte](row, "k")
	require.NoError(t, err)
	if c, _ := row.Lookup("c"); c == nil {
		return gravetest.Place{K: string(k), D: "(none)"}, -1
	}
	place := gravetest.Place{K: string(k)}
	place.C, err = rxcql.Value[int](row, "c")
	require.NoError(t, err)
	place.D, err = rxcql.Value[string](row, "d")
	require.NoError(t, err)
	return place, numberOf(t, row)
}

type pairOfRows = rxcql.Pair[rxcql.Row, rxcql.Row]

func joinOf(t *testing.T, pair pairOfRows) (place gravetest.Place, j joined) {
	if pair.HasLeft {
		place, j.left = placeOf(t, pair.Left)
	}
	if pair.HasRight {
		place, j.right = placeOf(t, pair.Right)
	}
	return place, j
}

// eachPair calls test with pairs of tables, fewer with -short, and returns how many these were.
func eachPair(t *testing.T, test func(t *testing.T, left, right *gravetest.Table)) (n uint64) {
	t.Helper()
	if n = 80; testing.Short() {
		n /= 5 // as rapid does
	}
	for seed := range n {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				left, right := gravetest.Pair(t, seed)
				test(t, left, right)
			})
		})
	}
	return n
}

func readPairs(left, right *gravetest.Table) rxcql.Stream[pairOfRows] {
	r := left.Random
	return source.TablePair[rxcql.Row, rxcql.Row](left.Session, "ks.t", right.Session, "ks.t", source.AdaptiveSplits(),
		source.Splits(1+r.IntN(3)), source.PageRows(1+r.IntN(4)), source.Right(source.PageRows(1+r.IntN(4))))
}

func TestPairsAmongTombstonesAreTheFullOuterJoinOfWhatCanBeRead(t *testing.T) {
	cuts, unread := int64(0), 0
	n := eachPair(t, func(t *testing.T, left, right *gravetest.Table) {
		want, parts := wantedJoins(left, right)
		got := map[gravetest.Place]joined{}
		told := 0
		report, err := readPairs(left, right).ForEach(t.Context(), func(pair pairOfRows) error {
			if part := pair.Unread; part != nil {
				require.False(t, pair.HasLeft || pair.HasRight)
				require.Contains(t, []string{"left", "right"}, part.Table)
				require.Contains(t, []string{oneRow, firstRow, noStatics}, part.Within)
				require.EqualValues(t, 1, uint64(part.Tokens.End)-uint64(part.Tokens.Start))
				told++
				return nil
			}
			place, j := joinOf(t, pair)
			require.NotContains(t, got, place)
			got[place] = j
			return nil
		}, rxcql.WithRetry(time.Second, 2), rxcql.WithBudget(rxcql.MinBudgetPerInput))
		require.NoError(t, err)
		require.True(t, report.Complete)
		require.Zero(t, report.BytesInFlight)
		require.Equal(t, want, got)
		require.Equal(t, parts, told)
		cuts += left.Cuts.Load() + right.Cuts.Load()
		unread += told
	})
	require.Greater(t, cuts, int64(25*n), "the tests met tombstones")
	require.Greater(t, unread, int(n), "some of them could not be passed")
}

// A job that is broken off anywhere, and goes on with other splits and pages, gives each pair once.
func TestPairsAmongTombstonesGoOnInTheMiddleOfAPartition(t *testing.T) {
	eachPair(t, func(t *testing.T, left, right *gravetest.Table) {
		want, parts := wantedJoins(left, right)
		store, got, told := &jobtest.Store{}, map[gravetest.Place]joined{}, map[string]bool{}
		for run := 0; ; run++ {
			require.Less(t, run, 400)
			more := 1 + left.Random.IntN(6)
			report, err := rxcql.Run(t.Context(), readPairs(left, right), sink.Each(func(_ context.Context, pair pairOfRows) error {
				if more--; more < 0 {
					return errCut
				}
				if pair.Unread != nil {
					told[pair.Unread.String()] = true
					return nil
				}
				place, j := joinOf(t, pair)
				require.Equal(t, want[place], j, "%v", place)
				got[place] = j
				return nil
			}, sink.Idempotent(), sink.InFlight(1)), rxcql.WithWorkers(1+left.Random.IntN(2)), rxcql.WithRetry(time.Second, 2),
				rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(10*time.Millisecond)))
			if err == nil {
				require.True(t, report.Complete)
				require.EqualValues(t, len(want)+parts, report.ReadRows+report.ResumedRows, "each is settled once")
				break
			}
			require.ErrorIs(t, err, errCut)
		}
		require.Equal(t, want, got)
		require.LessOrEqual(t, len(told), parts) // two rows of a partition have one text
	})
}

func TestAPositionOfAPairWithAdaptiveSplitsIsRefusedWithout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left, right := gravetest.Pair(t, 4)
		left.Clear()
		right.Clear()
		for range 30 {
			left.Add(ringtest.KeyOf(5, 1))
		}
		store := &jobtest.Store{}
		run := func(opts ...source.PairOption) error {
			more := 3
			opts = append(opts, source.PageRows(1), source.Splits(1))
			_, err := rxcql.Run(t.Context(), source.TablePair[rxcql.Row, rxcql.Row](left.Session, "ks.t", right.Session, "ks.t", opts...),
				sink.Each(func(context.Context, pairOfRows) error {
					if more--; more < 0 {
						return errCut
					}
					return nil
				}, sink.Idempotent(), sink.InFlight(1)), rxcql.WithWorkers(1), rxcql.WithCheckpoint(store, "job"))
			return err
		}
		require.ErrorIs(t, run(), errCut)
		require.ErrorIs(t, run(source.AdaptiveSplits()), errCut, "it goes on from page states")
		err := run()
		require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
		require.ErrorContains(t, err, "AdaptiveSplits")
	})
}

func TestAPairWhoseServerAnswersNothingInTimeEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		left, right := gravetest.Pair(t, 4)
		right.Slow, right.Late, right.Limit = true, false, -1
		_, err := readPairs(left, right).Collect(t.Context(), rxcql.WithRetry(time.Second, 2))
		require.ErrorContains(t, err, "right table")
		var row *rxcql.RowError
		require.ErrorAs(t, err, &row)
	})
}
