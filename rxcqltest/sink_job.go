package rxcqltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/saved"
)

// errKilled stands for the end of the process: nothing more can be saved.
var errKilled = errors.New("rxcqltest: killed on purpose")

// jobRules are about jobs with a checkpoint.
func jobRules[T any]() []rule[SinkPlace[T]] {
	return []rule[SinkPlace[T]]{
		{"A job that is interrupted again and again passes no row that is not durable", brokenOff[T]},
		{"A job that is complete is known again by the names of the sink's stages", func(t testing.TB, p SinkPlace[T]) {
			store := &savedStates{}
			r := p.newRun()
			r.unwatched = true
			r.opts = append(r.opts, rxcql.WithCheckpoint(store, anyJob, rxcql.RunOnce()))
			_, err := r.run(t.Context(), t)
			must(t, err, "a job")
			r = p.newRun()
			r.unwatched = true
			r.opts = append(r.opts, rxcql.WithCheckpoint(store, anyJob, rxcql.RunOnce()))
			rep, err := r.run(t.Context(), t)
			must(t, err, "a run, with RunOnce, of a job that was complete")
			if rep.ReadRows != 0 || !rep.Complete {
				t.Fatalf("it has read %d rows", rep.ReadRows)
			}
			p.hasOnce(t, "after a job that was complete was run again")
		}},
	}
}

// needsBarrier reports whether a sink cannot bear a row twice.
func needsBarrier(sink rxcql.AnySink) bool {
	info := sink.Info()
	return info.Barrier || slices.ContainsFunc(info.Sinks, needsBarrier)
}

// brokenOff interrupts a job in several ways, has it complete, and checks for each checkpoint that
// what it counts as settled is durable.
func brokenOff[T any](t testing.TB, p SinkPlace[T]) {
	src := numbered()
	var mu sync.Mutex
	passed := ""
	store := &savedStates{seen: func(state *saved.State) error {
		rows, err := settled(src, state)
		if err != nil {
			return err
		}
		there := p.counts()
		mu.Lock()
		defer mu.Unlock()
		for _, n := range rows {
			if there[n] == 0 && passed == "" {
				passed = fmt.Sprintf("a checkpoint counts row %d as settled, and it is not durable", n)
			}
		}
		return nil
	}}
	barrier := false
	for _, how := range []string{"cancel", "error", "kill", "cancel", "stop", "none"} {
		r := p.newRun()
		r.unwatched = true
		barrier = needsBarrier(r.sink)
		r.opts = append(r.opts, rxcql.WithCheckpoint(store, anyJob, rxcql.CheckpointInterval(10*time.Millisecond)))
		ctx, cancel := context.WithCancelCause(t.Context())
		breakOff(r, store, how, cancel)
		rep, err := r.run(ctx, t)
		cancel(nil)
		store.FailSave = nil
		mu.Lock()
		if passed != "" {
			t.Fatalf("in a run that was interrupted by %s: %s", how, passed)
		}
		mu.Unlock()
		if rep.BytesInFlight != 0 {
			t.Fatalf("after a run that was interrupted by %s, %d bytes of the budget were not given back", how, rep.BytesInFlight)
		}
		if err != nil && !slices.ContainsFunc([]error{errCutOff, errSource, errKilled}, func(e error) bool { return errors.Is(err, e) }) {
			t.Fatalf("a run of the job, to be interrupted by %s, failed: %v", how, err)
		}
		if rep.Complete {
			break
		}
		if how == "none" {
			t.Fatalf("the last run of the job is not complete: %v", err)
		}
	}
	there := p.counts()
	for n := range jobRows {
		if there[n] == 0 {
			t.Fatalf("the job is complete, and row %d is not there", n)
		}
		if barrier && there[n] != 1 {
			t.Fatalf("the sink says that it holds each row once, and row %d is there %d times", n, there[n])
		}
	}
}

// breakOff has a run end early.
func breakOff[T any](r *sinkRun[T], store *savedStates, how string, cancel context.CancelCauseFunc) {
	const after = 3 * pageRows
	r.before = func(_ context.Context, pipeline *rxcql.Pipeline, rows int) {
		time.Sleep(3 * time.Millisecond) // so that there are saves meanwhile
		switch {
		case rows < after:
		case how == "cancel":
			cancel(errCutOff)
		case how == "stop":
			pipeline.Stop()
		}
	}
	switch how {
	case "error":
		r.fails = func(rows int) error {
			if rows >= after {
				return errSource
			}
			return nil
		}
	case "kill":
		saves := 0
		store.FailSave = func(int) error {
			if saves++; saves > 2 { // after the saves that come before the first page
				return errKilled
			}
			return nil
		}
	}
}
