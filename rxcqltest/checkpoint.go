package rxcqltest

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/rxcql/rxcql"
)

// CheckpointPlace is where a CheckpointStore keeps checkpoints: a folder, a table, a
// bucket. It is empty at first.
type CheckpointPlace struct {
	// Store makes a store on the place, as another process would: all that two of
	// them share is the place.
	Store func() rxcql.CheckpointStore

	// OneJob: the place keeps the checkpoint of one job, whatever its name.
	OneJob bool

	// Expire ends the lock that somebody has on a job, as it ends when that process
	// dies or is cut off: another one can lock the job then, and the one before does
	// not know yet. If it is nil, the rules about lost locks are not tried.
	Expire func(job string)

	// Fail makes everything that is asked of the place fail, and with false makes it
	// work again: the disk is full, the server cannot be reached. If it is nil, the
	// rules about failures are not tried.
	Fail func(fail bool)

	// IgnoreGoroutines are functions of goroutines that may go on, such as
	// "net/http.(*persistConn)", because they belong to a client that is not the
	// store's. Those that gocql starts are ignored anyhow.
	IgnoreGoroutines []string
}

// TestCheckpointStore tests a CheckpointStore. It calls place for each rule.
func TestCheckpointStore(t *testing.T, place func(t testing.TB) CheckpointPlace) {
	t.Helper()
	run(t, checkpointRules(), place)
}

func checkpointRules() []rule[CheckpointPlace] {
	return append(append(savingRules(), lockingRules()...), failingRules()...)
}

// anyJob is the name of the job where one is enough.
const anyJob = "a job"

// lock locks a job that is free. The lock is given up at the end of the rule.
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

// holds fails the test unless the checkpoint is one of these; no bytes are none.
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

// refused fails the test unless the job is locked by somebody else.
func refused(t testing.TB, store rxcql.CheckpointStore, when string) {
	t.Helper()
	var c rxcql.Checkpoint
	var err error
	within(t, "Lock of a job that somebody else works on", func() { c, err = store.Lock(t.Context(), anyJob) })
	if err == nil {
		_ = c.Unlock()
		t.Fatalf("%s: a second Lock of the job succeeded", when)
	}
	if !errors.Is(err, rxcql.ErrCheckpointLocked) {
		t.Fatalf("%s: a second Lock of the job failed with an error that does not wrap ErrCheckpointLocked: %v", when, err)
	}
}

// lostSave saves with a lock that is no longer the caller's, which must fail.
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

// tryLock locks a job that somebody may have been about to lock, and waits until
// that has been given up.
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
