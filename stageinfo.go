package rxcql

import (
	"context"
	"errors"
	"fmt"
)

// StageInfo describes a source or an operator, before any run.
type StageInfo struct {
	// Name is the verb as users know it, such as "Map". If a pipeline has several stages of one
	// name, the later ones are numbered: "Map 2".
	Name string
	// Lane, such as "2", names the lane that the stage and those behind it are in, up to one that
	// reads several lanes. Their names in a run have it: "Map (lane 2)". The stage's own does not.
	Lane string
	// Source marks a stage that reads pages and reserves bytes of the budget.
	Source bool
	// OneToOne: every row in gives exactly one row out, in order. A limit that is set downstream
	// (Take) then holds upstream too.
	OneToOne bool
	// Adjacent: the stage needs rows of one partition to arrive together.
	Adjacent bool
	// MixesRows: rows of one partition no longer arrive together, or a page mixes rows of several
	// ranges. GroupAdjacent refuses such input.
	MixesRows bool
	// NotResumable: the operator counts, remembers or folds over the whole stream, so its state
	// cannot be restored from a position in the source.
	NotResumable bool
	// NotResumableReason says, for NotResumable, what the name alone does not: what is in the way
	// in this case, and the remedy. It may be empty.
	NotResumableReason string
	// HoldsRows: the stage keeps rows from one page to the next, without a limit of time.
	HoldsRows bool
	// Frontier: the stage has a frontier of event time (Stage.Frontier), by which it holds pages
	// until what it made of them is durable. HoldsRows is to be set too. It cannot be in a job with
	// a sink that cannot bear rows twice (SinkInfo.Barrier), before or behind another such stage, or
	// together with one that RepeatsRows.
	Frontier bool
	// Facts are what must be the same for a job to go on, if the stage has a Frontier: size, gap and
	// lateness of its windows. If one differs the run fails with ErrCheckpointForeign.
	Facts []Fact
	// Synchronous: before flow.Observer.Next returns, what becomes of the page's rows has been
	// handed on, in their order and in the calling goroutine. Lift sets it. If HoldsRows is set
	// too, HoldsRows wins. See OutOfStep.
	Synchronous bool
	// LingersOnRows: the stage keeps rows for a limited time, which may be long; see
	// Stage.FlushRequests.
	LingersOnRows bool
	// Drops: rows in minus rows out are rows dropped on purpose. They are reported as filtered,
	// except those that failed (RowFailed).
	Drops bool
	// ReadOnce: the stage can be read only once in a run, as a channel can. operators.Retry, which
	// would read it again, refuses it.
	ReadOnce bool
	// ReadOnceReason says, for ReadOnce, why so, and the remedy. It may be empty.
	ReadOnceReason string
	// RepeatsRows: rows that the stage has handed on may come again in the same run. In a job it is
	// refused before a sink that cannot bear rows twice (SinkInfo.Barrier).
	RepeatsRows bool
	// Attempts: the stage reads its inputs by Stream.Attempt, one attempt after the other, each only
	// if the one before has failed. So stages behind it expect one input at a time, and know that
	// nothing more comes of what has failed (flow.AllParts).
	Attempts bool
	// File is the path of the file that a source reads. A job knows the file by the stage's Name,
	// which should have no folder, so that the file may be moved. Two files of one Name cannot be
	// part of one job.
	File string
	// Files are patterns (filepath.Glob) of further files that a source reads.
	Files []string
	// Err is what is wrong with the options given; New reports it.
	Err error
	// Check, if not nil, compares the stage with the server's schema. Pipeline.Check calls it, and
	// so does every run before it begins.
	Check func(ctx context.Context) error
}

// OutOfStep reports whether the stage may hand rows on later than they come, in another order, or
// in another goroutine.
func (i StageInfo) OutOfStep() bool {
	return i.HoldsRows || i.LingersOnRows || i.MixesRows || i.Adjacent || !i.Synchronous && !i.Source
}

// holdsPages reports whether pages may have to wait for later ones to be settled.
func (i StageInfo) holdsPages() bool { return i.HoldsRows || i.LingersOnRows || i.Frontier }

// node is a stage in the tree of a stream.
type node struct {
	info   StageInfo
	inputs []*node
	lane   string                                        // that it is in; "" for none
	dryRun func(ctx context.Context, r *Execution) error // makes a dry run of a source, for what it tells Stage.Resume; nil for other stages
}

// laneOf returns the lane that a stage is in: its own, or that of all its inputs.
func laneOf(info StageInfo, inputs []*node) (name string) {
	if info.Lane != "" {
		return info.Lane
	}
	for i, in := range inputs {
		if i == 0 {
			name = in.lane
		} else if in.lane != name {
			return ""
		}
	}
	return name
}

// name returns the name of the node's stage in a run, unless another stage has it.
func (n *node) name() string {
	if n.lane != "" && n.info.Lane == "" {
		return n.info.Name + " (lane " + n.lane + ")"
	}
	return n.info.Name
}

// onceEach leaves out errors with the text of an earlier one: those of lanes are alike.
func onceEach(errs []error) (all []error) {
	told := map[string]bool{}
	for _, err := range errs {
		if err != nil && !told[err.Error()] {
			told[err.Error()] = true
			all = append(all, err)
		}
	}
	return all
}

// walk visits the tree upstream first, each stage once.
func (n *node) walk(visit func(*node)) {
	seen := map[*node]bool{}
	var down func(*node)
	down = func(n *node) {
		if seen[n] {
			return
		}
		seen[n] = true
		for _, in := range n.inputs {
			down(in)
		}
		visit(n)
	}
	down(n)
}

// adjacent names the first stage up to n that needs rows of one partition to arrive together.
func (n *node) adjacent() (name string) {
	n.walk(func(n *node) {
		if n.info.Adjacent && name == "" {
			name = n.info.Name
		}
	})
	return name
}

// scatters reports whether a stage up to n mixes rows (MixesRows).
func (n *node) scatters() (found bool) {
	n.walk(func(n *node) { found = found || n.info.MixesRows })
	return found
}

// checkTree compares the stages up to root with the server's schema.
func checkTree(ctx context.Context, root *node) error {
	var errs []error
	root.walk(func(n *node) {
		if n.info.Check == nil {
			return
		}
		name := func() string { return n.info.Name }
		if err := protect(name, func() error { return n.info.Check(ctx) }); err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", n.info.Name, err))
		}
	})
	return errors.Join(errs...)
}
