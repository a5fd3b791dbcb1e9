package main

import (
	"context"
	"errors"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"

	"github.com/rxcql/rxcql"
)

// errInterrupted is how everything ends that a signal ended.
var errInterrupted = errors.New("interrupted")

// signals turns SIGINT and SIGTERM into an orderly end: the first stops the
// reading, the second cancels. Only programs do this; the toolkit itself
// installs no signal handlers.
type signals struct {
	first  chan struct{} // closed by the first signal
	number atomic.Int32

	ended chan struct{}
	watch sync.WaitGroup
}

// catchSignals returns a context that the second signal cancels.
func catchSignals(ctx context.Context) (context.Context, *signals) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &signals{first: make(chan struct{}), ended: make(chan struct{})}
	caught := make(chan os.Signal, 2)
	signal.Notify(caught, syscall.SIGINT, syscall.SIGTERM)
	// Else a reader that goes away ("etl | head") would end the program before
	// it has cleaned up; now it is an error of the write.
	signal.Ignore(syscall.SIGPIPE)
	s.watch.Go(func() {
		defer signal.Stop(caught)
		for {
			select {
			case sig := <-caught:
				if number, ok := sig.(syscall.Signal); ok && s.number.CompareAndSwap(0, int32(number)) {
					close(s.first)
					continue
				}
				cancel(errInterrupted)
			case <-s.ended:
				cancel(nil)
				return
			}
		}
	})
	return ctx, s
}

// release gives the signals back to the system.
func (s *signals) release() {
	close(s.ended)
	s.watch.Wait()
}

// exitCode is what shells expect of a program ended by a signal, 0 if none came.
func (s *signals) exitCode() int {
	if n := s.number.Load(); n != 0 {
		return 128 + int(n)
	}
	return 0
}

// orderly returns a context that the first signal cancels: for what has nothing
// to drain.
func (s *signals) orderly(ctx context.Context) (context.Context, func()) {
	ctx, cancel := context.WithCancelCause(ctx)
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-s.first:
			cancel(errInterrupted)
		case <-done:
		}
	})
	return ctx, func() {
		close(done)
		watch.Wait()
		cancel(nil)
	}
}

// run runs a pipeline that the first signal stops.
func (s *signals) run(ctx context.Context, p *rxcql.Pipeline, stopping func()) (rxcql.Report, error) {
	done := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		select {
		case <-s.first:
			stopping()
			p.Stop()
		case <-done:
		}
	})
	report, err := p.Run(ctx)
	close(done)
	watch.Wait()
	if err == nil && report.EndedBy == rxcql.EndedByStop {
		err = errInterrupted
	}
	return report, err
}
