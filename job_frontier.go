package rxcql

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/internal/saved"
)

// jobFrontier is the frontier of a stage in a job.
type jobFrontier struct {
	stage *Stage
	*flow.Frontier

	warned bool // see logHeld
}

// watermark returns the watermark of a saved time; nil is none.
func watermark(at *int64) flow.Watermark {
	switch {
	case at == nil:
		return flow.Watermark{}
	case *at == saved.Forever:
		return flow.Forever
	}
	return flow.WatermarkAt(time.UnixMicro(*at))
}

// micros is the reverse.
func micros(w flow.Watermark) *int64 {
	if !w.Known() {
		return nil
	}
	at := w.Time().UnixMicro()
	return &at
}

func sessionEnds(sessions []saved.Session) map[string]flow.Watermark {
	ends := make(map[string]flow.Watermark, len(sessions))
	for _, e := range sessions {
		ends[string(e.Key)] = watermark(&e.End)
	}
	return ends
}

// savedSessions is the reverse, by key.
func savedSessions(ends map[string]flow.Watermark) (all []saved.Session) {
	for _, key := range slices.Sorted(maps.Keys(ends)) {
		all = append(all, saved.Session{Key: []byte(key), End: *micros(ends[key])})
	}
	return all
}

// savedFrontiers returns what there is to save of the frontiers now. One of a stage that has not
// been run is as it was loaded. The caller holds mu, and has read what is settled before: a page is
// settled after the frontier that its windows are behind.
func (j *job) savedFrontiers(complete bool) (all []saved.Frontier) {
	for _, st := range j.run.frontierStages() {
		now := saved.Frontier{Stage: st.name, Facts: facts(st.node.info.Facts)}
		i := slices.IndexFunc(j.frontiers, func(f *jobFrontier) bool { return f.stage == st })
		switch {
		case i >= 0:
			upTo, ends := j.frontiers[i].Saved(complete)
			now.UpTo, now.Sessions = micros(upTo), savedSessions(ends)
		case j.loaded != nil:
			for _, was := range j.loaded.Frontiers {
				if was.Stage == st.name {
					now.UpTo, now.Sessions = was.UpTo, was.Sessions
				}
			}
		}
		all = append(all, now)
	}
	return all
}

// savedReads adds how far the parts of a source have been read, leaves out those of which nothing
// was read or settled, and puts them in order. The caller holds mu.
func (j *job) savedReads(src *jobSource, out *saved.Source) {
	if src.tracks == nil {
		return // not read by this run: as they were loaded
	}
	if src.feeds {
		reads := map[ring.Range]*flow.Track{}
		for t := range src.tracks {
			reads[ring.Range(t.Range())] = t
		}
		for i := range out.Parts {
			p := &out.Parts[i]
			p.Read, p.ReadState = reads[p.Range].Read()
		}
	}
	out.Parts = slices.DeleteFunc(out.Parts, func(p saved.Part) bool { return p.Pages == 0 && p.Read == 0 })
	slices.SortFunc(out.Parts, func(a, b saved.Part) int { return cmpStart(a.Range, b.Range) })
}

// sameFrontiers compares the stages that have a frontier, and their facts, with those of the run
// before.
func (j *job) sameFrontiers() error {
	now := j.run.frontierStages()
	var was, is []string
	for _, f := range j.loaded.Frontiers {
		was = append(was, f.Stage)
	}
	for _, st := range now {
		is = append(is, st.name)
	}
	if !slices.Equal(was, is) {
		return fmt.Errorf("it is of a pipeline with windows in %q, and this one has them in %q", was, is)
	}
	var errs []error
	for i, st := range now {
		if err := same(j.loaded.Frontiers[i].Facts, st.node.info.Facts); err != nil {
			errs = append(errs, fmt.Errorf("stage %s: %w", st.name, err))
		}
	}
	return errors.Join(errs...)
}

// expects reports whether a part is to be read up to where the run before had read it, before any
// frontier moves. The caller holds mu, and asks once for each part.
func (j *job) expects(src *jobSource, p saved.Part) bool {
	if p.Read == 0 {
		return false
	}
	if src.feeds && p.Read > p.Rows {
		return true
	}
	j.behind--
	return src.feeds
}

// CaughtUp notes that a part has been read up to where the run before had read it.
func (j *job) CaughtUp(*flow.Track) {
	j.mu.Lock()
	j.behind--
	all := j.catchUp()
	j.mu.Unlock()
	for _, f := range all {
		f.Advance()
	}
}

// catchUp notes whether all parts have been read again that the run before had read rows of. If
// they now have, it returns the frontiers, which may move from now on. The caller holds mu.
func (j *job) catchUp() []*jobFrontier {
	if j.behind > 0 || j.caughtUp.Swap(true) {
		return nil
	}
	return slices.Clone(j.frontiers)
}
