// Package leak says which goroutines tests have left. It looks as goleak does and takes its
// options, but it waits for those that are about to end: goleak gives up after 0.4 s, and a
// goroutine that ends by itself may take longer on a slow machine, or sleep. (The driver sleeps
// for up to three seconds where a session is closed while it connects to a node.)
package leak

import (
	"fmt"
	"io"
	"os"
	"time"

	"go.uber.org/goleak"
)

// patience is for how long a goroutine may go on before it counts as left. Only for a
// goroutine that does not end does anything wait that long.
const patience = time.Minute

// Main is the body of a package's TestMain: it runs the tests and ends the program, with exit code
// 1 where tests passed and left a goroutine.
func Main(m interface{ Run() int }, options ...goleak.Option) {
	os.Exit(after(m.Run(), os.Stderr, patience, options))
}

// after is the exit code of tests that ended with the given one.
func after(code int, out io.Writer, patience time.Duration, options []goleak.Option) int {
	if code != 0 { // a failed test may well have left goroutines: what it says matters more
		return code
	}
	if err := find(patience, options); err != nil {
		fmt.Fprintf(out, "FAIL: goroutines are left after the tests: %v\n", err)
		return 1
	}
	return 0
}

// Find gives nil as soon as no goroutine is left, and an error that names those that are still
// there after a minute.
func Find(options ...goleak.Option) error { return find(patience, options) }

func find(patience time.Duration, options []goleak.Option) error {
	for end := time.Now().Add(patience); ; {
		if err := goleak.Find(options...); err == nil || time.Now().After(end) {
			return err
		}
	}
}

// None fails a test that has left a goroutine, as Find does.
func None(t interface {
	Helper()
	Error(args ...any)
}, options ...goleak.Option,
) {
	t.Helper()
	if err := Find(options...); err != nil {
		t.Error(err)
	}
}
