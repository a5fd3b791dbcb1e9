package rxcqltest

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/rxcql/rxcql"
)

// failingRules are about failures.
func failingRules() []rule[CheckpointPlace] {
	return []rule[CheckpointPlace]{
		{"After a context has ended nothing is locked, loaded or saved", func(t testing.TB, p CheckpointPlace) {
			lockAnd(t, p, []byte("old"))
			store := p.Store()
			var err error
			within(t, "Lock with a context that has ended", func() { _, err = store.Lock(ended(t), anyJob) })
			if !obeys(err) {
				t.Fatalf("Lock with a context that has ended returned %v instead of the context's error", err)
			}
			c := lock(t, store, anyJob)
			within(t, "Load with a context that has ended", func() { _, err = c.Load(ended(t)) })
			if !obeys(err) {
				t.Fatalf("Load with a context that has ended returned %v instead of the context's error", err)
			}
			if err = trySave(ended(t), t, c, []byte("new")); !obeys(err) {
				t.Fatalf("Save with a context that has ended returned %v instead of the context's error", err)
			}
			holds(t, c, "after a Save with a context that had ended", []byte("old"))
			unlock(t, c)
		}},
		{"A Save that is cut off has saved the whole or nothing", func(t testing.TB, p CheckpointPlace) {
			was := bytes.Repeat([]byte("old"), 50_000)
			lockAnd(t, p, was)
			c := lock(t, p.Store(), anyJob)
			for looks := range mostLooks {
				data := bytes.Repeat([]byte{byte('a' + looks)}, 100_000)
				err := trySave(newFuse(t.Context(), looks), t, c, data)
				if err == nil {
					holds(t, c, "after a Save that was not cut off in the end", data)
					break
				}
				holds(t, c, "after a Save that was cut off", was, data)
				if was, err = c.Load(t.Context()); err != nil {
					t.Fatalf("Load failed after a Save that was cut off: %v", err)
				}
			}
			save(t, c, []byte("the last"))
			holds(t, c, "after saves that were cut off and one that was not", []byte("the last"))
			unlock(t, c)
		}},
		{"A Save that fails says so and leaves the checkpoint whole", func(t testing.TB, p CheckpointPlace) {
			need(t, p.Fail != nil, "Fail")
			was, is := bytes.Repeat([]byte("old"), 50_000), bytes.Repeat([]byte("new"), 30_000)
			c := lock(t, p.Store(), anyJob)
			save(t, c, was)
			p.Fail(true)
			err := trySave(t.Context(), t, c, is)
			p.Fail(false)
			if err == nil {
				t.Fatalf("Save returned nil while the place failed")
			}
			_ = c.Unlock()
			c = tryLock(t, p.Store(), anyJob)
			holds(t, c, "after a Save that failed", was, is)
			unlock(t, c)
		}},
		{"A checkpoint that cannot be read is an error and never none", func(t testing.TB, p CheckpointPlace) {
			need(t, p.Fail != nil, "Fail")
			lockAnd(t, p, []byte("there"))
			c := lock(t, p.Store(), anyJob)
			var data []byte
			var err error
			p.Fail(true)
			within(t, "Load", func() { data, err = c.Load(t.Context()) })
			if err == nil {
				t.Fatalf("Load returned %s and no error while the place failed", about(data))
			}
			within(t, "Unlock", func() { _ = c.Unlock() })
			p.Fail(false)
			c = tryLock(t, p.Store(), anyJob)
			holds(t, c, "after a Load that failed", []byte("there"))
			unlock(t, c)
		}},
		{"A Lock that fails says so and keeps nobody out", func(t testing.TB, p CheckpointPlace) {
			need(t, p.Fail != nil, "Fail")
			var err error
			store := p.Store()
			p.Fail(true)
			within(t, "Lock", func() { _, err = store.Lock(t.Context(), anyJob) })
			p.Fail(false)
			if err == nil {
				t.Fatalf("Lock returned no error while the place failed")
			}
			if errors.Is(err, rxcql.ErrCheckpointLocked) {
				t.Fatalf("Lock says that another works on the job, while the place failed: %v", err)
			}
			unlock(t, tryLock(t, p.Store(), anyJob))
		}},
		{"Errors show nothing of what is saved", func(t testing.TB, p CheckpointPlace) {
			const secret = "s3cret"
			c := lock(t, p.Store(), anyJob)
			save(t, c, []byte(secret))
			errs := []error{trySave(ended(t), t, c, []byte(secret))}
			_, err := c.Load(ended(t))
			errs = append(errs, err)
			if p.Fail != nil {
				p.Fail(true)
				errs = append(errs, trySave(t.Context(), t, c, []byte(secret)))
				_, err = c.Load(t.Context())
				errs = append(errs, err)
				p.Fail(false)
			}
			_ = c.Unlock()
			errs = append(errs, trySave(t.Context(), t, c, []byte(secret)))
			if err := errors.Join(errs...); err != nil && strings.Contains(err.Error(), secret) {
				t.Fatalf("an error shows the bytes of the checkpoint: %v", err)
			}
		}},
		{"A job that is interrupted goes on, and begins anew when it was complete", jobGoesOn},
	}
}
