package rxcql

import (
	"errors"
	"fmt"
)

// ResumeInfoOf asks a sink how it bears a resume. One that does not say cannot.
func ResumeInfoOf[T any](sink Sink[T]) ResumeInfo {
	if r, ok := sink.(Resumer); ok {
		return r.Resume()
	}
	return ResumeInfo{Err: fmt.Errorf("%w: sink %T does not say how (rxcql.Resumer)", ErrNotResumable, sink)}
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
		case n.info.NotResumable:
			errs = append(errs, fmt.Errorf("%w: stage %s", ErrNotResumable, n.info.Name))
		case n.info.Holds && barrier:
			errs = append(errs, fmt.Errorf("%w: stage %s holds rows from page to page, "+
				"so a sink that cannot bear rows twice (a file) has no point to go on from", ErrNotResumable, n.info.Name))
		}
	})
	return errors.Join(errs...)
}

// Resume is for sinks that have a stream inside: what stands in the way of a
// checkpoint when it drains into a sink of that kind.
func (s Stream[T]) Resume(sink ResumeInfo) ResumeInfo {
	return ResumeInfo{Err: errors.Join(notResumable(s.node, sink.Barrier), sink.Err), Barrier: sink.Barrier}
}

// adjacent refuses a sink that needs rows of one partition to arrive together
// where they do not.
func adjacent[T any](stream Stream[T], sink Sink[T]) error {
	needs, ok := sink.(Adjacent)
	if !ok || !stream.Scattered() {
		return nil
	}
	for _, name := range needs.NeedsAdjacent() {
		return fmt.Errorf("%s, inside the sink: rows of one partition do not arrive together any more: "+
			"put it before the operator that mixes them (Merge, Batch, Rx, Concurrent with Unordered)", name)
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
