package rxcql_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
)

// errLostAnswer is an error of a connection.
var errLostAnswer = fmt.Errorf("write: %w", io.ErrUnexpectedEOF)

// ends notes how runs end, and that each had begun.
type ends struct {
	starts int
	all    []rxcql.RunEvent
}

func (n *ends) hooks() rxcql.Option {
	return rxcql.WithHooks(rxcql.Hooks{
		RunStart: func(ctx context.Context, _ rxcql.RunEvent) context.Context { n.starts++; return ctx },
		RunEnd:   func(_ context.Context, e rxcql.RunEvent) { n.all = append(n.all, e) },
	})
}

// one is the end of the only run so far.
func (n *ends) one(t *testing.T) rxcql.RunEvent {
	t.Helper()
	require.Equal(t, 1, n.starts)
	require.Len(t, n.all, 1)
	return n.all[0]
}

func TestTheEndOfARunIsToldAlsoWhereAFunctionOfTheUsersLeavesIt(t *testing.T) {
	var log bytes.Buffer
	logger := rxcql.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))

	n := &ends{}
	require.PanicsWithValue(t, canary, func() {
		_, _ = seq(100).ForEach(t.Context(), func(int) error { panic(canary) }, n.hooks(), logger)
	}, "it goes on unchanged")
	e := n.one(t)
	require.ErrorIs(t, e.Err, rxcql.ErrPanic)
	require.EqualError(t, e.Err, "panic with a value of type string")
	require.Equal(t, "other", e.ErrorType)
	require.False(t, e.Report.Complete)
	require.EqualValues(t, 10, e.Report.ReadRows)
	require.Contains(t, log.String(), "run ended")
	require.NotContains(t, log.String(), canary)

	for name, leave := range map[string]func(rxcql.Option){
		"in a loop": func(o rxcql.Option) {
			for range seq(100).All(t.Context(), o) {
				runtime.Goexit()
			}
		},
		"in a sink": func(o rxcql.Option) {
			to := &memory[int]{write: func(context.Context, *flow.Page[int]) error { runtime.Goexit(); return nil }}
			_, _ = pipeline(t, seq(100), to, o).Run(t.Context())
		},
		"in a sink of a job": func(o rxcql.Option) {
			to := &resuming{}
			to.write = func(context.Context, *flow.Page[int]) error { runtime.Goexit(); return nil }
			_, _ = pipeline(t, tens(2).Stream(), rxcql.Sink[int](to), rxcql.WithCheckpoint(&jobtest.Store{}, "job"), o).Run(t.Context())
		},
		"in a check": func(o rxcql.Option) {
			_, _ = pipeline(t, seq(100), &memory[int]{check: func() error { runtime.Goexit(); return nil }}, o).Run(t.Context())
		},
	} {
		n := &ends{}
		left := make(chan struct{})
		go func() {
			defer close(left)
			leave(n.hooks())
		}()
		<-left
		require.ErrorContains(t, n.one(t).Err, "Goexit", name)
		require.False(t, n.all[0].Report.Complete, name)
	}
}

func TestTheEndOfARunHasTheKindOfItsError(t *testing.T) {
	own := errors.New("shutdown")
	waits := rxcql.NewStream(rxcql.StageInfo{Name: "Own", Source: true}, func(ctx context.Context, _ *rxcql.Stage, _ flow.Observer[int]) error {
		<-ctx.Done()
		return context.Cause(ctx)
	})
	fails := func(err error) rxcql.Stream[int] {
		return rxcql.NewStream(rxcql.StageInfo{Name: "Own", Source: true}, func(ctx context.Context, st *rxcql.Stage, _ flow.Observer[int]) error {
			st.Run().Fail(err) // so that the context has ended too
			<-ctx.Done()
			return context.Cause(ctx)
		})
	}
	for name, c := range map[string]struct {
		in   rxcql.Stream[int]
		ctx  func(context.Context) (context.Context, context.CancelFunc)
		kind string
		err  error
	}{
		"none": {in: seq(10)},
		"a cancel": {in: waits, kind: "cancelled", err: context.Canceled, ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancel(ctx)
			time.AfterFunc(time.Second, cancel)
			return ctx, cancel
		}},
		"a cause": {in: waits, kind: "cancelled", err: own, ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
			ctx, cancel := context.WithCancelCause(ctx)
			time.AfterFunc(time.Second, func() { cancel(own) })
			return ctx, func() { cancel(nil) }
		}},
		"a deadline": {in: waits, kind: "cancelled", err: own, ctx: func(ctx context.Context) (context.Context, context.CancelFunc) {
			return context.WithTimeoutCause(ctx, time.Second, own)
		}},
		"a failure":            {in: fails(errTest), kind: "other", err: errTest},
		"a failure of a write": {in: fails(errLostAnswer), kind: "connection lost", err: errLostAnswer},
	} {
		alone(t, name, func(t *testing.T) {
			ctx, cancel := t.Context(), func() {}
			if c.ctx != nil {
				ctx, cancel = c.ctx(ctx)
			}
			defer cancel()
			n := &ends{}
			_, err := rxcql.Run(ctx, c.in, rxcql.Sink[int](&memory[int]{}), n.hooks())
			require.ErrorIs(t, err, c.err)
			require.ErrorIs(t, n.one(t).Err, c.err)
			require.Equal(t, c.kind, n.one(t).ErrorType)
		})
	}
}

func TestARunThatIsRefusedHasNoEnd(t *testing.T) {
	n := &ends{}
	var second error
	var p *rxcql.Pipeline
	p = pipeline(t, seq(10), &memory[int]{open: func(ctx context.Context, _ *rxcql.Stage) error {
		_, second = p.Run(ctx)
		return nil
	}}, n.hooks())
	_, err := p.Run(t.Context())
	require.NoError(t, err)
	require.ErrorIs(t, second, rxcql.ErrRunning)
	require.NoError(t, n.one(t).Err)
}

// A hook that panics at the end makes the run fail, and the log says so.
func TestTheLogHasWhatAHookDidAtTheEnd(t *testing.T) {
	var log bytes.Buffer
	hook := rxcql.Hooks{RunEnd: func(context.Context, rxcql.RunEvent) { panic("hook") }}
	opts := []rxcql.Option{rxcql.WithHooks(hook), rxcql.WithLogger(slog.New(slog.NewTextHandler(&log, nil)))}
	for range seq(100).All(t.Context(), opts...) {
		break
	}
	require.Contains(t, log.String(), "level=ERROR msg=\"run ended\"")
	require.Contains(t, log.String(), "stage Hooks: panic with a value of type string")
	log.Reset()
	_, err := seq(10).Count(t.Context(), opts...)
	require.ErrorIs(t, err, rxcql.ErrPanic)
	require.Contains(t, log.String(), "complete=false")
}
