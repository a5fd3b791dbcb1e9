package sink

import (
	"errors"
	"sync"

	"github.com/rxcql/rxcql"
)

// errFailed stands for the failure that a writer has already.
var errFailed = errors.New("the sink has failed")

// errGivenUp is why a request was not sent that still waited for its turn when the stream had
// failed. It is no failure of its own.
var errGivenUp = errors.New("given up, because the stream has failed")

// failure keeps the first error of what a writer does in the background, and ends the run with it.
type failure struct {
	run  *rxcql.Execution
	once sync.Once
	done chan struct{} // closed with the first error
	err  error         // set before done is closed
}

func newFailure(r *rxcql.Execution) *failure { return &failure{run: r, done: make(chan struct{})} }

func (f *failure) set(err error) {
	if unsent := (*notSentError)(nil); errors.As(err, &unsent) {
		if err = unsent.cause; errors.Is(err, errGivenUp) {
			return
		}
	}
	f.once.Do(func() {
		f.err = err
		close(f.done)
		f.run.Fail(err)
	})
}

// get returns the error; nil as long as there is none.
func (f *failure) get() error {
	select {
	case <-f.done:
		return f.err
	default:
		return nil
	}
}

// or returns the failure instead of an error that only echoes it.
func (f *failure) or(err error) error {
	if err == nil {
		return f.get()
	}
	if errors.Is(err, errFailed) {
		return f.err
	}
	return err
}
