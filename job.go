package rxcql

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sync/semaphore"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/internal/saved"
)

// job is a run's side of its checkpoint.
type job struct {
	run    *Execution
	cfg    *checkpointConfig
	lock   Checkpoint
	loaded *saved.State // what an earlier run left; nil if there was none, or it was complete
	runs   int
	saving *semaphore.Weighted // held while a save is made: by keepSaving, or for a sink that reserves timestamps
	last   []byte              // saved last, without its time and what it reserves
	stamps timestamps

	needsBarrier bool
	barrier      *semaphore.Weighted // each delivery takes 1, and a save takes all, so that nothing is delivered meanwhile
	unsettled    atomic.Int64        // pages delivered and not settled
	idle         chan struct{}
	read         chan struct{} // closed when reading has ended: what is not settled then never will be
	holds        atomic.Bool   // a stage keeps rows from page to page
	dryRun       bool          // sources are only compared with what was loaded
	open         bool          // the sink was opened, so there is something to save

	caughtUp atomic.Bool // see flow.Frontier.CaughtUp

	mu        sync.Mutex
	sources   []*jobSource // in the order of Resume
	sinks     []*jobSink
	frontiers []*jobFrontier
	behind    int // parts of which the run before has read rows that this one has not read again
}

// jobSource is how far one source is.
type jobSource struct {
	saved.Source
	feeds  bool                     // its rows may come to a stage with a frontier
	read   bool                     // Resume was called, for the reading that is under way
	again  bool                     // it is a reading after one that failed in this run
	grows  bool                     // Identity.Grows
	tracks map[*flow.Track]struct{} // begun and not done
}

// jobSink is a sink that says where its output ends.
type jobSink struct {
	stage string
	save  func(ctx context.Context) ([]byte, error)
	state []byte // as of the last call
}

// maxBehind is how far this machine's clock may be behind that of the run before.
const maxBehind = 10 * time.Second

// allDeliveries is the whole weight of the barrier.
const allDeliveries = 1 << 30

// openJob locks the job and loads its checkpoint.
func openJob(ctx context.Context, r *Execution, needsBarrier bool) (*job, error) {
	j := &job{run: r, cfg: r.cfg.checkpoint, needsBarrier: needsBarrier, barrier: semaphore.NewWeighted(allDeliveries),
		saving: semaphore.NewWeighted(1), idle: make(chan struct{}, 1), read: make(chan struct{})}
	for _, st := range r.order {
		if st.node.info.holdsPages() {
			j.holds.Store(true)
		}
	}
	var err error
	if j.lock, err = j.cfg.store.Lock(ctx, j.cfg.job); err != nil {
		return nil, j.fail(err)
	}
	if err := j.load(ctx); err != nil {
		_ = j.lock.Unlock()
		return nil, j.fail(err)
	}
	j.stamps.asked.Store(r.timestampBase)
	j.catchUp()
	return j, nil
}

func (j *job) load(ctx context.Context) error {
	data, err := j.lock.Load(ctx)
	if err != nil || data == nil {
		j.runs = 1
		return err
	}
	state, err := saved.Decode(data)
	if err != nil {
		return err
	}
	if state.Job != j.cfg.job {
		return fmt.Errorf("%w: it is of job %q; give this job a checkpoint of its own (another file), or give that name",
			ErrCheckpointForeign, state.Job)
	}
	j.runs = state.Runs + 1
	reached := max(state.Time, state.Reserved-allowance.Microseconds())
	leave := state.Complete && j.cfg.once // nothing is written
	if behind := time.Duration(reached-j.run.timestampBase) * time.Microsecond; behind > maxBehind && !leave {
		return fmt.Errorf("%w: it is %v behind the timestamps of the run before; set the clocks of the machines alike",
			ErrClockBehind, behind.Round(time.Second))
	}
	j.run.timestampBase = max(j.run.timestampBase, state.Time+1, state.Reserved+1)
	if state.Complete && !j.cfg.once {
		return nil
	}
	j.loaded = state
	j.run.failedBefore.Store(state.Failed)
	j.run.resumed.Store(true)
	j.logLoaded(ctx)
	for _, src := range state.Sources {
		if !slices.ContainsFunc(j.run.order, func(st *Stage) bool { return st.Input() != nil && st.name == src.Stage }) {
			return fmt.Errorf("%w: it is of a pipeline that reads %s; "+beginAnew, ErrCheckpointForeign, src.Stage)
		}
		j.sources = append(j.sources, &jobSource{Source: src})
		for _, p := range src.Parts {
			if p.Read > 0 {
				j.behind++
			}
		}
	}
	return nil
}

// source returns the entry of a stage. The caller holds mu.
func (j *job) source(st *Stage) *jobSource {
	for _, s := range j.sources {
		if s.Stage == st.name {
			return s
		}
	}
	s := &jobSource{Source: saved.Source{Stage: st.name}, tracks: map[*flow.Track]struct{}{}}
	j.sources = append(j.sources, s)
	return s
}

// drained waits until every page delivered is settled. The caller holds all of the barrier.
func (j *job) drained(ctx context.Context) error {
	for j.unsettled.Load() > 0 {
		select {
		case <-j.idle:
		case <-j.read:
			if j.unsettled.Load() > 0 {
				return j.run.unsettled()
			}
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	return nil
}

// state returns what there is to save now. The order matters where a stage has windows, since all
// goes on meanwhile:
//
//   - first what is settled. A page is settled when the frontier has passed its windows, so they
//     are behind the frontier that is read later. Otherwise a run that goes on would give a window
//     again without the rows of that page.
//   - then the frontiers.
//   - last how far parts have been read. A row that has been read by then, and whose window is
//     behind the frontier, is counted there or was late. Rows that came in between can only have
//     been late, or be in windows that are not behind the frontier. The other way round, rows that
//     were counted would be taken for late.
func (j *job) state(complete bool) *saved.State {
	j.mu.Lock()
	defer j.mu.Unlock()
	s := &saved.State{Job: j.cfg.job, Runs: j.runs, TimestampBase: j.run.timestampBase, Complete: complete, Folds: j.run.folds()}
	for _, src := range j.sources {
		src.Done = ring.Join(src.Done)
		out := src.Source
		if src.tracks != nil {
			out.Parts = nil
			for t := range src.tracks {
				switch part, done := savedPart(t); {
				case done: // and j.Finished is about to be called
					out.Done = append(slices.Clone(out.Done), part.Range)
					out.Rows += part.Rows
				default:
					out.Parts = append(out.Parts, part)
				}
			}
			out.Done = ring.Join(out.Done)
		}
		s.Sources = append(s.Sources, out)
	}
	s.Frontiers = j.savedFrontiers(complete)
	for i, src := range j.sources {
		j.savedReads(src, &s.Sources[i])
	}
	for _, st := range j.run.sinkStages() {
		out := saved.Sink{Stage: st.name, Facts: facts(st.facts)}
		for _, sink := range j.sinks {
			if sink.stage == st.name {
				out.State = sink.state
			}
		}
		s.Sinks = append(s.Sinks, out)
	}
	s.Failed = j.run.failedBefore.Load() + j.run.failedRows() // after what is settled, whose failed rows it has then
	return s
}

func cmpStart(a, b ring.Range) int {
	if a.Start < b.Start {
		return -1
	}
	return 1
}
