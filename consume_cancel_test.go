package rxcql_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/source"
)

func TestACancelInsideABigPageIsSeenInsideIt(t *testing.T) {
	const rows = 10_000
	page := func() rxcql.Stream[int] { return source.Seq(numbers(rows, nil), source.PageRows(rows)) }
	ways := map[string]func(ctx context.Context, t *testing.T, fn func(row int)) error{
		"All": func(ctx context.Context, t *testing.T, fn func(int)) (last error) {
			for row, err := range page().All(ctx) {
				require.NoError(t, last, "the error comes last")
				if last = err; err == nil {
					fn(row)
				}
			}
			return last
		},
		"ForEach": func(ctx context.Context, t *testing.T, fn func(int)) error {
			rep, err := page().ForEach(ctx, func(row int) error { fn(row); return nil })
			require.False(t, rep.Complete)
			require.Zero(t, rep.PagesSettled, "not all of the page has been used")
			require.Zero(t, rep.BytesInFlight)
			return err
		},
	}
	for name, read := range ways {
		for _, at := range []int{0, 1, 30, 31, 32, 5000, rows - 100} {
			alone(t, fmt.Sprintf("by %s, when row %d cancels", name, at), func(t *testing.T) {
				ctx, cancel := context.WithCancelCause(context.Background())
				last := -1
				err := read(ctx, t, func(row int) {
					require.Equal(t, last+1, row)
					if last = row; row == at {
						cancel(errTest)
					}
				})
				require.Equal(t, errTest, err)
				require.GreaterOrEqual(t, last, at)
				require.LessOrEqual(t, last, at+32)
			})
		}
	}
}

func TestADeadlineInsideABigPageIsSeenInsideIt(t *testing.T) {
	alone(t, "although the loop body does not look", func(t *testing.T) {
		ctx, cancel := context.WithTimeoutCause(context.Background(), 100*time.Second, errTest)
		defer cancel()
		seen := 0
		_, err := source.Seq(numbers(10_000, nil), source.PageRows(10_000)).ForEach(ctx, func(int) error {
			seen++
			time.Sleep(time.Second)
			return nil
		})
		require.Equal(t, errTest, err)
		require.InDelta(t, 100, seen, 32)
	})
}
