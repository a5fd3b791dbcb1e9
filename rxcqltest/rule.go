package rxcqltest

import (
	"context"
	"errors"
	"sync"
	"testing"
	"time"
)

// rule is one thing that an implementation must do. P is the type of the place that it is tested
// on.
type rule[P any] struct {
	name  string
	check func(t testing.TB, place P)
}

// run tests every rule on a place of its own.
func run[P any](t *testing.T, rules []rule[P], place func(t testing.TB) P) {
	t.Helper()
	for _, r := range rules {
		t.Run(r.name, func(t *testing.T) { r.check(t, place(t)) })
	}
}

// need skips a rule if the place lacks a field that it needs.
func need(t testing.TB, has bool, field string) {
	t.Helper()
	if !has {
		t.Skipf("this rule was not tried: the place has no %s", field)
	}
}

// patience is how long a rule waits for what should happen at once. It only ends what hangs.
var patience = 3 * time.Minute

// within runs fn and fails the test if it does not return.
func within(t testing.TB, what string, fn func()) {
	t.Helper()
	returned := make(chan struct{})
	var call sync.WaitGroup
	call.Go(func() {
		defer close(returned)
		fn()
	})
	select {
	case <-returned:
	case <-time.After(patience):
		t.Fatalf("%s has not returned within %v", what, patience)
	}
}

// eventually asks until ok holds.
func eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("%s: not within %v", what, patience)
		}
	}
}

// must ends the test if something failed that has to work.
func must(t testing.TB, err error, what string) {
	t.Helper()
	if err != nil {
		t.Fatalf("%s failed: %v", what, err)
	}
}

// errCutOff is the cause of contexts that the suites end.
var errCutOff = errors.New("rxcqltest: the context was ended on purpose")

// ended returns a context that has ended.
func ended(t testing.TB) context.Context {
	ctx, end := context.WithCancelCause(t.Context())
	end(errCutOff)
	return ctx
}

// obeys reports whether an error says that a context of the suite has ended.
func obeys(err error) bool {
	return errors.Is(err, errCutOff) || errors.Is(err, context.Canceled)
}
