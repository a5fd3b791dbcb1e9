package rxcql

import (
	"context"
	"errors"
	"fmt"
)

// StageInfo describes a source or an operator, before any run.
type StageInfo struct {
	// Name as users know the verb, e.g. "Map". Where a pipeline has several of
	// one name the later ones are numbered: "Map 2".
	Name string
	// Source marks a stage that reads pages and reserves bytes of the budget.
	Source bool
	// OneToOne: every row in gives exactly one row out, in order. A limit set
	// downstream (Take) then holds upstream too.
	OneToOne bool
	// Adjacent: the stage needs rows of one partition to arrive together.
	Adjacent bool
	// MixesRows: rows of one partition no longer arrive together, or rows of
	// several ranges are mixed in a page; GroupAdjacent refuses such input.
	MixesRows bool
	// NotResumable: what the operator did before a restart cannot be had again
	// from a position in the source (it counts, remembers or folds over the
	// whole stream).
	NotResumable bool
	// NotResumableReason is, for NotResumable, more than its name says: what is in the way in
	// this case, and the mend. It may be empty.
	NotResumableReason string
	// HoldsRows: the stage keeps rows from one page to the next, for as long as no
	// more come.
	HoldsRows bool
	// Synchronous: before flow.Observer.Next returns, what becomes of the page's rows has
	// been handed on, in their order and in the goroutine that called it. Lift sets
	// it; what is Synchronous and Holds all the same keeps its rows. See
	// OutOfStep.
	Synchronous bool
	// LingersOnRows: the stage keeps rows for a time, which may be long; see Stage.FlushRequests.
	LingersOnRows bool
	// Drops: rows in minus rows out are rows dropped on purpose; they are
	// reported as filtered, but for those that failed (RowFailed).
	Drops bool
	// File is the path of the file that a source reads. A job knows the file by
	// the stage's Name, which should have no folder, so that it may be moved: two
	// of one Name cannot be part of one job.
	File string
	// Err is what is wrong with the options given, reported by New.
	Err error
	// Check, if not nil, compares the stage with the server's schema. It is
	// called by Pipeline.Check and before every run.
	Check func(ctx context.Context) error
}

// OutOfStep reports whether the stage may hand rows on later than they come, or in
// another order: it holds or mixes rows, or does not work in the goroutine that brings
// them.
func (i StageInfo) OutOfStep() bool {
	return i.HoldsRows || i.LingersOnRows || i.MixesRows || i.Adjacent || !i.Synchronous && !i.Source
}

// node is a stage in the tree of a stream.
type node struct {
	info   StageInfo
	inputs []*node
	dryRun func(ctx context.Context, r *Execution) error // runs it for what it tells Stage.Resume; nil if it is no source
}

// walk visits the tree upstream first, every stage once.
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

// adjacent names the first stage up to n that needs rows of one partition to arrive
// together.
func (n *node) adjacent() (name string) {
	n.walk(func(n *node) {
		if n.info.Adjacent && name == "" {
			name = n.info.Name
		}
	})
	return name
}

// scatters reports whether a stage up to n scatters rows.
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
