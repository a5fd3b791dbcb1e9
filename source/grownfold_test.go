package source_test

import (
	"context"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

type group = operators.Group[int, int]

// sums adds up rows that are equal.
func sums(in rxcql.Stream[int]) rxcql.Stream[group] {
	return operators.GroupAdjacent(in, func(n int) int { return n }, func() int { return 0 }, func(sum, n int) (int, error) { return sum + n, nil })
}

func TestAGroupIsNotMadeOfTheRowsThatCameToAFileAfterItsEndAlone(t *testing.T) {
	groups := func(path string, pageRows int) rxcql.Stream[group] {
		return sums(source.NDJSON[int](path, source.PageRows(pageRows)))
	}
	for _, pageRows := range []int{1, 2, 3, 4, 5, 10} {
		for _, c := range []struct {
			more string
			want []group
			err  error
		}{
			{"", nil, nil},
			{"7\n7\n", []group{{Key: 7, Value: 14, Rows: 2}}, nil},
			{"8\n8\n", nil, rxcql.ErrCheckpointForeign}, // would take the place of the whole one
			{"7\n8\n", []group{{Key: 7, Value: 7, Rows: 1}, {Key: 8, Value: 8, Rows: 1}}, nil},
		} {
			path, store := fileWith(t, "7\n7\n8\n8\n"), &jobtest.Store{}
			got, _, err := job(t, failing(groups(path, pageRows)), store)
			require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			require.Equal(t, []group{{Key: 7, Value: 14, Rows: 2}, {Key: 8, Value: 16, Rows: 2}}, got)
			for range 2 { // an end at which nothing has come leaves the mark as it was
				_, _, err = job(t, failing(groups(path, pageRows)), store)
				require.ErrorIs(t, err, os.ErrDeadlineExceeded)
			}
			grow(t, path, c.more)
			got, _, err = job(t, groups(path, pageRows), store)
			require.ErrorIs(t, err, c.err)
			require.Equal(t, c.want, got)
		}
	}
}

// failingAfterLast fails when all that is behind it has done with the last page,
// which is not settled then.
type failingAfterLast[T any] struct{ flow.Observer[T] }

func (f failingAfterLast[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	last := p.Last
	if err := f.Observer.Next(ctx, p); err != nil || !last {
		return err
	}
	return os.ErrDeadlineExceeded
}

func TestAGroupWhoseEndWasReadAgainHasEndedToo(t *testing.T) {
	path, store := fileWith(t, "7\n7\n8\n8\n"), &jobtest.Store{}
	in := source.NDJSON[int](path, source.PageRows(3))
	cut := rxcql.Lift(in, rxcql.StageInfo{Name: "Cut"}, func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
		return failingAfterLast[int]{out}
	})
	got, _, err := job(t, sums(cut), store)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.Len(t, got, 2)
	state, err := store.State("job")
	require.NoError(t, err)
	require.EqualValues(t, 3, state.Sources[0].Parts[0].Rows, "the group is durable, and its end is to be read again")

	got, rep, err := job(t, failing(sums(in)), store)
	require.ErrorIs(t, err, os.ErrDeadlineExceeded)
	require.Empty(t, got)
	require.EqualValues(t, 1, rep.ReadRows)
	grow(t, path, "8\n")
	got, _, err = job(t, sums(in), store)
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	require.ErrorContains(t, err, "stage GroupAdjacent: ")
	require.Empty(t, got)
}
