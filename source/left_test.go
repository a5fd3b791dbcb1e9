package source_test

import (
	"runtime"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func TestABufferIsGivenBackWhereAFunctionLeavesItsGoroutine(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rows := make(chan int, 100)
		for n := range 100 {
			rows <- n
		}
		in := source.Chan(rows, source.PageRows(7), source.Buffer(1000, rxcql.OverflowBlock))
		left := operators.Tap(in, func(int) error { synctest.Wait(); runtime.Goexit(); return nil })
		rep, err := operators.Merge(left, source.Of(1)).ForEach(t.Context(), func(int) error { return nil })
		require.ErrorContains(t, err, "Goexit")
		require.Zero(t, rep.BytesInFlight)
		rows <- 100
		synctest.Wait()
		require.Len(t, rows, 1, "nothing reads the channel any more")
	})
}
