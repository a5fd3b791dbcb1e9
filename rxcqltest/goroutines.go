package rxcqltest

import (
	"bytes"
	"context"
	"fmt"
	"runtime/pprof"
	"strings"
	"sync/atomic"
	"testing"
)

// label marks the goroutines that a call starts, and those that these start.
const label = "rxcqltest"

var calls atomic.Int64

// leavesNothing calls fn, and fails the test if a goroutine that fn started, directly or not, does
// not end. It ignores goroutines of other tests, those with a function of ignored on their stack,
// and those that gocql started, which are connections that the session keeps.
func leavesNothing(t testing.TB, ignored []string, fn func(ctx context.Context)) {
	t.Helper()
	id := fmt.Sprint(calls.Add(1))
	pprof.Do(t.Context(), pprof.Labels(label, id), fn)
	var left []string
	defer func() {
		if t.Failed() && len(left) > 0 {
			t.Logf("left running:\n%s", strings.Join(left, "\n\n"))
		}
	}()
	eventually(t, "goroutines that were started have ended", func() bool {
		left = running(t, id, ignored)
		return len(left) == 0
	})
}

// running returns the stacks of goroutines with the label.
func running(t testing.TB, id string, ignored []string) (stacks []string) {
	var all bytes.Buffer
	must(t, pprof.Lookup("goroutine").WriteTo(&all, 1), "the profile of goroutines")
	for stack := range strings.SplitSeq(all.String(), "\n\n") {
		if strings.Contains(stack, fmt.Sprintf("%q:%q", label, id)) && !isIgnored(stack, ignored) {
			stacks = append(stacks, stack)
		}
	}
	return stacks
}

func isIgnored(stack string, ignored []string) bool {
	for _, function := range ignored {
		if strings.Contains(stack, function) {
			return true
		}
	}
	lines := strings.Split(strings.TrimSpace(stack), "\n") // the last line is the function that the goroutine began with
	return strings.Contains(lines[len(lines)-1], "github.com/gocql/gocql.")
}
