package rxcql_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// text is what rows are parts of, so that they take no memory of their own.
var text = strings.Repeat("x", 5<<20)

// texts draws rows of 0 bytes to 5 MiB, most of them small.
func texts(t *rapid.T, name string) rxcql.Stream[string] {
	size := rapid.OneOf(rapid.IntRange(0, 20), rapid.IntRange(0, 20), rapid.IntRange(0, 10_000), rapid.IntRange(0, len(text)))
	rows := rapid.SampledFrom([]int{5, 50, 150}).Draw(t, "number of "+name)
	sizes := rapid.SliceOfN(size, rows, rows).Draw(t, name)
	return source.Seq(func(yield func(string, error) bool) {
		for _, n := range sizes {
			if !yield(text[:n], nil) {
				return
			}
		}
	}, source.PageRows(rapid.SampledFrom([]int{1, 7, 50, 512}).Draw(t, name+" page")))
}

// pause is of a length that goes by the row.
func pause(row string) { time.Sleep(time.Duration(len(row)*7919%50) * time.Millisecond) }

// holding puts an operator behind s that holds rows and hands them on as they are.
func holding(t *rapid.T, s rxcql.Stream[string]) rxcql.Stream[string] {
	call := func(_ context.Context, row string) (string, error) { pause(row); return row, nil }
	n := rapid.IntRange(1, 40).Draw(t, "n")
	batch := operators.BatchRows(n)
	switch rapid.IntRange(0, 4).Draw(t, "verb") {
	case 0:
		return operators.MapConcurrent(s, n, call)
	case 1:
		return operators.MapConcurrent(s, n, call, operators.Unordered())
	case 2:
		batch = operators.BatchBytes(int64(n) << 14)
	case 3:
		return operators.Merge(s, texts(t, "more rows"))
	}
	opts := []operators.BatchOption{batch}
	if rapid.Bool().Draw(t, "linger") {
		opts = append(opts, operators.BatchLinger(time.Duration(n)*time.Millisecond))
	}
	return operators.FlatMap(operators.Batch(s, opts...), func(rows []string, emit func(string) bool) error {
		for _, row := range rows {
			emit(row)
		}
		return nil
	})
}

func TestTheBudgetKeepsItsPromiseThroughOperatorsThatHoldRowsOfAnySize(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s := texts(rt, "rows")
		for range rapid.IntRange(1, 4).Draw(rt, "length") {
			s = holding(rt, s)
		}
		slow := sink.Each(func(_ context.Context, row string) error { pause(row); return nil },
			sink.InFlight(rapid.IntRange(1, 64).Draw(rt, "in flight")))
		limit := rapid.SampledFrom([]int64{5 * rxcql.MinBudgetPerInput, 1 << 20, 8 << 20}).Draw(rt, "budget")
		var rep rxcql.Report
		var err error
		synctest.Test(t, func(t *testing.T) {
			p, badChain := rxcql.New(s, slow, rxcql.WithBudget(limit))
			require.NoError(t, badChain)
			rep, err = p.Run(context.Background())
		})
		if !errors.Is(err, rxcql.ErrBudgetHeld) { // of a Batch without Linger
			require.NoError(rt, err)
			require.Equal(rt, rep.ReadRows, rep.Written)
		}
		require.Zero(rt, rep.BytesInFlight)
		require.LessOrEqual(rt, rep.PeakBytes, rep.Budget+int64(rep.PeakFetches)*rep.LargestPage)
	})
}
