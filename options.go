package rxcql

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/rxcql/rxcql/internal/option"
)

// DefaultWorkers is the number of token ranges read at once.
const DefaultWorkers = 4

// DefaultGrace is how long writes in flight may take after a cancel.
const DefaultGrace = 10 * time.Second

type config struct {
	budget   int64
	workers  int
	grace    time.Duration
	retry    retryPolicy
	log      *slog.Logger  // silent unless one is given
	progress time.Duration // see LogProgress; 0 for none
	hooks    []Hooks

	rowErrors  RowErrorPolicy
	checkpoint *checkpointConfig // nil without
}

// Option is an option of New, and, but for WithCheckpoint, of the methods that
// read a stream without a pipeline (All, Collect, ...).
type Option func(*config) error

func configure(opts []Option, inputs int) (config, error) {
	cfg := config{
		budget:  DefaultBudget,
		workers: DefaultWorkers,
		grace:   DefaultGrace,
		retry:   retryPolicy{total: DefaultRetryTime},
		log:     slog.New(slog.DiscardHandler),
	}
	silent := cfg.log
	errs := []error{option.Apply(opts, &cfg, func(opt Option, c *config) error { return opt(c) })}
	if cfg.progress > 0 && cfg.log == silent {
		errs = append(errs, errNoLogger)
	}
	if least := MinBudgetPerInput * int64(max(1, inputs)); cfg.budget < least {
		errs = append(errs, fmt.Errorf("WithBudget(%d): the pipeline has %d source(s) and needs at least %d bytes, %d for each",
			cfg.budget, inputs, least, MinBudgetPerInput))
	}
	return cfg, errors.Join(errs...)
}

// WithWorkers sets how many token ranges a table source reads at once.
// Default 4, from 1 to 4096. More help where the cluster has more nodes; memory stays within
// the budget all the same.
func WithWorkers(n int) Option {
	return func(c *config) error {
		if n < 1 || n > 4096 {
			return fmt.Errorf("WithWorkers(%d): must be from 1 to 4096", n)
		}
		c.workers = n
		return nil
	}
}

// WithGrace sets how long writes in flight may go on after the context of a
// run was cancelled. Default 10 s; 0 abandons them at once.
func WithGrace(d time.Duration) Option {
	return func(c *config) error {
		if d < 0 {
			return fmt.Errorf("WithGrace(%v): must not be negative", d)
		}
		c.grace = d
		return nil
	}
}

// WithLogger gives a logger. Default: silent. These are its lines, with their
// attributes in brackets:
//
//   - Info "run started" (sources, sinks, budget_bytes, workers), with the names of
//     stages as in the report, and "run ended" (rows_read, rows_written, rows_filtered,
//     rows_skipped, rows_dead_lettered, rows_unknown, rows_resumed, duration, complete,
//     ended_by); after a failure that is an Error line with an error besides.
//   - Warn "a row failed and was left out" (stage, range, page, row, place,
//     dead_letter, reason); see WithRowErrors and RowErrorReport.
//   - In a job with a checkpoint (job, which is in the first two as well): Info "job
//     goes on" (run, counted from 1), or "job is complete already and is left as it
//     is"; for each source of a job that goes on Info "source goes on" (stage,
//     ranges_done, which are joined where they meet, ranges_begun, rows_settled);
//     "checkpoint saved" (saves, bytes), the first of a run at Info, the others at Debug.
//   - With LogProgress, Info "progress".
//
// Values of rows and bound values are never logged. So of errors that your functions
// returned, text in quotes, words with a digit, and words that are in the row that
// failed are left out (…), and of a panic all but its type, unless it is the runtime's
// own; the error that Run returns has them.
func WithLogger(l *slog.Logger) Option {
	return func(c *config) error {
		if l == nil {
			return errors.New("WithLogger(nil): leave the option out for silence")
		}
		c.log = l
		return nil
	}
}
