package rxcqltest

import (
	"context"
	"errors"
	"testing"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
)

const (
	jobParts = 3
	partRows = 20
	jobRows  = jobParts * partRows
	pageRows = 4
)

// numbered is a source of the numbers from 0 to jobRows-1 in several parts, whose pages come in
// turn.
func numbered() *jobtest.Parts[int] {
	src := &jobtest.Parts[int]{Name: "Numbers", PageRows: pageRows, Seed: 1}
	for part := range jobParts {
		rows := make([]int, partRows)
		for i := range rows {
			rows[i] = part*partRows + i
		}
		src.Rows = append(src.Rows, rows)
	}
	return src
}

// jobGoesOn interrupts a job several times, has it complete, and checks what the next runs do.
func jobGoesOn(t testing.TB, p CheckpointPlace) {
	to := &notes[int]{}
	settled := int64(0)
	for range 3 {
		ctx, cancel := context.WithCancelCause(t.Context())
		begin := len(to.rows)
		to.at = func(n int) {
			if n == begin+2*pageRows+1 { // two pages are settled
				cancel(errCutOff)
			}
		}
		rep, err := runJob(ctx, t, p, to)
		cancel(nil)
		if !errors.Is(err, errCutOff) {
			t.Fatalf("a run that was cancelled ended with %v, not with the reason for that", err)
		}
		if rep.ResumedRows != settled {
			t.Fatalf("a run went on after %d rows, and those before had settled %d", rep.ResumedRows, settled)
		}
		settled += 2 * pageRows
	}
	to.at = nil
	rep, err := runJob(t.Context(), t, p, to)
	must(t, err, "the run that completes the job")
	if rep.ResumedRows != settled || rep.ReadRows != jobRows-settled {
		t.Fatalf("the run that completes the job went on after %d rows and read %d; %d of %d rows were settled before",
			rep.ResumedRows, rep.ReadRows, settled, jobRows)
	}
	seen := map[int]bool{}
	for _, row := range to.rows {
		seen[row] = true
	}
	if len(seen) != jobRows {
		t.Fatalf("%d of %d rows came, over all runs of the job", len(seen), jobRows)
	}
	rep, err = runJob(t.Context(), t, p, to, rxcql.RunOnce())
	must(t, err, "a run of a complete job with RunOnce")
	if rep.ReadRows != 0 {
		t.Fatalf("a run with RunOnce of a job that was complete has read %d rows", rep.ReadRows)
	}
	rep, err = runJob(t.Context(), t, p, to)
	must(t, err, "a run of a complete job")
	if rep.ReadRows != jobRows {
		t.Fatalf("a run of a job that was complete has read %d of %d rows", rep.ReadRows, jobRows)
	}
}

func runJob(ctx context.Context, t testing.TB, p CheckpointPlace, to rxcql.Sink[int], opts ...rxcql.CheckpointOption) (rep rxcql.Report, err error) {
	t.Helper()
	pipeline, err := rxcql.New(numbered().Stream(), to, rxcql.WithCheckpoint(p.Store(), anyJob, opts...))
	must(t, err, "rxcql.New")
	within(t, "the run of a job", func() { rep, err = pipeline.Run(ctx) })
	return rep, err
}
