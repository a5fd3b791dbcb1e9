package rxcql

import (
	"context"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/rxcql/rxcql/flow"
)

// Execution is one run of a pipeline, or of a stream read without one. Stages reach it through
// Stage.Run.
type Execution struct {
	root          *node
	cfg           config
	budget        *flow.Budget
	start         time.Time
	timestampBase int64
	ctx           context.Context
	cancel        context.CancelCauseFunc

	stages map[*node]*Stage
	order  []*Stage // upstream first
	sinks  []*Stage

	stopping chan struct{}
	stopOnce sync.Once

	rowErrors rowErrors
	abandoned atomic.Bool // a stage gave up rows that were not whole at a Stop

	mu     sync.Mutex
	by     string
	failed error   // the first error that Fail was called with
	said   *saying // of the caller's own function, where that reads the stream without a pipeline
	last   *Report // the final one, once the run has ended

	job      *job                       // nil without a checkpoint
	over     func(*Report, error) error // tells hooks of the end, and returns what the run returns
	ended    bool                       // that was done, or is being
	flushing flushRequests
	pauses   pauses

	shared    sync.Map // see Shared
	wrongEnds sync.Map // the errors of ends that are none (handedBack), by *flow.End

	feeds     map[*node]bool // stages whose rows may come to one with a frontier; nil before markFrontiers
	sinksFeed bool           // so may those of sinks
	frontiers []*flow.Frontier

	measures measures
	inputs   int // sources of the stream, those inside of sinks not counted
	unread   unread

	counters
}

func newRun(ctx context.Context, root *node, cfg config, cancel context.CancelCauseFunc) *Execution {
	r := &Execution{
		root:     root,
		cfg:      cfg,
		budget:   flow.NewBudget(cfg.budget),
		start:    time.Now(),
		ctx:      ctx,
		cancel:   cancel,
		stages:   map[*node]*Stage{},
		stopping: make(chan struct{}),
	}
	r.timestampBase = r.start.UnixMicro()
	r.stage(root)
	for _, st := range r.order {
		if st.reads = st.node.info.Source; st.reads {
			r.inputs++
		}
	}
	return r
}

// numbered makes a name that none of the stages has.
func numbered(stages []*Stage, name string) string {
	free := name
	for k := 2; slices.ContainsFunc(stages, func(st *Stage) bool { return st.name == free }); k++ {
		free = fmt.Sprintf("%s %d", name, k)
	}
	return free
}

// stage returns the stage of a node. The first time, it makes that stage and those that it reads:
// for the pipeline's own nodes when the run is made, and for operators inside a sink before the
// sink is opened.
func (r *Execution) stage(n *node) *Stage {
	r.mu.Lock()
	defer r.mu.Unlock()
	if st := r.stages[n]; st != nil {
		return st
	}
	n.walk(func(n *node) {
		if r.stages[n] != nil {
			return
		}
		if n.info.holdsPages() && r.job != nil {
			r.job.holds.Store(true)
		}
		r.open(n)
	})
	return r.stages[n]
}

// open makes the stage of a node whose inputs have theirs. The caller holds r.mu.
func (r *Execution) open(n *node) {
	st := &Stage{run: r, node: n, name: numbered(r.order, n.name())}
	reads := make([]*flow.Task, len(n.inputs))
	for i, in := range n.inputs {
		reads[i] = r.stages[in].task
	}
	if n.info.Source {
		st.task = r.budget.Source(st.name, reads...)
	} else {
		st.task = r.budget.Task(reads...)
	}
	if r.feeds != nil && !r.feeds[n] {
		st.task.Past()
	}
	r.stages[n] = st
	r.order = append(r.order, st)
}

// folds names the stages that leave snapshots in a checkpoint.
func (r *Execution) folds() (names []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, st := range r.order {
		if st.node.info.Adjacent {
			names = append(names, st.name)
		}
	}
	return names
}

// sinkStages returns the stages of the sinks, in the order in which they were opened.
func (r *Execution) sinkStages() []*Stage {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Clone(r.sinks)
}

// SinkStage opens a stage for a sink. Sinks call it in Open.
func (r *Execution) SinkStage(name string) *Stage {
	r.mu.Lock()
	defer r.mu.Unlock()
	st := &Stage{run: r, node: &node{info: StageInfo{Name: name}}, name: numbered(r.sinks, name), task: r.budget.Task(), sink: true}
	if r.feeds != nil && !r.sinksFeed {
		st.task.Past()
	}
	r.sinks = append(r.sinks, st)
	return st
}

// Fail ends the run with an error that happened outside the stream's own calls, such as a failed
// write in flight. The first one counts.
func (r *Execution) Fail(err error) {
	if err == nil {
		return
	}
	err = r.ownError(err)
	r.mu.Lock()
	if r.failed == nil {
		r.failed = err
	}
	r.mu.Unlock()
	r.cancel(err)
}

// Context returns the context of the run. It ends when the run is cancelled or has failed. Writes
// in flight outlive it by the grace period; their context is the one that Sink.Open gets.
func (r *Execution) Context() context.Context { return r.ctx }

// Stopping returns a channel that Pipeline.Stop closes. Sources then deliver what they have read,
// call Done with stopped set, and return.
func (r *Execution) Stopping() <-chan struct{} { return r.stopping }

func (r *Execution) stop() {
	r.stopOnce.Do(func() {
		r.mu.Lock()
		r.by = EndedByStop // also where a stage has ended before, which may be one branch of many
		r.mu.Unlock()
		close(r.stopping)
	})
}

func (r *Execution) endedBy(name string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.by == "" {
		r.by = name
	}
}

// TimestampBase returns the base of the write timestamps that sinks give rows, in microseconds
// since 1970. It is the time of the run's start. In a job with a checkpoint it is later if need be:
// after the last save, and after everything that earlier runs reserved (ReserveTimestamps).
func (r *Execution) TimestampBase() int64 { return r.timestampBase }

// Shared returns the value that the stages of a run share under key. The first call makes it with
// create. As with context.WithValue, use a key of a type of your own. Several goroutines may call
// it at the same time; create may then be called more than once, and one result is kept.
func (r *Execution) Shared(key any, create func() any) any {
	if v, ok := r.shared.Load(key); ok {
		return v
	}
	v, _ := r.shared.LoadOrStore(key, create())
	return v
}

// ExecutionFromContext returns the run that a context given to DeadLetterStore.Open belongs to; nil
// for other contexts.
func ExecutionFromContext(ctx context.Context) *Execution {
	known, _ := ctx.Value(retryKey{}).(checking)
	return known.run
}

// ReadsFile reports whether a source of the run reads the file (StageInfo.File). Do not write to
// such a file: a sink would destroy what is not read yet, and dead letters would be read as rows.
func (r *Execution) ReadsFile(file fs.FileInfo) bool {
	r.mu.Lock()
	stages := slices.Clone(r.order)
	r.mu.Unlock()
	return slices.ContainsFunc(stages, func(st *Stage) bool {
		paths := []string{st.node.info.File}
		for _, pattern := range st.node.info.Files {
			found, _ := filepath.Glob(pattern)
			paths = append(paths, found...)
		}
		return slices.ContainsFunc(paths, func(path string) bool {
			info, err := os.Stat(path)
			return err == nil && os.SameFile(info, file)
		})
	})
}

// Log returns the logger given by WithLogger; silent by default.
func (r *Execution) Log() *slog.Logger { return r.cfg.log }

// Budget returns how many bytes may be in flight (WithBudget). What a sink keeps should be a
// fraction of it.
func (r *Execution) Budget() int64 { return r.cfg.budget }

// Workers returns how many token ranges a table source reads at once (WithWorkers), unless that
// source was given a number of its own.
func (r *Execution) Workers() int { return r.cfg.workers }

// whole reports whether everything was read and settled, or read again. Call it when everything has
// ended.
func (r *Execution) whole() bool {
	if r.unread.err() != nil {
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.by == "" && r.failed == nil && r.settled.Load()+r.budget.GivenUp() == r.pages.Load()
}

// HasCheckpoint reports whether the run is part of a job with a checkpoint.
func (r *Execution) HasCheckpoint() bool { return r.job != nil }
