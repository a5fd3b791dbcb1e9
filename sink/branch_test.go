package sink_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/leak"
	"github.com/rxcql/rxcql/sink"
)

// branch is a sink that notes what it is called for, and panics at one of the calls.
type branch struct {
	panicAt string
	panics  error
	calls   map[string]int
}

func newBranch(panicAt string, panics error) *branch {
	return &branch{panicAt: panicAt, panics: panics, calls: map[string]int{}}
}

func (b *branch) call(name string) error {
	b.calls[name]++
	if name == b.panicAt {
		panic(b.panics)
	}
	return nil
}

func (b *branch) Info() rxcql.SinkInfo { return rxcql.SinkInfo{} }

func (b *branch) Check(context.Context) error { return nil }

func (b *branch) Open(context.Context, *rxcql.Execution) (rxcql.Writer[event], error) {
	return b, b.call("Open")
}

func (b *branch) Write(context.Context, *flow.Page[event]) error { return b.call("Write") }
func (b *branch) Flush(context.Context) error                    { return b.call("Flush") }
func (b *branch) Close() error                                   { return b.call("Close") }

func TestAPanicInABranchOfATeeIsAnErrorAndTheOthersAreClosed(t *testing.T) {
	for at, others := range map[string]struct{ before, after map[string]int }{
		"Open":  {map[string]int{"Open": 1, "Close": 1}, map[string]int{}},
		"Write": {map[string]int{"Open": 1, "Write": 1, "Close": 1}, map[string]int{"Open": 1, "Close": 1}},
		"Flush": {map[string]int{"Open": 1, "Write": 1, "Flush": 1, "Close": 1}, map[string]int{"Open": 1, "Write": 1, "Flush": 1, "Close": 1}},
		"Close": {map[string]int{"Open": 1, "Write": 1, "Flush": 1, "Close": 1}, map[string]int{"Open": 1, "Write": 1, "Flush": 1, "Close": 1}},
	} {
		t.Run(at, func(t *testing.T) {
			broken := errors.New("broken")
			before, bad, after := newBranch("", nil), newBranch(at, broken), newBranch("", nil)
			table := sink.TableOn[event]((&recorder{}).send, events()) // with goroutines of its own
			rep, err := run(t, sequence(event{P: 1}), sink.Tee[event](table, before, bad, after))
			var stage *rxcql.StageError
			require.ErrorAs(t, err, &stage)
			require.ErrorIs(t, err, rxcql.ErrPanic)
			require.ErrorIs(t, err, broken)
			require.Contains(t, []string{"Tee", "Sink"}, stage.Stage, "not the source's")
			require.Contains(t, string(stage.Stack), "branch_test.go", "the stack of the panic")
			require.False(t, rep.Complete)
			require.Equal(t, others.before, before.calls)
			require.Equal(t, others.after, after.calls)
			require.LessOrEqual(t, bad.calls["Close"], 1)
			leak.None(t)
			require.Zero(t, rep.BytesInFlight)
			if at == "Write" {
				require.Zero(t, rep.PagesSettled)
			}
		})
	}
}

func TestPanicsOfSeveralBranchesAreAllReported(t *testing.T) {
	for _, at := range []string{"Flush", "Close"} {
		first, second := errors.New("first"), errors.New("second")
		_, err := run(t, sequence(event{}), sink.Tee[event](newBranch(at, first), newBranch(at, second)))
		require.ErrorIs(t, err, first, at)
		require.ErrorIs(t, err, second, at)
	}
	opened, closed := errors.New("opened"), errors.New("closed")
	_, err := run(t, sequence(event{}), sink.Tee[event](newBranch("Close", closed), newBranch("Open", opened)))
	require.ErrorIs(t, err, opened)
	require.ErrorIs(t, err, closed)
}

// nothing is a sink whose Open gives neither a Writer nor an error.
type nothing struct{ *branch }

func (nothing) Open(context.Context, *rxcql.Execution) (rxcql.Writer[event], error) { return nil, nil }

func TestABranchWithoutAWriterIsAClearError(t *testing.T) {
	before, after := newBranch("", nil), newBranch("", nil)
	_, err := run(t, sequence(event{}), sink.Tee[event](before, nothing{}, after))
	require.ErrorContains(t, err, "the Open of sink 2 returned no Writer and no error")
	require.NotErrorIs(t, err, rxcql.ErrPanic)
	require.Equal(t, map[string]int{"Open": 1, "Close": 1}, before.calls)
	require.Empty(t, after.calls)
}

func TestAThroughBeforeASinkWithoutAWriterIsAClearError(t *testing.T) {
	same := func(in rxcql.Stream[event]) rxcql.Stream[event] { return in }
	_, err := run(t, sequence(event{}), sink.Through(same, rxcql.Sink[event](nothing{})))
	require.ErrorContains(t, err, "no Writer and no error")
	require.NotErrorIs(t, err, rxcql.ErrPanic)
}

func TestAPanicBehindThroughIsAnErrorAndLeavesNothingRunning(t *testing.T) {
	same := func(in rxcql.Stream[event]) rxcql.Stream[event] { return in }
	for _, at := range []string{"Open", "Write", "Flush", "Close"} {
		broken, other := errors.New("broken"), newBranch("", nil)
		_, err := run(t, sequence(event{}), sink.Tee(rxcql.Sink[event](other), sink.Through(same, rxcql.Sink[event](newBranch(at, broken)))))
		require.ErrorIs(t, err, rxcql.ErrPanic, at)
		require.ErrorIs(t, err, broken, at)
		require.Equal(t, 1, other.calls["Close"], at)
		leak.None(t)
	}
}
