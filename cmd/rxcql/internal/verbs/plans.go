package verbs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
)

// plans ends a dry run: it says what each job would do. A plan that cannot be made does not keep
// the others from being shown.
func (r *report) plans(ctx context.Context, tasks []fleet.Task) error {
	var errs []error
	for _, t := range tasks {
		plan, err := t.Job.Plan(ctx)
		if ctx.Err() != nil {
			return r.usage(context.Cause(ctx))
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", t.Table, err))
			continue
		}
		r.Plans = append(r.Plans, plan)
	}
	r.Duration = time.Since(r.Started)
	err := errors.Join(errs...)
	if err != nil {
		r.ExitCode, r.Error = fleet.ExitFailed, err.Error()
	}
	return errors.Join(err, r.write(func(out io.Writer) {
		for _, plan := range r.Plans {
			fmt.Fprintf(out, "%s", plan)
		}
		fmt.Fprintf(out, "nothing was done: this was a dry run\n")
	}))
}
