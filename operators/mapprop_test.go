package operators_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// wide is a row of more words than go in registers.
type wide struct {
	a int
	_ [4]int
	n int
}

// Map is a loop, for any sizes of pages, whichever rows fail, and for any
// policy: it calls the function with each row once, in order, up to the one that
// ends the run.
func TestMapIsALoopWhicheverRowsFail(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		n, page := rapid.IntRange(0, 400).Draw(rt, "rows"), rapid.IntRange(1, 200).Draw(rt, "page")
		bad := map[int]bool{}
		for _, i := range rapid.SliceOfN(rapid.IntRange(0, 400), 0, 60).Draw(rt, "bad") {
			bad[i] = true
		}
		how := rapid.SampledFrom([]string{"skip", "fail", "panic", "limit"}).Draw(rt, "how")
		var want, failed []int
		for i := range n {
			if bad[i] {
				failed = append(failed, i)
			} else {
				want = append(want, i)
			}
		}
		policy := rxcql.FailOnRowError()
		switch how {
		case "skip":
			policy = rxcql.SkipRows(int64(len(failed)))
		case "limit":
			policy = rxcql.SkipRows(int64(max(0, len(failed)-1)))
		}
		calls, got := []int{}, []int(nil)
		s := operators.Map(count(n, page), func(i int) (wide, error) {
			calls = append(calls, i)
			if !bad[i] {
				return wide{a: i, n: i}, nil
			}
			if how == "panic" {
				panic("on purpose")
			}
			return wide{n: -1}, errBad
		})
		to := sink.Each(func(_ context.Context, w wide) error {
			if w.a != w.n {
				return fmt.Errorf("%v is torn", w)
			}
			got = append(got, w.n)
			return nil
		})
		p, err := rxcql.New(s, to, rxcql.WithRowErrors(policy))
		require.NoError(rt, err)
		rep, err := p.Run(context.Background())
		require.Zero(rt, rep.BytesInFlight)
		if len(failed) == 0 || how == "skip" {
			require.NoError(rt, err)
			require.Equal(rt, want, got)
			require.Equal(rt, upTo(n), calls)
			require.EqualValues(rt, len(failed), rep.Skipped)
			require.EqualValues(rt, n, rep.Written+rep.Skipped)
			return
		}
		end := failed[0] // the row that ends the run
		switch how {
		case "fail":
			var row *rxcql.RowError
			require.True(rt, errors.As(err, &row), "%v", err)
			require.EqualValues(rt, end, row.Page*int64(page)+int64(row.Row))
		case "panic":
			require.ErrorIs(rt, err, rxcql.ErrPanic)
		case "limit":
			end = failed[len(failed)-1]
			require.ErrorIs(rt, err, rxcql.ErrSkipLimit)
			require.EqualValues(rt, len(failed)-1, rep.Skipped)
		}
		require.Equal(rt, upTo(end+1), calls)
		whole := slices.DeleteFunc(upTo(end/page*page), func(i int) bool { return bad[i] })
		require.Equal(rt, whole, append([]int{}, got...), "the pages before")
	})
}
