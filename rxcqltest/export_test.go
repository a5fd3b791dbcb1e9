package rxcqltest

import (
	"fmt"
	"runtime"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// Rules are the rules of a suite, for tests of the suite itself.
type Rules[P any] []rule[P]

var (
	CheckpointRules Rules[CheckpointPlace] = checkpointRules()
	LetterRules     Rules[DeadLetterPlace] = letterRules()
)

// SinkRules are those of TestSink.
func SinkRules[T any]() Rules[SinkPlace[T]] { return sinkRules[T]() }

// OperatorRules are those of TestOperator.
func OperatorRules[A, B any]() Rules[OperatorPlace[A, B]] { return operatorRules[A, B]() }

// SourceRules are those of TestSource.
func SourceRules[T any]() Rules[SourcePlace[T]] { return sourceRules[T]() }

// Names are their sentences.
func (rules Rules[P]) Names() (names []string) {
	for _, r := range rules {
		names = append(names, r.name)
	}
	return names
}

// Broken tries every rule, and returns those that the implementation breaks, or that
// were skipped, with what was said of each. What hangs in the rule named hangs is soon
// found out; in the others it is given the time that it has in users' tests.
func (rules Rules[P]) Broken(t *testing.T, place func(t testing.TB) P, hangs string) map[string]string {
	return rules.broken(t, place, hangs, func(t *testing.T, try func(t *testing.T)) { try(t) })
}

// BrokenInBubble is Broken where each rule is tried in a bubble of testing/synctest: one that
// gives others some time is sure then that they have used it.
func (rules Rules[P]) BrokenInBubble(t *testing.T, place func(t testing.TB) P, hangs string) map[string]string {
	return rules.broken(t, place, hangs, synctest.Test)
}

func (rules Rules[P]) broken(t *testing.T, place func(t testing.TB) P, hangs string, in func(*testing.T, func(*testing.T))) map[string]string {
	broken := map[string]string{}
	for _, r := range rules {
		was := patience
		if r.name == hangs {
			patience = 300 * time.Millisecond
		}
		rec := &recorder{}
		in(t, func(t *testing.T) {
			rec.TB = t
			done := make(chan struct{})
			go func() {
				defer close(done)
				r.check(rec, place(rec))
			}()
			<-done
			rec.cleanUp()
		})
		patience = was
		if rec.failed || rec.skipped {
			broken[r.name] = rec.said
		}
	}
	return broken
}

// recorder is a testing.TB that notes what is said to it.
type recorder struct {
	testing.TB
	mu       sync.Mutex
	failed   bool
	skipped  bool
	said     string
	cleanups []func()
}

func (r *recorder) cleanUp() {
	for i := len(r.cleanups) - 1; i >= 0; i-- {
		r.cleanups[i]()
	}
}

func (r *recorder) note(failed, skipped bool, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.failed, r.skipped = r.failed || failed, r.skipped || skipped
	r.said += text + "\n"
}

func (r *recorder) Helper()                        {}
func (r *recorder) Cleanup(fn func())              { r.cleanups = append(r.cleanups, fn) }
func (r *recorder) Log(args ...any)                { r.note(false, false, fmt.Sprint(args...)) }
func (r *recorder) Logf(format string, a ...any)   { r.note(false, false, fmt.Sprintf(format, a...)) }
func (r *recorder) Error(args ...any)              { r.note(true, false, fmt.Sprint(args...)) }
func (r *recorder) Errorf(format string, a ...any) { r.note(true, false, fmt.Sprintf(format, a...)) }
func (r *recorder) Fail()                          { r.note(true, false, "") }

func (r *recorder) FailNow() {
	r.Fail()
	runtime.Goexit()
}

func (r *recorder) Fatal(args ...any) {
	r.Error(args...)
	runtime.Goexit()
}

func (r *recorder) Fatalf(format string, a ...any) {
	r.Errorf(format, a...)
	runtime.Goexit()
}

func (r *recorder) Skip(args ...any) {
	r.note(false, true, fmt.Sprint(args...))
	runtime.Goexit()
}

func (r *recorder) Skipf(format string, a ...any) {
	r.note(false, true, fmt.Sprintf(format, a...))
	runtime.Goexit()
}

func (r *recorder) SkipNow() { r.Skip() }

func (r *recorder) Failed() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.failed
}

func (r *recorder) Skipped() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.skipped
}

// Said is what a test that fails says.
func Said(t *testing.T, test func(t testing.TB)) string {
	rec := &recorder{TB: t}
	done := make(chan struct{})
	go func() {
		defer close(done)
		test(rec)
	}()
	<-done
	rec.cleanUp()
	if !rec.failed {
		return ""
	}
	return rec.said
}
