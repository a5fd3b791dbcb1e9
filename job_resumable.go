package rxcql

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// resumable returns an error that names everything that stands in the way of a checkpoint.
func resumable(root *node, cfg config, sinks sinkTree) error {
	if cfg.checkpoint == nil {
		return nil
	}
	barrier := strings.Join(sinks.barriers(), ", ")
	errs := []error{notResumable(root, barrier), windowsTwice(root, nil)}
	for _, s := range sinks {
		errs = append(errs, s.notResumable())
		if name := s.adjacentBehind((*node).folds); name != "" {
			errs = append(errs, foldTwice(name))
		}
		if s.stream != nil {
			errs = append(errs, windowsTwice(s.stream, s.before))
		}
	}
	for _, inside := range sinks.streams() {
		errs = append(errs, notResumable(inside, barrier))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: WithCheckpoint: %w", ErrConfig, err)
	}
	return nil
}

func (s *placedSink) notResumable() error {
	switch {
	case s.Resumable || s.Barrier:
		return nil
	case s.NotResumableReason != "":
		return fmt.Errorf("%w: %s", ErrNotResumable, s.NotResumableReason)
	}
	return fmt.Errorf("%w: sink %s does not say that it can be (SinkInfo.Resumable)", ErrNotResumable, s.kind)
}

// notResumable names the stages that cannot be resumed, and those that cannot stand before a sink
// with a barrier. barrier has the names of these sinks; it is empty if there is none.
func notResumable(root *node, barrier string) error {
	var errs []error
	root.walk(func(n *node) {
		switch {
		case n.info.Adjacent && slices.ContainsFunc(n.inputs, (*node).folds):
			errs = append(errs, foldTwice(n.info.Name))
		case n.info.NotResumable && n.info.NotResumableReason != "":
			errs = append(errs, fmt.Errorf("%w: stage %s: %s", ErrNotResumable, n.info.Name, n.info.NotResumableReason))
		case n.info.NotResumable:
			errs = append(errs, fmt.Errorf("%w: stage %s", ErrNotResumable, n.info.Name))
		case n.info.Frontier && barrier != "":
			errs = append(errs, fmt.Errorf("%w: stage %s together with sink %s: when the job goes on the stage reads the pages again that it holds, "+
				"and hands on again what it has given since the last save (results, pairs, late rows), and a file cannot take rows back that are in it: "+
				"it would have them twice; give a table instead of %[3]s, with results of windows by their key and start, and late rows by their own key, "+
				"and write the file from that table in a job of its own; or leave WithCheckpoint out", ErrNotResumable, n.info.Name, barrier))
		case n.info.Frontier && n.lane != "":
			errs = append(errs, fmt.Errorf("%w: stage %s in a lane: another run may give its keys to other lanes, whose windows are not as far; "+
				"put the windows before or behind the lanes", ErrNotResumable, n.info.Name))
		case n.info.HoldsRows && barrier != "":
			errs = append(errs, fmt.Errorf("%w: stage %s holds rows from page to page, so sink %s would have no point to go on from: "+
				"a file cannot take rows back that are in it; write a table, or do without the stage", ErrNotResumable, n.info.Name, barrier))
		case n.info.RepeatsRows && barrier != "":
			errs = append(errs, fmt.Errorf("%w: stage %s hands rows on again after a failure, and sink %s would have them twice: "+
				"a file cannot take rows back that are in it; write a table, or do without the stage: "+
				"when the job is run again it goes on", ErrNotResumable, n.info.Name, barrier))
		}
	})
	for _, name := range root.readTwice() {
		errs = append(errs, fmt.Errorf("stage %s: %w", name, errReadTwice))
	}
	return errors.Join(errors.Join(onceEach(errs)...), sameFiles(root))
}

// readTwice names the sources that are read in more than one way.
func (n *node) readTwice() (names []string) {
	var order []*node
	n.walk(func(n *node) { order = append(order, n) })
	ways := map[*node]int{n: 1}
	for _, reader := range slices.Backward(order) { // before what it reads
		for _, in := range reader.inputs {
			ways[in] = min(ways[in]+ways[reader], 2) // capped: the number of ways may exceed any int
		}
	}
	for _, n := range order {
		if n.info.Source && ways[n] > 1 {
			names = append(names, n.info.Name)
		}
	}
	return names
}

// sameFiles refuses files that a job could not tell apart. Their order would not do: another file
// may be put between them before the next run.
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

// foldTwice refuses one fold behind another: a page of the second comes from several pages of the
// source, and no single snapshot belongs to a position between these.
func foldTwice(name string) error {
	return fmt.Errorf("%w: stage %s behind another that folds rows that arrive together; let the first write a table, and the second read it",
		ErrNotResumable, name)
}

// folds reports whether a stage up to n leaves snapshots.
func (n *node) folds() bool { return n.adjacent() != "" }

const remedyNoRetry = "do without Retry: requests are repeated all the same (WithRetry), and when the job is run again it goes on"

// windowsTwice refuses stages with a frontier up to n where rows would come to them that are not
// known by their place in a source, or come again in one run. before are the streams that lead to
// the one of n.
func windowsTwice(n *node, before []*node) error {
	reads := func(kind func(*node) bool) func(*node) bool {
		return func(n *node) bool { return slices.ContainsFunc(n.inputs, kind) || slices.ContainsFunc(before, kind) }
	}
	behindWindows, behindRepeats := reads((*node).hasFrontier), reads((*node).repeatsRows)
	var errs []error
	n.walk(func(n *node) {
		switch {
		case n.info.Frontier && behindWindows(n):
			errs = append(errs, fmt.Errorf("%w: stage %s is behind another with windows, whose results are given again when the job goes on; "+
				"let the first write a table, and the second read it in a job of its own", ErrNotResumable, n.info.Name))
		case n.info.Frontier && behindRepeats(n):
			errs = append(errs, fmt.Errorf("%w: stage %s is behind one that reads rows again in a run (Retry), and would count them twice; "+remedyNoRetry,
				ErrNotResumable, n.info.Name))
		case n.info.RepeatsRows && n.hasFrontier():
			errs = append(errs, fmt.Errorf("%w: stage %s is behind one with windows, which would begin again in the middle of a run; "+remedyNoRetry,
				ErrNotResumable, n.info.Name))
		}
	})
	return errors.Join(onceEach(errs)...)
}

// repeatsRows reports whether a stage up to n hands rows on again.
func (n *node) repeatsRows() (found bool) {
	n.walk(func(n *node) { found = found || n.info.RepeatsRows })
	return found
}
