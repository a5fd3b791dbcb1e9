package rxcql

import (
	"errors"
	"fmt"
	"slices"
)

// SinkInfo describes a sink, before any run. The zero SinkInfo is that of a sink with
// nothing inside that cannot be part of a job.
type SinkInfo struct {
	// Err is what is wrong with the options given, reported by New. What is wrong with the
	// sinks inside they say themselves.
	Err error
	// Resumable: the sink can be part of a job with a checkpoint, because a row that is
	// written twice does no harm. A sink that has a Barrier is resumable too.
	Resumable bool
	// NotResumableReason is, for a sink that is not Resumable, what is in the way, and the remedy. It
	// may be empty.
	NotResumableReason string
	// Barrier: the sink cannot bear rows twice. Before every save, reading
	// pauses, everything read is written, and the sink makes it durable and
	// says where it ends (Stage.OnSave); on resume it cuts off what came
	// later (Stage.Restored). Stages that keep rows from page to page (HoldsRows)
	// cannot stand before such a sink, nor before one that is written together with it.
	Barrier bool
	// Stages are the names that Open gives to Execution.SinkStage, in that order, those of
	// the sinks inside too, if they are known without I/O: a job that is complete
	// (RunOnce) is known again by them, because its sink is not opened.
	Stages []string
	// Stream, if not nil, is the stream inside that the rows go through: New, Check and
	// Run treat it like the pipeline's own. What is wrong with its options is for Err.
	Stream AnyStream
	// Sinks are all sinks inside, behind Stream if there is one. One that is not named here
	// is not looked at by New, and the names of its stages may differ from run to run.
	Sinks []AnySink
}

// AnySink is a Sink of any type, as one of SinkInfo.Sinks.
type AnySink interface{ Info() SinkInfo }

// sinkTree is a sink, the last of them, and all sinks inside, each before the one that it
// is inside of.
type sinkTree []placedSink

// placedSink is a sink as it was described once, at its place.
type placedSink struct {
	SinkInfo
	kind   string  // the Go type
	stream *node   // the one inside; nil if there is none
	before []*node // the streams that lead to it, the pipeline's own first
}

// describe asks a sink and those inside. before are the streams that lead to it.
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

// names are those of the stages, or the Go type where they are not known.
func (t sinkTree) names() []string {
	if top := t[len(t)-1]; top.Stages == nil {
		return []string{top.kind}
	}
	return t.stages()
}

// stages are the names of all stages, nil where they are not known.
func (t sinkTree) stages() []string { return t[len(t)-1].Stages }

// barrier reports whether a sink needs one: then all are met by it.
func (t sinkTree) barrier() bool {
	return slices.ContainsFunc(t, func(s placedSink) bool { return s.Barrier })
}

// streams are the streams inside, in the order in which their stages are named.
func (t sinkTree) streams() (all []*node) {
	for _, s := range t {
		if s.stream != nil {
			all = append(all, s.stream)
		}
	}
	return all
}

// configError is what is wrong with the options, and with the place of stages that need
// rows of one partition to arrive together.
func (t sinkTree) configError() error {
	var errs []error
	for _, s := range t {
		errs = append(errs, s.Err)
		if name := s.adjacentBehind((*node).scatters); name != "" {
			errs = append(errs, fmt.Errorf("%s, inside the sink: rows of one partition do not arrive together any more: "+
				"put it before the operator that mixes them (Merge, Batch, Rx, Concurrent with Unordered)", name))
		}
	}
	return errors.Join(errs...)
}

// adjacentBehind names the stage inside that needs rows of one partition to arrive
// together, if a stream that leads to it is of that kind.
func (s *placedSink) adjacentBehind(kind func(*node) bool) (name string) {
	if s.stream == nil || !slices.ContainsFunc(s.before, kind) {
		return ""
	}
	return s.stream.adjacent()
}
