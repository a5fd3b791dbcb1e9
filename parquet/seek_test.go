package parquet_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/parquet"
	"github.com/rxcql/rxcql/sink"
)

// numbered is a row of pages.parquet, whose lists cross its pages.
type numbered struct {
	N    int64   `cql:"n"`
	List []int64 `cql:"list"`
	Text string  `cql:"text"`
}

func TestAJobGoesOnInTheMiddleOfARowGroup(t *testing.T) {
	store := &jobtest.Store{}
	seen := map[int64]int{}
	var stop func()
	runs := 0
	for done := false; !done; runs++ {
		require.Less(t, runs, 100)
		rows := 0
		checked := operators.Tap(parquet.Read[numbered]("testdata/pages.parquet", parquet.PageRows(7)), func(n numbered) error {
			if rows++; rows == 700 {
				stop()
			}
			want := make([]int64, n.N%7)
			for i := range want {
				want[i] = int64(i)
			}
			if fmt.Sprint(want) != fmt.Sprint(n.List) || n.Text != fmt.Sprintf("t%d", n.N%1000) {
				return fmt.Errorf("row %d has other values", n.N) //nolint:err113 // of a test
			}
			return nil
		})
		out := sink.Each(func(_ context.Context, n numbered) error { seen[n.N]++; return nil }, sink.InFlight(1), sink.Idempotent())
		p, err := rxcql.New(checked, out, rxcql.WithCheckpoint(store, "job"), rxcql.WithWorkers(2))
		require.NoError(t, err)
		stop = p.Stop
		rep, err := p.Run(context.Background())
		require.NoError(t, err)
		done = rep.Complete
	}
	require.Greater(t, runs, 1)
	require.Equal(t, 5000, len(seen), "each row was written")
}

func TestAJobGoesOnOnlyWithTheSameFile(t *testing.T) {
	store := &jobtest.Store{}
	path := write(t, []spot{{1, "a"}, {2, "b"}, {3, "c"}})
	broken := errors.New("broken off")
	start := func(fails bool) error {
		out := sink.Each(func(context.Context, spot) error {
			if fails {
				return broken
			}
			return nil
		}, sink.InFlight(1), sink.Idempotent())
		p, err := rxcql.New(parquet.Read[spot](path), out, rxcql.WithCheckpoint(store, "job"))
		require.NoError(t, err)
		_, err = p.Run(context.Background())
		return err
	}
	require.ErrorIs(t, start(true), broken)
	_, err := run(t, parquet.Read[spot](write(t, []spot{{1, "a"}, {2, "x"}, {3, "c"}})), parquet.Write[spot](path, parquet.Overwrite()))
	require.NoError(t, err)
	require.ErrorIs(t, start(false), rxcql.ErrCheckpointForeign)
}
