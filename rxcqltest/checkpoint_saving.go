package rxcqltest

import (
	"bytes"
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/rxcql/rxcql"
)

// largeCheckpoint is the size of a checkpoint that every store must take: a job has a position of a
// few hundred bytes for each range that has begun.
const largeCheckpoint = 4 << 20

// samples are checkpoints that a store might not return as they were.
func samples() [][]byte {
	all := make([]byte, 256)
	for i := range all {
		all[i] = byte(i)
	}
	return [][]byte{
		[]byte("first"), {0}, []byte("\x00\x00"), all, []byte(" spaces \r\n\n"), []byte("\xff\xfe not UTF-8"),
		[]byte(`{"b": 1.0, "a" : [ ] }` + "\n"), bytes.Repeat([]byte("long"), 5000), []byte("0"), []byte("same"), []byte("same"), []byte("null"),
	}
}

// savingRules are about what is saved and loaded.
func savingRules() []rule[CheckpointPlace] {
	return []rule[CheckpointPlace]{
		{"Where nothing was saved Load returns nil and no error", func(t testing.TB, p CheckpointPlace) {
			c := lock(t, p.Store(), anyJob)
			holds(t, c, "before anything was saved", nil)
			unlock(t, c)
			c = lock(t, p.Store(), anyJob)
			holds(t, c, "after a lock under which nothing was saved", nil)
			unlock(t, c)
		}},
		{"Load returns byte for byte what was saved last", func(t testing.TB, p CheckpointPlace) {
			store := p.Store()
			c := lock(t, store, anyJob)
			var last []byte
			for _, data := range samples() {
				save(t, c, data)
				holds(t, c, "after a Save", data)
				last = data
			}
			unlock(t, c)
			for _, other := range []rxcql.CheckpointStore{store, p.Store()} {
				c = lock(t, other, anyJob)
				holds(t, c, "under the next lock", last)
				unlock(t, c)
			}
		}},
		{"A checkpoint of 4 MiB is saved whole", func(t testing.TB, p CheckpointPlace) {
			large := bytes.Repeat([]byte("0123456789abcdef"), largeCheckpoint/16)
			copy(large[largeCheckpoint-4:], "end.")
			c := lock(t, p.Store(), anyJob)
			save(t, c, large)
			unlock(t, c)
			c = lock(t, p.Store(), anyJob)
			holds(t, c, "after a large Save", large)
			save(t, c, []byte("small"))
			holds(t, c, "after a small Save over a large one", []byte("small"))
			unlock(t, c)
		}},
		{"What was saved is durable when Save returns", func(t testing.TB, p CheckpointPlace) {
			need(t, p.Expire != nil, "Expire")
			c := lock(t, p.Store(), anyJob)
			save(t, c, []byte("durable"))
			p.Expire(anyJob)
			other := tryLock(t, p.Store(), anyJob)
			holds(t, other, "after a Save whose process died right after it", []byte("durable"))
			unlock(t, other)
			_ = c.Unlock()
		}},
		{"The bytes belong to the caller before and after", func(t testing.TB, p CheckpointPlace) {
			c := lock(t, p.Store(), anyJob)
			data := []byte("as it was")
			save(t, c, data)
			copy(data, "XX XX XXX")
			holds(t, c, "after the bytes given to Save were changed", []byte("as it was"))
			loaded, err := c.Load(t.Context())
			must(t, err, "Load")
			copy(loaded, "XX XX XXX")
			holds(t, c, "after the bytes that Load returned were changed", []byte("as it was"))
			unlock(t, c)
		}},
		{"Jobs have checkpoints of their own whatever their names", jobsOfTheirOwn},
	}
}

// names has names of jobs that a store might confuse.
func names() []string {
	return []string{
		"job", "Job", "job ", " job", "job/", "job/1", "job/2", "job.1", "job_1", "job%2F1", "../job", ".", "..", `job\1`, "job:1", "job'1", `job"1"`,
		"job;DROP TABLE jobs", "job\n1", "job\x001", "job*", "job?", "größe", "gro\u0308ße", "仕事", "null", "0", "-", "con", strings.Repeat("long", 60),
	}
}

func jobsOfTheirOwn(t testing.TB, p CheckpointPlace) {
	if p.OneJob {
		t.Skip("this rule was not tried: the place keeps the checkpoint of one job")
	}
	store := p.Store()
	var locks []rxcql.Checkpoint
	for _, name := range names() {
		c, err := store.Lock(t.Context(), name)
		if err != nil {
			t.Errorf("Lock of the job %q failed while others were locked: %v", name, err)
			continue
		}
		holds(t, c, fmt.Sprintf("job %q, before anything was saved for it", name), nil)
		save(t, c, []byte("of "+name+"."))
		locks = append(locks, c)
	}
	for _, c := range locks {
		unlock(t, c)
	}
	if t.Failed() {
		return
	}
	store = p.Store()
	for _, name := range names() {
		c := lock(t, store, name)
		holds(t, c, fmt.Sprintf("job %q, after others were saved", name), []byte("of "+name+"."))
		unlock(t, c)
	}
}

// lockAnd locks the job, saves data and unlocks it.
func lockAnd(t testing.TB, p CheckpointPlace, data []byte) {
	t.Helper()
	c := lock(t, p.Store(), anyJob)
	save(t, c, data)
	unlock(t, c)
}

// trySave saves with a context, and returns the error.
func trySave(ctx context.Context, t testing.TB, c rxcql.Checkpoint, data []byte) (err error) {
	t.Helper()
	within(t, "Save", func() { err = c.Save(ctx, data) })
	return err
}
