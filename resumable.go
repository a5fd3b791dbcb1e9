package rxcql

import (
	"errors"
	"fmt"
	"slices"
)

// ResumeInfoOf asks a sink how it bears a resume. One that does not say cannot.
func ResumeInfoOf[T any](sink Sink[T]) ResumeInfo {
	if r, ok := sink.(Resumer); ok {
		return r.Resume()
	}
	return ResumeInfo{Err: fmt.Errorf("%w: sink %T does not say how (rxcql.Resumer)", ErrNotResumable, sink)}
}

// ResumeInfoBeside is ResumeInfoOf for one of several sinks that are written
// together: barrier says that another of them needs one.
func ResumeInfoBeside[T any](sink Sink[T], barrier bool) ResumeInfo {
	if r, ok := sink.(interface{ ResumeBeside(barrier bool) ResumeInfo }); ok {
		return r.ResumeBeside(barrier)
	}
	return ResumeInfoOf(sink)
}

// resumable names all that stands in the way of a checkpoint.
func resumable(root *node, cfg config, sink ResumeInfo) error {
	if cfg.checkpoint == nil {
		return nil
	}
	if err := errors.Join(notResumable(root, sink.Barrier), sink.Err); err != nil {
		return fmt.Errorf("%w: WithCheckpoint: %w", ErrConfig, err)
	}
	return nil
}

// notResumable names the stages that cannot be resumed, and those that cannot
// stand before a sink with a barrier.
func notResumable(root *node, barrier bool) error {
	if root == nil {
		return nil // the zero Stream: ConfigError reports it
	}
	var errs []error
	root.walk(func(n *node) {
		switch {
		case n.info.Adjacent && slices.ContainsFunc(n.inputs, (*node).folds):
			errs = append(errs, foldTwice(n.info.Name))
		case n.info.NotResumable && n.info.WhyNot != "":
			errs = append(errs, fmt.Errorf("%w: stage %s: %s", ErrNotResumable, n.info.Name, n.info.WhyNot))
		case n.info.NotResumable:
			errs = append(errs, fmt.Errorf("%w: stage %s", ErrNotResumable, n.info.Name))
		case n.info.Holds && barrier:
			errs = append(errs, fmt.Errorf("%w: stage %s holds rows from page to page, "+
				"so a sink that cannot bear rows twice (a file) has no point to go on from", ErrNotResumable, n.info.Name))
		}
	})
	for _, name := range root.readTwice() {
		errs = append(errs, fmt.Errorf("stage %s: %w", name, errReadTwice))
	}
	return errors.Join(errors.Join(errs...), sameFiles(root))
}

// errReadTwice: one position cannot stand for two readers.
var errReadTwice = fmt.Errorf("%w: it is read twice in one run; make a stream for each use", ErrNotResumable)

// readTwice names the sources to which more than one way leads.
func (n *node) readTwice() (names []string) {
	var order []*node
	n.walk(func(n *node) { order = append(order, n) })
	ways := map[*node]int{n: 1}
	for _, reader := range slices.Backward(order) { // before what it reads
		for _, in := range reader.inputs {
			ways[in] = min(ways[in]+ways[reader], 2) // the number may be beyond any int
		}
	}
	for _, n := range order {
		if n.info.Source && ways[n] > 1 {
			names = append(names, n.info.Name)
		}
	}
	return names
}

// sameFiles refuses files that a job could not tell apart. Their order does not
// do: a file may come between them before the next run.
func sameFiles(root *node) error {
	var errs []error
	files := map[string]string{} // by the stage's name
	root.walk(func(n *node) {
		if n.info.File == "" {
			return
		}
		if other, twice := files[n.info.Name]; twice {
			errs = append(errs, fmt.Errorf("%w: stage %s: a job knows a file by its name without the folder, so it cannot tell %s from %s; "+
				"rename one of them, or read it in a job of its own", ErrNotResumable, n.info.Name, n.info.File, other))
			return
		}
		files[n.info.Name] = n.info.File
	})
	return errors.Join(errs...)
}

// foldTwice: a page of the outer one comes from several pages of the source, and a
// position between these has no single mark.
func foldTwice(name string) error {
	return fmt.Errorf("%w: stage %s behind another that folds rows that arrive together; let the first write a table, and the second read it",
		ErrNotResumable, name)
}

// folds tells whether a stage up to n leaves marks.
func (n *node) folds() bool {
	return n.info.Adjacent || slices.ContainsFunc(n.inputs, (*node).folds)
}

// FoldsTwice is an error if stages of the stream and of the sink behind it both
// leave marks in a checkpoint; for sinks that have a stream inside.
func FoldsTwice[T any](stream Stream[T], sink Sink[T]) error {
	if needs, ok := sink.(Adjacent); ok && stream.node != nil && stream.node.folds() {
		for _, name := range needs.NeedsAdjacent() {
			return foldTwice(name)
		}
	}
	return nil
}

// Resume is for sinks that have a stream inside: what stands in the way of a
// checkpoint when it drains into a sink of that kind.
func (s Stream[T]) Resume(sink ResumeInfo) ResumeInfo {
	sink.Err = errors.Join(notResumable(s.node, sink.Barrier), sink.Err)
	return sink
}

// adjacent refuses a sink that needs rows of one partition to arrive together
// where they do not.
func adjacent[T any](stream Stream[T], sink Sink[T]) error {
	needs, ok := sink.(Adjacent)
	if !ok || !stream.Scattered() {
		return nil
	}
	for _, name := range needs.NeedsAdjacent() {
		return fmt.Errorf("%w: %s, inside the sink: rows of one partition do not arrive together any more: "+
			"put it before the operator that mixes them (Merge, Batch, Rx, Concurrent with Unordered)", ErrConfig, name)
	}
	return nil
}

// NeedsAdjacent names the stages up to here that need rows of one partition to
// arrive together; for sinks that have a stream inside.
func (s Stream[T]) NeedsAdjacent() (names []string) {
	if s.node != nil {
		s.node.walk(func(n *node) {
			if n.info.Adjacent {
				names = append(names, n.info.Name)
			}
		})
	}
	return names
}
