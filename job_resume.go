package rxcql

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/saved"
)

// Identity says what a source reads, so that positions in one thing are never taken for positions
// in another.
type Identity struct {
	// Facts must be the same for a job to go on: table id, columns, bound values (as a hash). If
	// one differs the run fails with ErrCheckpointForeign.
	Facts []Fact
	// Pages is what page states depend on in addition to the facts, such as the server's version.
	// If it has changed, ranges that had begun are read from their beginning again. A sink with a
	// Barrier cannot bear that: then the run fails with ErrCheckpointForeign.
	Pages string
	// Grows says that a part that has been read to its end may have more by the next run, as a file
	// may. Until the job is complete such a part counts as begun, with the state that its last page
	// was delivered with.
	Grows bool
	// Begun, if not nil, checks the saved state of a part that has begun, as far as possible
	// without reading on. For example, it fails if the file is not the one that was read before.
	Begun func(state []byte) error
}

// Fact is one thing about a source or a sink, in words for errors. Value must not hold values of
// rows or bound values.
type Fact struct{ Name, Value string }

// errReadTwice: a position is that of one reader and cannot stand for two.
var errReadTwice = fmt.Errorf("%w: it is read twice in one run; make a stream for each use", ErrNotResumable)

// Resume tells the run what a source is about to read, and returns what earlier runs of the job
// left:
//
//   - done: parts that must not be read;
//   - begun: parts to be read on from where their tracks say (flow.Track). That may be the
//     beginning, with no state: of a part that stages with windows have rows of, and nothing is
//     settled.
//
// Everything else is to be read from its beginning. Without a checkpoint that is everything.
//
// When a job goes on, the source may first be run once only to compare what it reads, before the
// sink is opened. Resume then returns flow.WholeRange as done. So call Resume before anything that
// has an effect, and read nothing that is done. Call it once each time that the source is run.
// Where operators.Retry reads the source again, done and begun are what has been settled by then.
func (s *Stage) Resume(id Identity) (done []flow.TokenRange, begun []*flow.Track, err error) {
	j := s.run.job
	if j == nil {
		return nil, nil, nil
	}
	var caughtUp []*jobFrontier
	defer func() {
		for _, f := range caughtUp {
			f.Advance() // may settle pages, so not under mu
		}
	}()
	j.mu.Lock()
	defer j.mu.Unlock()
	src := j.source(s)
	if src.read {
		return nil, nil, s.Fail(errReadTwice)
	}
	src.read = true
	if err := j.accepts(src, id); err != nil {
		return nil, nil, s.Fail(err)
	}
	if j.dryRun {
		src.tracks = map[*flow.Track]struct{}{} // of a source that reads all the same, up to its first page
		return []flow.TokenRange{flow.WholeRange}, nil, nil
	}
	parts := src.Parts
	if src.Pages != id.Pages {
		for i := range parts {
			parts[i] = saved.Part{Range: parts[i].Range, Read: parts[i].Read}
		}
	}
	src.Facts, src.Pages, src.Parts, src.grows = facts(id.Facts), id.Pages, nil, id.Grows
	src.tracks = map[*flow.Track]struct{}{}
	src.feeds = s.run.feeds[s.node]
	settled := src.Rows
	for _, d := range src.Done {
		done = append(done, flow.TokenRange(d))
	}
	for _, p := range parts {
		from := flow.Part{Range: flow.TokenRange(p.Range), Pages: p.Pages, Rows: p.Rows, State: p.State, Snapshots: p.Snapshots}
		if j.expects(src, p) {
			from.Read, from.ReadState = p.Read, p.ReadState
		}
		t := flow.NewTrack(s, j, from, id.Grows)
		if src.feeds {
			t.KeepReadState()
		}
		src.tracks[t] = struct{}{}
		begun = append(begun, t)
		settled += p.Rows
	}
	caughtUp = j.catchUp()
	if !src.again { // else it was this run that settled them
		s.run.before.Add(settled)
	}
	s.logResumed(done, begun, settled)
	return done, begun, nil
}

// Track opens a part that no earlier run has begun. In a job with a checkpoint the source must have
// called Resume before, to know which parts these are; otherwise Track.AwaitRoom and
// flow.Deliver fail with ErrNotResumable.
func (s *Stage) Track(span flow.TokenRange) *flow.Track {
	if s.run.job == nil {
		return flow.NewTrack(s, nil, flow.Part{Range: span}, false)
	}
	return s.run.job.follow(s, span)
}

// accepts returns an error if the source does not read what it read in the run before, or cannot go
// on where that run ended.
func (j *job) accepts(src *jobSource, id Identity) error {
	if j.loaded == nil && !src.again {
		return nil
	}
	if src.Facts != nil {
		if err := same(src.Facts, id.Facts); err != nil {
			return j.foreign(err)
		}
	}
	if src.Pages != id.Pages {
		if len(src.Parts) > 0 && j.needsBarrier {
			return j.foreign(errors.New("the server's page states have changed since, " +
				"so ranges would be read again from their beginning, and the sink cannot bear rows twice"))
		}
		return nil
	}
	for _, p := range src.Parts {
		for _, state := range [][]byte{p.State, p.ReadState} {
			if id.Begun == nil || state == nil {
				continue
			}
			if err := id.Begun(state); err != nil {
				return err
			}
		}
	}
	return nil
}

func facts(list []Fact) []saved.Fact {
	if len(list) == 0 {
		return nil
	}
	out := make([]saved.Fact, len(list))
	for i, f := range list {
		out[i] = saved.Fact(f)
	}
	return out
}

// same compares facts by name. Its error names every difference.
func same(was []saved.Fact, is []Fact) error {
	before := map[string]string{}
	for _, f := range was {
		before[f.Name] = f.Value
	}
	var errs []error
	for _, f := range is {
		if value, known := before[f.Name]; !known || value != f.Value {
			errs = append(errs, fmt.Errorf("%s was %q and is %q", f.Name, value, f.Value))
		}
		delete(before, f.Name)
	}
	for name := range before {
		errs = append(errs, fmt.Errorf("it has %s, which is missing now", name))
	}
	return errors.Join(errs...)
}

// Restored returns what the sink's OnSave function returned for the checkpoint that the run goes on
// from; nil if the job begins anew.
func (s *Stage) Restored() []byte {
	if s.run.job == nil || s.run.job.loaded == nil {
		return nil
	}
	for _, sink := range s.run.job.loaded.Sinks {
		if sink.Stage == s.name {
			return sink.State
		}
	}
	return nil
}

// Identify says what a sink writes to, so that a job does not go on into another table of the same
// name. Sinks call it in Open.
func (s *Stage) Identify(facts ...Fact) { s.facts = facts }

// OnSave registers fn, to be called before every save. It is for sinks that cannot bear rows twice
// (SinkInfo.Barrier): for others, and without a checkpoint, fn is not called. When fn is called,
// everything read has been written and nothing is being written. fn makes that durable, and returns
// what is needed to cut off later what comes after it. fn runs in another goroutine than Write,
// also while Flush runs. Sinks call OnSave in Open.
//
// The first save comes right after Open, and until it is durable a sink should leave its target as
// it found it. By the time fn is called, every source has been compared with the checkpoint
// (Resume). So a run that is refused because the checkpoint is of something else has destroyed
// nothing.
func (s *Stage) OnSave(fn func(ctx context.Context) ([]byte, error)) {
	j := s.run.job
	if j == nil {
		return
	}
	j.mu.Lock()
	defer j.mu.Unlock()
	j.sinks = append(j.sinks, &jobSink{stage: s.name, save: fn, state: s.Restored()})
}
