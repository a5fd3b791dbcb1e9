package rxcqltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/rxcql/rxcql"
)

// CheckpointPlace is where a CheckpointStore keeps checkpoints: a folder, a table, a bucket. It is
// empty at first.
type CheckpointPlace struct {
	// Store makes a store on the place, as another process would: two stores share nothing but the
	// place.
	Store func() rxcql.CheckpointStore

	// OneJob: the place keeps the checkpoint of one job, whatever its name.
	OneJob bool

	// Expire ends the lock that a process has on a job, as when that process dies or is cut off.
	// Another process can then lock the job, and the first does not know of that yet. If Expire is
	// nil, the rules about lost locks are skipped.
	Expire func(job string)

	// Fail(true) makes every request to the place fail, as when the disk is full or the server
	// cannot be reached; Fail(false) makes it work again. If Fail is nil, the rules about failures
	// are skipped.
	Fail func(fail bool)

	// IgnoreGoroutines are functions of goroutines that may go on, such as
	// "net/http.(*persistConn)", because they belong to a client that is not the store's.
	// Goroutines that gocql starts are ignored anyway.
	IgnoreGoroutines []string
}

// TestCheckpointStore tests a CheckpointStore. It calls place once for each rule.
func TestCheckpointStore(t *testing.T, place func(t testing.TB) CheckpointPlace) {
	t.Helper()
	run(t, checkpointRules(), place)
}

func checkpointRules() []rule[CheckpointPlace] {
	return append(append(savingRules(), lockingRules()...), failingRules()...)
}

// anyJob is the name of the job in rules that need only one.
const anyJob = "a job"

// lock locks a job that is free. It is unlocked at the end of the rule.
func lock(t testing.TB, store rxcql.CheckpointStore, job string) rxcql.Checkpoint {
	t.Helper()
	var c rxcql.Checkpoint
	var err error
	within(t, "Lock of a job that is free", func() { c, err = store.Lock(t.Context(), job) })
	if err != nil {
		t.Fatalf("Lock of the job %q, which is free, failed: %v", job, err)
	}
	if c == nil {
		t.Fatalf("Lock returned no Checkpoint and no error")
	}
	return c
}

func unlock(t testing.TB, c rxcql.Checkpoint) {
	t.Helper()
	var err error
	within(t, "Unlock", func() { err = c.Unlock() })
	must(t, err, "Unlock")
}

func save(t testing.TB, c rxcql.Checkpoint, data []byte) {
	t.Helper()
	var err error
	within(t, "Save", func() { err = c.Save(t.Context(), data) })
	must(t, err, "Save")
}

// holds fails the test unless the checkpoint is one of wanted; no bytes stand for none.
func holds(t testing.TB, c rxcql.Checkpoint, when string, wanted ...[]byte) {
	t.Helper()
	var data []byte
	var err error
	within(t, "Load", func() { data, err = c.Load(t.Context()) })
	if err != nil {
		t.Fatalf("%s: Load failed: %v", when, err)
	}
	for _, w := range wanted {
		if bytes.Equal(data, w) && (data == nil) == (w == nil) {
			return
		}
	}
	if len(wanted) == 1 && wanted[0] == nil {
		t.Fatalf("%s: Load returned %s instead of nil", when, about(data))
	}
	for _, w := range wanted {
		t.Logf("it would be right to return %s", about(w))
	}
	t.Fatalf("%s: Load returned %s, which was not saved last", when, about(data))
}

// about describes bytes by their number and their beginning.
func about(data []byte) string {
	if data == nil {
		return "nil"
	}
	return fmt.Sprintf("%d bytes (%.40q)", len(data), data)
}

// refused fails the test unless the job is locked by another.
func refused(t testing.TB, store rxcql.CheckpointStore, when string) {
	t.Helper()
	var c rxcql.Checkpoint
	var err error
	within(t, "Lock of a job that another works on", func() { c, err = store.Lock(t.Context(), anyJob) })
	if err == nil {
		_ = c.Unlock()
		t.Fatalf("%s: a second Lock of the job succeeded", when)
	}
	if !errors.Is(err, rxcql.ErrCheckpointLocked) {
		t.Fatalf("%s: a second Lock of the job failed with an error that does not wrap ErrCheckpointLocked: %v", when, err)
	}
}

// lostSave saves under a lock that is no longer the caller's, which must fail.
func lostSave(t testing.TB, c rxcql.Checkpoint, when string, data []byte) {
	t.Helper()
	var err error
	within(t, "Save", func() { err = c.Save(t.Context(), data) })
	if !errors.Is(err, rxcql.ErrCheckpointLost) {
		t.Fatalf("%s: Save returned %v, which does not wrap ErrCheckpointLost", when, err)
	}
}

func isLost(c rxcql.Checkpoint) bool {
	select {
	case <-c.Lost():
		return true
	default:
		return false
	}
}

// tryLock locks a job for which another Lock may be under way, and waits until that has been given
// up.
func tryLock(t testing.TB, store rxcql.CheckpointStore, job string) (c rxcql.Checkpoint) {
	t.Helper()
	eventually(t, "Lock of a job that nobody works on any more", func() bool {
		var err error
		c, err = store.Lock(context.WithoutCancel(t.Context()), job)
		if err != nil && !errors.Is(err, rxcql.ErrCheckpointLocked) {
			t.Fatalf("Lock failed: %v", err)
		}
		return err == nil
	})
	return c
}
