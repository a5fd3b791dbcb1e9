package verbs

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/pace"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/show"
)

// runFlags are the flags that all verbs have for how they run.
type runFlags struct {
	tablesAtOnce, workers, splits int
	shard, rate, budget           string
	maxLatency, retryTime         time.Duration
	checkpoint                    string
	restart, failFast, dryRun     bool
	except                        []string
	json, progress, log           string
}

// defaultBudget keeps the process below 100 MB.
const defaultBudget = "32MiB"

func (r *runFlags) add(set *pflag.FlagSet) {
	set.BoolVar(&r.dryRun, "dry-run", false, "say what a run would do and what it would refuse, and do nothing: no table, folder or file is made")
	set.StringSliceVar(&r.except, "except", nil, "`tables` of a keyspace to leave out")
	set.IntVar(&r.tablesAtOnce, "tables-at-once", 1, "how `many` tables are worked on at a time; the largest begin first")
	set.BoolVar(&r.failFast, "fail-fast", false, "stop the other tables, in order, when one fails")
	set.IntVar(&r.workers, "workers", rxcql.DefaultWorkers, "how `many` token ranges of a table, or files, are read at a time")
	set.IntVar(&r.splits, "splits", 0, "the least `number` of token ranges that a table is read in (default 64)")
	set.StringVar(&r.shard, "shard", "", "work on share `i/n` of each table only, i from 0; n processes share the work so")
	set.StringVar(&r.rate, "rate", "", "the `most` to move, of all tables together: rows (5000, 20k) or bytes (10MB) a second, or both with a comma")
	set.DurationVar(&r.maxLatency, "max-latency", 0, "slow down while the 99th percentile of the servers' answer times is above this `time`")
	set.StringVar(&r.budget, "budget", defaultBudget, "the most `bytes` of rows in memory, of all tables together")
	set.DurationVar(&r.retryTime, "retry-time", rxcql.DefaultRetryTime, "for how `long` a request that fails is sent again")
	set.StringVar(&r.checkpoint, "checkpoint", "", "`folder` for how far the run is: the same command goes on from there if the run before was interrupted, or a table of it failed")
	set.BoolVar(&r.restart, "restart", false, "begin anew, and forget what the folder has of a run that was interrupted")
	set.StringVar(&r.json, "json", "", "write the report as JSON to a `file`, - for standard output")
	set.StringVar(&r.progress, "progress", show.Auto, "`how` to show progress on standard error: bar, plain, none, or auto (bar on a terminal)")
	set.StringVar(&r.log, "log", "", "write a log of the run, without values of rows, to a `file`")
}

// settings are what the flags say, read and checked.
type settings struct {
	shard, of int
	rate      *rxcql.Rate
	limit     pace.Limit
	governor  *pace.Governor // nil without --max-latency
	gauge     *fleet.Gauge
	options   []rxcql.Option // of each pipeline
	log       *os.File       // nil without --log
}

// read checks the flags. One error says everything that is wrong.
func (r *runFlags) read() (*settings, error) {
	s := &settings{gauge: &fleet.Gauge{}}
	var errs []error
	wrong := func(flag string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("--%s: %w", flag, err))
		}
	}
	var err error
	s.shard, s.of, err = parseShard(r.shard)
	wrong("shard", err)
	s.limit, err = pace.ParseLimit(r.rate)
	wrong("rate", err)
	budget, err := pace.ParseBytes(r.budget)
	wrong("budget", err)
	between := func(flag string, n, least, most int) {
		if n < least || n > most {
			wrong(flag, fmt.Errorf("%d must be from %d to %d", n, least, most))
		}
	}
	between("tables-at-once", r.tablesAtOnce, 1, 256)
	between("workers", r.workers, 1, 4096)
	between("splits", r.splits, 0, 1<<20)
	if share := budget / int64(max(r.tablesAtOnce, 1)); err == nil && share < 2*rxcql.MinBudgetPerInput {
		wrong("budget", fmt.Errorf("%s is too little for %d tables at once: each needs at least %d bytes",
			r.budget, r.tablesAtOnce, 2*rxcql.MinBudgetPerInput))
	}
	if r.maxLatency < 0 {
		wrong("max-latency", errors.New("must be above 0"))
	}
	if r.retryTime < 0 {
		wrong("retry-time", errors.New("must not be negative"))
	}
	switch r.progress {
	case show.Auto, show.Bars, show.Lines, show.None:
	default:
		wrong("progress", fmt.Errorf("%q must be auto, bar, plain or none", r.progress))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	s.rate = s.limit.Rate(r.maxLatency > 0)
	hooks := []rxcql.Hooks{s.gauge.Hooks()}
	if r.maxLatency > 0 {
		s.governor = pace.NewGovernor(r.maxLatency, s.limit, s.rate)
		hooks = append(hooks, s.governor.Hooks())
	}
	s.options = []rxcql.Option{
		rxcql.WithBudget(budget / int64(r.tablesAtOnce)), rxcql.WithRetry(r.retryTime, 0), rxcql.WithHooks(hooks...),
	}
	if r.log != "" {
		if s.log, err = os.OpenFile(r.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err != nil {
			return nil, fmt.Errorf("--log: %w", err)
		}
		logger := slog.New(slog.NewJSONHandler(s.log, nil))
		s.options = append(s.options, rxcql.WithLogger(logger), rxcql.LogProgress(time.Minute))
	}
	limitMemory(budget)
	return s, nil
}

// close closes the log.
func (s *settings) close() error {
	if s.log == nil {
		return nil
	}
	return s.log.Close()
}

// parseShard reads "2/8". Without a text there are no shares: n is 0.
func parseShard(text string) (i, n int, err error) {
	if text == "" {
		return 0, 0, nil
	}
	left, right, found := strings.Cut(text, "/")
	i, errI := strconv.Atoi(left)
	n, errN := strconv.Atoi(right)
	if !found || errI != nil || errN != nil || n < 1 || i < 0 || i >= n {
		return 0, 0, fmt.Errorf("%q must be i/n with i from 0 to n-1: 0/4, 1/4, 2/4, 3/4", text)
	}
	return i, n, nil
}
