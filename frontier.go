package rxcql

import (
	"fmt"
	"slices"

	"github.com/rxcql/rxcql/flow"
)

// Frontier returns the frontier of a stage with windows (StageInfo.Frontier): which windows earlier
// runs of the job have made durable, and a place to note which are now. Call it once in a run,
// before the stage subscribes to its input. Without a checkpoint nothing is saved and the rest
// works alike.
func (s *Stage) Frontier() *flow.Frontier {
	r, j := s.run, s.run.job
	c := flow.FrontierConfig{Stage: s.name, Account: s.Account(false), Left: func() { r.abandoned.Store(true) }}
	if j == nil {
		return r.hasFrontier(flow.NewFrontier(c))
	}
	c.Fail = func(err error) { r.Fail(s.Fail(err)) }
	c.MaxPages, c.MaxBytes, c.MaxSessions = j.cfg.heldPages, j.cfg.heldBytes, j.cfg.sessions
	c.CaughtUp = j.caughtUp.Load
	if !s.node.info.Frontier {
		c.Fail(fmt.Errorf("%w: it has a frontier and does not say so (StageInfo.Frontier)", ErrNotResumable))
	}
	if j.loaded != nil {
		for _, f := range j.loaded.Frontiers {
			if f.Stage == s.name {
				c.Restored, c.Ends = watermark(f.UpTo), sessionEnds(f.Sessions)
			}
		}
	}
	f := r.hasFrontier(flow.NewFrontier(c))
	j.mu.Lock()
	defer j.mu.Unlock()
	j.frontiers = append(j.frontiers, &jobFrontier{stage: s, Frontier: f})
	return f
}

// hasFrontier notes a frontier for the report, and forgets those of stages that were run before: a
// stream may be read again for years.
func (r *Execution) hasFrontier(f *flow.Frontier) *flow.Frontier {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.frontiers = append(slices.DeleteFunc(r.frontiers, (*flow.Frontier).Over), f)
	return f
}

// heldPages returns the pages that stages with a Frontier hold, and their bytes. A page that two
// stages hold counts twice.
func (r *Execution) heldPages() (pages, bytes int64) {
	r.mu.Lock()
	all := slices.Clone(r.frontiers)
	r.mu.Unlock()
	for _, f := range all {
		p, b := f.Held()
		pages, bytes = pages+p, bytes+b
	}
	return pages, bytes
}

// frontierStages returns the stages that have a frontier, in the order of the report.
func (r *Execution) frontierStages() (all []*Stage) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, st := range r.order {
		if st.node.info.Frontier {
			all = append(all, st)
		}
	}
	return all
}

// markFrontiers finds the stages from which rows come to one with a frontier. Call it before any
// stage opens accounts.
func (r *Execution) markFrontiers(sinks sinkTree) {
	feeds := map[*node]bool{}
	mark := func(n *node) {
		for _, in := range n.inputs {
			in.walk(func(n *node) { feeds[n] = true })
		}
	}
	r.root.eachFrontier(mark)
	for _, s := range sinks {
		if s.stream == nil || !s.stream.hasFrontier() {
			continue
		}
		s.stream.eachFrontier(mark)
		for _, before := range s.before {
			before.walk(func(n *node) { feeds[n] = true })
		}
		r.sinksFeed = true // which of the sinks leads there is not looked at
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.feeds = feeds
	for _, st := range r.order {
		if !feeds[st.node] {
			st.task.Past()
		}
	}
}

// eachFrontier calls fn with each stage up to n that has a frontier.
func (n *node) eachFrontier(fn func(*node)) {
	n.walk(func(n *node) {
		if n.info.Frontier {
			fn(n)
		}
	})
}

// hasFrontier reports whether a stage up to n has a frontier.
func (n *node) hasFrontier() (found bool) {
	n.eachFrontier(func(*node) { found = true })
	return found
}
