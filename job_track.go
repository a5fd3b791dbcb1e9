package rxcql

import (
	"context"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/internal/saved"
)

// follow opens a part that no run has begun. It refuses a source that did not ask what earlier runs
// left: such a source would read that again, and nothing of it could be saved.
func (j *job) follow(st *Stage, span flow.TokenRange) *flow.Track {
	j.mu.Lock()
	defer j.mu.Unlock()
	src := j.source(st)
	if !src.read {
		return flow.NewBrokenTrack(span, st.Fail(fmt.Errorf("%w: the source does not ask what an earlier run has left; "+
			"call Stage.Resume before Stage.Track", ErrNotResumable)))
	}
	t := flow.NewTrack(st, j, flow.Part{Range: span}, src.grows)
	if src.feeds {
		t.KeepReadState()
	}
	src.tracks[t] = struct{}{}
	return t
}

// Finished notes a part that is read to its end and settled. It implements flow.Job, as do the
// methods below.
func (j *job) Finished(t *flow.Track) {
	part, _ := t.Part()
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, s := range j.sources {
		if _, its := s.tracks[t]; its {
			delete(s.tracks, t)
			s.Done = append(s.Done, ring.Range(part.Range))
			s.Rows += part.Rows // no more will be settled
		}
	}
}

// again makes sources ready for another reading in this run, when nothing of the one before is
// left: it goes on after what is settled now. What of the old tracks is settled later stays
// uncounted, since it comes again. So no position goes back, and none passes what is not settled.
func (j *job) again(sources []*Stage) {
	j.mu.Lock()
	defer j.mu.Unlock()
	for _, st := range sources {
		src := j.source(st)
		if !src.read {
			continue // it failed before it asked
		}
		src.read, src.again, src.Parts = false, true, nil
		for t := range src.tracks {
			switch part, done := savedPart(t); {
			case done: // and j.Finished is about to be called
				src.Done = append(src.Done, part.Range)
				src.Rows += part.Rows
			case part.Pages > 0:
				src.Parts = append(src.Parts, part)
			}
		}
		src.tracks = nil // state takes Parts then
		src.Done = ring.Join(src.Done)
		slices.SortFunc(src.Parts, func(a, b saved.Part) int { return cmpStart(a.Range, b.Range) })
	}
}

// Holds reports whether a stage holds rows from page to page.
func (j *job) Holds() bool { return j.holds.Load() }

// RequestFlush tells the stages that let rows linger that a source waits.
func (j *job) RequestFlush() (done func()) {
	j.run.flushing.begin()
	return j.run.flushing.end
}

// Deliver waits while a save has paused deliveries. It obeys ctx, since that save may itself wait
// for a page that failed meanwhile.
func (j *job) Deliver(ctx context.Context) error {
	if !j.needsBarrier || ctx.Err() == nil && j.barrier.TryAcquire(1) {
		return nil
	}
	j.run.pauses.begin()
	defer j.run.pauses.end()
	if j.barrier.Acquire(ctx, 1) != nil {
		return context.Cause(ctx)
	}
	return nil
}

// Delivered ends a delivery.
func (j *job) Delivered() {
	if j.needsBarrier {
		j.barrier.Release(1)
	}
}

// Owed counts a page that is delivered and not yet settled.
func (j *job) Owed() { j.unsettled.Add(1) }

// Settled counts a page that is settled.
func (j *job) Settled() {
	j.run.settled.Add(1)
	if j.unsettled.Add(-1) > 0 {
		return
	}
	select {
	case j.idle <- struct{}{}:
	default:
	}
}

// savedPart returns the position of the track's part.
func savedPart(t *flow.Track) (p saved.Part, done bool) {
	part, done := t.Part()
	return saved.Part{Range: ring.Range(part.Range), Pages: part.Pages, Rows: part.Rows, State: part.State, Snapshots: part.Snapshots}, done
}
