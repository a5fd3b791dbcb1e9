package rxcql

import (
	"errors"
	"fmt"
	"slices"
)

// SinkInfo describes a sink, before any run. The zero SinkInfo is that of a sink that has no
// streams or sinks inside and cannot be part of a job.
type SinkInfo struct {
	// Err is what is wrong with the options given; New reports it. Sinks inside report their own
	// errors.
	Err error
	// Resumable: the sink can be part of a job with a checkpoint, because it does no harm to write
	// a row twice. A sink with a Barrier is resumable too.
	Resumable bool
	// NotResumableReason says, for a sink that is not Resumable, what is in the way, and the
	// remedy. It may be empty.
	NotResumableReason string
	// Barrier: the sink cannot bear rows twice. Before every save, reading pauses and everything
	// read is written; then the sink makes it durable and says where it ends (Stage.OnSave). When
	// the job goes on, the sink cuts off what came later (Stage.Restored). Stages that keep rows
	// from page to page (HoldsRows) cannot stand before such a sink, nor before one that is written
	// together with it.
	Barrier bool
	// Stages has the names that Open gives to Execution.SinkStage, in that order, including those
	// of the sinks inside, if they are known without I/O. A complete job (RunOnce) is recognized by
	// them, because its sink is not opened.
	Stages []string
	// Completed, if not nil, is called instead of Open where the job is complete already (RunOnce).
	// It is for sinks that have a result in memory, such as a sum: state is what the function given
	// to Stage.OnSave of the first of Stages has returned for the last save. Its error fails the run,
	// and the job stays complete. It is called for the pipeline's own sink, not for those inside.
	Completed func(state []byte) error
	// Stream, if not nil, is the stream inside that the rows go through. New, Check and Run treat
	// it like the pipeline's own. What is wrong with its options belongs in Err.
	Stream AnyStream
	// Sinks has all sinks inside, behind Stream if there is one. New does not look at a sink that
	// is not named here, and the names of its stages may differ from run to run.
	Sinks []AnySink
}

// AnySink is a Sink of any type, as an element of SinkInfo.Sinks.
type AnySink interface{ Info() SinkInfo }

// sinkTree has a sink as its last element, and before it all sinks inside: each before the sink
// that contains it.
type sinkTree []placedSink

// placedSink is the description of a sink, taken once, and its place in the tree.
type placedSink struct {
	SinkInfo
	kind   string  // the Go type
	stream *node   // the one inside; nil if there is none
	before []*node // the streams that lead to it, the pipeline's own first
}

// describe describes a sink and those inside. before are the streams that lead to it.
func describe(sink AnySink, before ...*node) (t sinkTree) {
	s := placedSink{SinkInfo: sink.Info(), kind: fmt.Sprintf("%T", sink), before: before}
	if s.Stream != nil {
		s.stream = s.Stream.tree()
	}
	if s.stream != nil {
		before = append(slices.Clip(before), s.stream)
	}
	for _, in := range s.Sinks {
		if !isNil(in) {
			t = append(t, describe(in, before...)...)
		}
	}
	return append(t, s)
}

// names returns the names of the stages, or the Go type if they are not known.
func (t sinkTree) names() []string {
	if top := t.top(); top.Stages == nil {
		return []string{top.kind}
	}
	return t.stages()
}

// stages returns the names of all stages, nil if they are not known.
func (t sinkTree) stages() []string { return t.top().Stages }

// top returns the pipeline's own sink.
func (t sinkTree) top() *placedSink { return &t[len(t)-1] }

// barriers returns the names of the sinks that need a barrier: of a stage, or the Go type if that
// is not known. If one needs it, a barrier is made for all.
func (t sinkTree) barriers() (names []string) {
	for _, s := range t {
		switch {
		case s.Barrier && len(s.Stages) > 0:
			names = append(names, s.Stages[0])
		case s.Barrier:
			names = append(names, s.kind)
		}
	}
	return names
}

// streams returns the streams inside, in the order in which their stages are named.
func (t sinkTree) streams() (all []*node) {
	for _, s := range t {
		if s.stream != nil {
			all = append(all, s.stream)
		}
	}
	return all
}

// configError returns what is wrong with the options, and with the place of stages that need rows
// of one partition to arrive together.
func (t sinkTree) configError() error {
	var errs []error
	for _, s := range t {
		errs = append(errs, s.Err)
		if name := s.adjacentBehind((*node).scatters); name != "" {
			errs = append(errs, fmt.Errorf("%s, inside the sink: rows of one partition do not arrive together any more: "+
				"put it before the operator that mixes them (Merge, Batch, Rx, Retry, Recover, MapConcurrent with Unordered)", name))
		}
	}
	return errors.Join(errs...)
}

// adjacentBehind names a stage of the stream inside that needs rows of one partition to arrive
// together, if a stream that leads to the sink is of that kind.
func (s *placedSink) adjacentBehind(kind func(*node) bool) (name string) {
	if s.stream == nil || !slices.ContainsFunc(s.before, kind) {
		return ""
	}
	return s.stream.adjacent()
}
