package fleet

import (
	"fmt"
	"path"
	"runtime"
	"strings"

	"github.com/rxcql/rxcql"
)

// frames is how many calls a fault names.
const frames = 6

// Fault returns the error of a panic, for the deferred function that has recovered it. It says
// where the panic came from. Of what was passed to panic it has the type alone, since that may be a
// value of a row, unless it is an error of the runtime.
func Fault(v any) error {
	what := fmt.Sprintf("%T", v)
	if err, ok := v.(runtime.Error); ok {
		what = err.Error()
	}
	calls := make([]uintptr, 64)
	calls = calls[:runtime.Callers(2, calls)]
	var where []string
	panicked := false // what lies in front of the panic is the function that has recovered
	for each := runtime.CallersFrames(calls); ; {
		call, more := each.Next()
		inside := strings.HasPrefix(call.Function, "runtime.")
		panicked = panicked || call.Function == "runtime.gopanic"
		if panicked && !inside && len(where) < frames {
			where = append(where, fmt.Sprintf("%s (%s:%d)", path.Base(call.Function), path.Base(call.File), call.Line))
		}
		if !more {
			break
		}
	}
	return &faultError{fmt.Sprintf("a fault of rxcql itself, which its authors want to know of: panic: %s, in %s", what, strings.Join(where, ", from "))}
}

// faultError is an rxcql.ErrPanic in the words of the command: the function that has panicked is
// none of the user's.
type faultError struct{ text string }

func (e *faultError) Error() string { return e.text }

// Is makes errors.Is(err, rxcql.ErrPanic) hold.
func (e *faultError) Is(target error) bool { return target == rxcql.ErrPanic }
