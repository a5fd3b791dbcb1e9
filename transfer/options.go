package transfer

import (
	"errors"
	"fmt"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/option"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// Option is an option of all verbs.
type Option interface {
	RangeOption
	RepairOption
	LoadOption
}

// RangeOption is an option of the verbs that read whole tables, by token ranges.
type RangeOption interface {
	CopyOption
	DiffOption
	UnloadOption
	CountOption
}

// TimesOption is an option of the verbs that know write times and expiry.
type TimesOption interface {
	CopyOption
	DiffOption
	RepairOption
	UnloadOption
	LoadOption
}

// config has the options that verbs share.
type config struct {
	workers     int // 0 for the default of rxcql.WithWorkers
	splits      int // 0 for the default of source.Splits
	shard, of   int // of is 0 for the whole table
	rate        *rxcql.Rate
	store       rxcql.CheckpointStore
	job         string
	saving      []rxcql.CheckpointOption
	read, write *gocql.Consistency // nil for the session's
	times       bool
	run         []rxcql.Option
}

// shared is an option of all verbs.
type shared func(*config) error

func (o shared) applyCopy(c *copyConfig) error     { return o(&c.config) }
func (o shared) applyDiff(c *diffConfig) error     { return o(&c.config) }
func (o shared) applyRepair(c *repairConfig) error { return o(&c.config) }
func (o shared) applyUnload(c *unloadConfig) error { return o(&c.config) }
func (o shared) applyLoad(c *loadConfig) error     { return o(&c.config) }
func (o shared) applyCount(c *countConfig) error   { return o(&c.config) }

// WithWorkers sets how many token ranges (for Load: files) are read at once. Default 4, from 1 to
// 4096. Memory stays within the budget (rxcql.WithBudget) in any case.
func WithWorkers(n int) Option {
	return shared(func(c *config) error {
		c.workers = n
		if n < 1 || n > 4096 {
			return fmt.Errorf("WithWorkers(%d): must be from 1 to 4096", n)
		}
		return nil
	})
}

// WithSplits sets the least number of token ranges that a table is read in. Default 64, from 1 to
// 1,048,576; see source.Splits.
func WithSplits(n int) RangeOption {
	return shared(func(c *config) error {
		c.splits = n
		if n < 1 || n > 1<<20 {
			return fmt.Errorf("WithSplits(%d): must be from 1 to 1048576", n)
		}
		return nil
	})
}

// WithShard reads only share i of n of the table, i from 0 to n-1, so that n processes can share
// the work. They must all give the same n; see source.Shard.
func WithShard(i, n int) RangeOption {
	return shared(func(c *config) error {
		c.shard, c.of = i, n
		if n < 1 || i < 0 || i >= n {
			return fmt.Errorf("WithShard(%d, %d): the share must be from 0 to n-1", i, n)
		}
		return nil
	})
}

// WithRate limits the rows and bytes that are moved, and the requests by which tables are read and
// written. Jobs may share one Rate: then they stay within it together. Default: no limit.
func WithRate(rate *rxcql.Rate) Option {
	return shared(func(c *config) error {
		c.rate = rate
		if rate == nil {
			return errors.New("WithRate(nil): leave the option out for no limit")
		}
		if err := rate.LimitsRequests(); err != nil && rate.LimitsRows() != nil { // else it has a limit of one kind
			return fmt.Errorf("WithRate: %w", err)
		}
		return nil
	})
}

// WithCheckpoint makes the runs of a verb one job: each goes on where the one before ended, however
// that ended, also with other splits and workers or after the cluster has changed. The name tells
// jobs of one store apart. See rxcql.WithCheckpoint. Diff and Repair refuse it, since their folder
// has a checkpoint of its own.
func WithCheckpoint(store rxcql.CheckpointStore, name string, opts ...rxcql.CheckpointOption) Option {
	return shared(func(c *config) error {
		twice := c.job != "" || c.store != nil
		c.store, c.job, c.saving = store, name, opts
		var errs []error
		if store == nil {
			errs = append(errs, errors.New("WithCheckpoint: the store is nil"))
		}
		if name == "" {
			errs = append(errs, errors.New("WithCheckpoint: the job has no name; give it one, by which the next run finds its checkpoint"))
		}
		if twice {
			errs = append(errs, errors.New("WithCheckpoint is given twice; a job has one checkpoint"))
		}
		return errors.Join(errs...)
	})
}

// WithConsistency sets the consistency of reads and of writes. Default: those of the sessions.
func WithConsistency(read, write gocql.Consistency) Option {
	return shared(func(c *config) error {
		c.read, c.write = &read, &write
		var errs []error
		for _, level := range []gocql.Consistency{read, write} {
			if level > gocql.LocalOne {
				errs = append(errs, fmt.Errorf("WithConsistency: there is no level %d", uint16(level)))
			}
		}
		return errors.Join(errs...)
	})
}

// WithTimes keeps, or compares, the write time and the expiry of each cell, and of each element of
// maps, sets and user-defined types that are not frozen. See source.Times and sink.Times for the
// rules and for what cannot be kept.
func WithTimes() TimesOption {
	return shared(func(c *config) error {
		c.times = true
		return nil
	})
}

// WithRun passes options on to the pipelines that a verb runs, such as rxcql.WithBudget,
// rxcql.WithHooks, rxcql.WithLogger, rxcql.WithRetry and rxcql.WithRowErrors. Give checkpoints and
// workers by WithCheckpoint and WithWorkers.
//
// Diff and Repair say something of each row, so where they look at rows none is left out, whatever
// WithRowErrors says: a row that fails ends the run, and the next run goes on with it. Where Repair
// writes, rows are left out as WithRowErrors says, and their outcomes say what is there.
func WithRun(opts ...rxcql.Option) Option {
	return shared(func(c *config) error {
		c.run = append(c.run, opts...)
		return nil
	})
}

// configured applies options, and returns all that is wrong with them as one rxcql.ErrConfig.
func configured[O, C any](verb string, opts []O, cfg *C, apply func(O, *C) error, also ...error) error {
	if err := errors.Join(append([]error{option.Apply(opts, cfg, apply)}, also...)...); err != nil {
		return fmt.Errorf("%w: transfer.%s: %w", rxcql.ErrConfig, verb, err)
	}
	return nil
}

// pipeline returns the options of a pipeline that is the job's only one, or the one of its step
// that has the job's checkpoint.
func (c *config) pipeline() []rxcql.Option {
	opts := c.unsaved()
	if c.store != nil {
		opts = append(opts, rxcql.WithCheckpoint(c.store, c.job, c.saving...))
	}
	return opts
}

// unsaved returns the options of a pipeline that has no checkpoint.
func (c *config) unsaved() (opts []rxcql.Option) {
	if c.workers > 0 {
		opts = append(opts, rxcql.WithWorkers(c.workers))
	}
	return append(opts, c.run...)
}

// ranges returns the options of a source that reads by token ranges, Table or TablePair.
func (c *config) ranges() (opts []source.RangeOption) {
	if c.splits > 0 {
		opts = append(opts, source.Splits(c.splits))
	}
	if c.of > 0 {
		opts = append(opts, source.Shard(c.shard, c.of))
	}
	if c.read != nil {
		opts = append(opts, source.Consistency(*c.read))
	}
	if c.limitsRequests() {
		opts = append(opts, source.Throttle(c.rate))
	}
	return opts
}

// tables is ranges as options of source.Table, with more options behind them. A range that fails is
// read in pieces, so rows of one partition may come apart.
func (c *config) tables(more ...source.TableOption) []source.TableOption {
	return append(c.inPartitions(more...), source.AdaptiveSplits())
}

// inPartitions is tables for steps that need the rows of a partition together: a range that fails
// ends the run.
func (c *config) inPartitions(more ...source.TableOption) (opts []source.TableOption) {
	for _, opt := range c.ranges() {
		opts = append(opts, opt)
	}
	return append(opts, more...)
}

// writes returns the options of sink.Table and sink.Exec.
func (c *config) writes() (opts []sink.WriteOption) {
	if c.write != nil {
		opts = append(opts, sink.Consistency(*c.write))
	}
	if c.limitsRequests() {
		opts = append(opts, sink.Throttle(c.rate))
	}
	return opts
}

// limitsRequests reports whether the job has a rate that limits requests.
func (c *config) limitsRequests() bool { return c.rate != nil && c.rate.LimitsRequests() == nil }

// throttled holds the rows of a stream back to the job's rate, if that limits rows or bytes.
func throttled[T any](in rxcql.Stream[T], c *config) rxcql.Stream[T] {
	if c.rate == nil || c.rate.LimitsRows() != nil {
		return in
	}
	return operators.Throttle(in, c.rate)
}
