//go:build unix

package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// endless is a pipeline that folds flights for ever; reading is told, once, when
// it has begun.
func endless(t *testing.T, write func(context.Context, Route) error) (p *rxcql.Pipeline, reading <-chan struct{}) {
	t.Helper()
	began := make(chan struct{})
	flights := source.Seq(func(yield func(Flight, error) bool) {
		for i := 0; ; i++ {
			if i == 1000 {
				close(began)
			}
			route := fmt.Sprint(i / 7) // pages end within a route
			if !yield(Flight{Origin: route, Destination: "B", Distance: 500}, nil) {
				return
			}
			if i > 1000 {
				time.Sleep(10 * time.Microsecond)
			}
		}
	})
	p, err := rxcql.New(byRoute(flights), sink.Each(write), rxcql.WithGrace(0))
	require.NoError(t, err)
	return p, began
}

func interrupt(t *testing.T) {
	t.Helper()
	require.NoError(t, syscall.Kill(syscall.Getpid(), syscall.SIGINT))
}

func TestTheFirstSignalStopsAFoldInOrder(t *testing.T) {
	ctx, s := catchSignals(context.Background())
	defer s.release()
	var written int64
	p, reading := endless(t, func(_ context.Context, r Route) error {
		if r.Flights != 7 {
			return errors.New("a route that is not whole was written")
		}
		written++
		return nil
	})
	stopping := false
	finished := make(chan struct{})
	var report rxcql.Report
	var err error
	go func() {
		defer close(finished)
		report, err = s.run(ctx, p, func() { stopping = true })
	}()
	<-reading
	interrupt(t)
	<-finished
	require.ErrorIs(t, err, errInterrupted)
	require.True(t, stopping)
	require.Equal(t, "Stop", report.EndedBy)
	require.Equal(t, written, report.Written)
	require.Equal(t, 130, s.exitCode())
	require.NoError(t, ctx.Err(), "the first signal does not cancel")
}

func TestASignalBeforeAPipelineBeginsStopsItToo(t *testing.T) {
	ctx, s := catchSignals(context.Background())
	defer s.release()
	interrupt(t)
	<-s.first
	p, _ := endless(t, func(context.Context, Route) error { return nil })
	_, err := s.run(ctx, p, func() {})
	require.ErrorIs(t, err, errInterrupted)
}

func TestTheSecondSignalCancelsWhatDoesNotStop(t *testing.T) {
	ctx, s := catchSignals(context.Background())
	defer s.release()
	stuck := make(chan struct{}, 1)
	p, _ := endless(t, func(ctx context.Context, _ Route) error {
		select {
		case stuck <- struct{}{}:
		default:
		}
		<-ctx.Done()
		return ctx.Err()
	})
	finished := make(chan error, 1)
	go func() {
		_, err := s.run(ctx, p, func() { interrupt(t) }) // at the first, the second follows
		finished <- err
	}()
	<-stuck
	interrupt(t)
	require.ErrorIs(t, <-finished, errInterrupted)
}

func TestASignalEndsWhatHasNothingToDrain(t *testing.T) {
	ctx, s := catchSignals(context.Background())
	defer s.release()
	setup, cancel := s.orderly(ctx)
	defer cancel()
	interrupt(t)
	<-setup.Done()
	require.ErrorIs(t, context.Cause(setup), errInterrupted)
	require.NoError(t, ctx.Err())
}
