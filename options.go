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

// DefaultGrace is how long writes in flight may go on after a cancel.
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

// Option is an option of New, and, except WithCheckpoint, of the methods that read a stream without
// a pipeline (All, Collect, ...).
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

// WithWorkers sets how many token ranges a table source reads at once. Default 4, from 1 to 4096.
// More workers help when the cluster has more nodes. Memory stays within the budget in any case.
func WithWorkers(n int) Option {
	return func(c *config) error {
		if n < 1 || n > 4096 {
			return fmt.Errorf("WithWorkers(%d): must be from 1 to 4096", n)
		}
		c.workers = n
		return nil
	}
}

// WithGrace sets how long writes in flight may go on after the run's context was cancelled. Default
// 10 s; 0 abandons them at once.
func WithGrace(d time.Duration) Option {
	return func(c *config) error {
		if d < 0 {
			return fmt.Errorf("WithGrace(%v): must not be negative", d)
		}
		c.grace = d
		return nil
	}
}

// WithLogger sets a logger. By default nothing is logged. The lines, with their attributes in
// brackets:
//
//   - Info "run started" (sources, sinks, budget_bytes, workers); sources and sinks are names of
//     stages as in the report.
//   - Info "run ended" (rows_read, rows_written, rows_filtered, rows_skipped, rows_dead_lettered,
//     rows_unknown, rows_resumed, duration, complete; ended_by if it ended early). After a failure
//     it is an Error line and has an error attribute too.
//   - Warn "a row failed and was left out" (stage, range, page, row, place, dead_letter, reason)
//     for the first 100 such rows of a run, and Debug for those after; see WithRowErrors and
//     RowErrorReport. There is no place where the range says it all.
//   - With LogProgress, Info "progress".
//
// In a job with a checkpoint the first two have the attribute job, and these are added, all with
// job:
//
//   - Info "job goes on" (run, counted from 1), or Info "job is complete already and is left as it
//     is".
//   - Info "source goes on" for each source of a job that goes on (stage, ranges_done,
//     ranges_begun, rows_settled). Neighbouring ranges that are done count as one.
//   - "checkpoint saved" (saves, bytes): the first of a run at Info, the others at Debug.
//
// Values of rows and bound values are never logged. So a text that your functions returned as an
// error is logged without text in quotes, words with a digit, and words that are in the row that
// failed (… stands for them). A panic of your functions is logged by its type only, unless it is
// the runtime's own. The error that Run returns has the full text.
func WithLogger(l *slog.Logger) Option {
	return func(c *config) error {
		if l == nil {
			return errors.New("WithLogger(nil): leave the option out for silence")
		}
		c.log = l
		return nil
	}
}

// LogProgress logs how far the run is, every so often, to the logger of WithLogger: Info "progress"
// (percent and left if they are known, see Estimate; rows_read, rows_written, rows_resumed,
// bytes_in_flight, duration; job). every must be above 0; without WithLogger New fails.
func LogProgress(every time.Duration) Option {
	return func(c *config) error {
		if every <= 0 {
			return fmt.Errorf("LogProgress(%v): must be above 0", every)
		}
		c.progress = every
		return nil
	}
}

var errNoLogger = errors.New("LogProgress: there is no logger; give WithLogger")
