package verbs

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"syscall"

	"golang.org/x/sync/errgroup"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
)

// Signals turns SIGINT and SIGTERM into an orderly end: the first stops what runs, if that can be
// stopped in order, and the second cancels. A third one ends the process as the system would.
type Signals struct {
	cancel context.CancelCauseFunc
	caught chan os.Signal
	over   context.CancelFunc
	group  errgroup.Group

	mu   sync.Mutex
	stop func() // nil while nothing runs that can be stopped in order
	came int
}

// catchSignals returns a context that a signal cancels.
func catchSignals(ctx context.Context) (context.Context, *Signals) {
	ctx, cancel := context.WithCancelCause(ctx)
	s := &Signals{cancel: cancel, caught: make(chan os.Signal, 3)}
	signal.Notify(s.caught, syscall.SIGINT, syscall.SIGTERM)
	// Else a reader that goes away ("rxcql unload -o - | head") would end the program in the middle of
	// its work. So it is an error of the write.
	signal.Ignore(syscall.SIGPIPE)
	over, end := context.WithCancel(context.Background())
	s.over = end
	s.group.Go(func() error {
		for {
			select {
			case <-s.caught:
				s.signal()
			case <-over.Done():
				return nil
			}
		}
	})
	return ctx, s
}

func (s *Signals) signal() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.came++
	switch {
	case s.came == 1 && s.stop != nil:
		s.stop()
	case s.came <= 2:
		s.cancel(fleet.ErrStopped)
	default:
		signal.Reset(syscall.SIGINT, syscall.SIGTERM)
		if self, err := os.FindProcess(os.Getpid()); err == nil {
			_ = self.Signal(syscall.SIGTERM) // if it cannot be sent, the next signal of the user's ends the process
		}
	}
}

// release gives the signals back to the system.
func (s *Signals) release() {
	signal.Stop(s.caught)
	s.over()
	_ = s.group.Wait() // it returns no error
	s.cancel(nil)
}

// stoppable says how the first signal stops what runs from now on, until the returned function is
// called. A signal that has come before cancelled already.
func (s *Signals) stoppable(stop func()) (over func()) {
	if s == nil {
		return func() {}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.stop = stop
	return func() {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.stop = nil
	}
}
