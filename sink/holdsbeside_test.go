package sink_test

import (
	"context"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// twos is a branch in which Batch holds rows.
func twos(opts ...operators.BatchOption) rxcql.Sink[event] {
	return sink.Through(func(in rxcql.Stream[event]) rxcql.Stream[[]event] {
		return operators.Batch(in, append(opts, operators.BatchRows(2))...)
	}, sink.Each(func(context.Context, []event) error { return nil }, sink.Idempotent()))
}

// perKey is a branch in which GroupAdjacent holds a group.
func perKey() rxcql.Sink[event] {
	return sink.Through(func(in rxcql.Stream[event]) rxcql.Stream[operators.Group[int64, int]] {
		return operators.GroupAdjacent(in, func(e event) int64 { return e.P }, func() int { return 0 }, func(n int, _ event) (int, error) { return n + 1, nil })
	}, sink.Each(func(context.Context, operators.Group[int64, int]) error { return nil }, sink.Idempotent()))
}

func TestABranchThatHoldsRowsIsRefusedNextToAFileInAJob(t *testing.T) {
	file := sink.CSV[event](filepath.Join(t.TempDir(), "out.csv"))
	other := sink.Each(func(context.Context, event) error { return nil }, sink.Idempotent())
	same := func(in rxcql.Stream[event]) rxcql.Stream[event] { return in }
	for stage, holds := range map[string]rxcql.Sink[event]{"Batch": twos(), "GroupAdjacent": perKey()} {
		for name, to := range map[string]rxcql.Sink[event]{
			"after the file":           sink.Tee(file, holds),
			"before it":                sink.Tee(holds, file),
			"among others":             sink.Tee(other, holds, other, file),
			"in a Tee of its own":      sink.Tee(file, sink.Tee(other, holds)),
			"the file in another Tee":  sink.Tee(holds, sink.Tee(other, file)),
			"in a Through":             sink.Tee(file, sink.Through(same, holds)),
			"the file behind another":  sink.Tee(holds, sink.Through(same, file)),
			"in a Tee behind Through":  sink.Tee(file, sink.Through(same, sink.Tee(other, holds))),
			"a Tee with both, Through": sink.Through(same, sink.Tee(holds, file)),
		} {
			_, err := rxcql.New(sequence[event](), to)
			require.NoError(t, err, "%s %s, without a checkpoint", stage, name)
			_, err = rxcql.New(newLongJob(1).parts.Stream(), to, rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
			require.ErrorIs(t, err, rxcql.ErrConfig, "%s %s", stage, name)
			require.ErrorIs(t, err, rxcql.ErrNotResumable, "%s %s", stage, name)
			require.ErrorContains(t, err, "stage "+stage, name)
			require.ErrorContains(t, err, "holds rows from page to page", name)
		}
	}
}

func TestABranchThatHoldsRowsIsTakenWhereThereIsNoFile(t *testing.T) {
	other := sink.Each(func(context.Context, event) error { return nil }, sink.Idempotent())
	for _, to := range []rxcql.Sink[event]{
		sink.Tee(other, twos(), perKey()),
		sink.Tee(sink.CSV[event](outPath(t)), twos(operators.BatchLinger(time.Millisecond))), // for a time only
	} {
		rep, err := newLongJob(100).run(t, to)
		require.NoError(t, err)
		require.True(t, rep.Complete)
	}
}
