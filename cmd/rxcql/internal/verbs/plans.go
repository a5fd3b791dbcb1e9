package verbs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/kept"
	"github.com/rxcql/rxcql/transfer"
)

// plans ends a dry run: it says what each job would do. A job that would be refused does not keep
// the plans of the others from being shown.
func (r *report) plans(ctx context.Context, tasks []fleet.Task) error {
	var errs []error
	for _, t := range tasks {
		plan, err := planned(ctx, t)
		if ctx.Err() != nil {
			return r.usage(context.Cause(ctx))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", t.Table, err))
			continue
		}
		plainEach(plan.Differences, plan.Lossy, plan.Notes)
		r.Plans = append(r.Plans, plan)
	}
	r.Duration = time.Since(r.Started)
	err := errors.Join(errs...)
	if err != nil {
		r.ExitCode, r.Error = fleet.ExitFailed, plain(err.Error())
	}
	return errors.Join(err, r.write(func(out io.Writer) {
		for _, plan := range r.Plans {
			fmt.Fprintf(out, "%s", plan)
		}
		fmt.Fprintf(out, "nothing was done: this was a dry run\n")
	}))
}

// planned returns the plan of a job. Its error is what a run would be refused with.
func planned(ctx context.Context, t fleet.Task) (transfer.Plan, error) {
	plan, err := t.Job.Plan(ctx)
	if t.Kept == nil {
		return plan, err
	}
	note, wrong := t.Kept.Peek(ctx)
	if note != "" {
		plan.Notes = append(plan.Notes, note)
	}
	return plan, errors.Join(err, wrong)
}

// free returns an error for files that an unload would find in its way. A run that goes on has made
// them itself.
func free(paths []string, several bool) error {
	var errs []error
	for _, f := range kept.Look(paths) {
		if several || f.Size > 0 {
			errs = append(errs, fmt.Errorf("%s is there: give --replace if it is not needed, or another --out", f.Path))
		}
	}
	return errors.Join(errs...)
}
