package rxcqltest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/stopping"
)

// play is a script that is complete.
type play[T any] struct {
	script *Script[T]
	steps  []step[T]
	last   []int // of each part the index of its last page in steps; -1 where the script fails before
	size   func(*T) int
}

func newPlay[T any](s *Script[T]) (*play[T], error) {
	p := &play[T]{script: s, steps: slices.Clone(s.steps), size: rxcql.SizeFunc[T]()}
	fails := slices.IndexFunc(p.steps, func(st step[T]) bool { return st.err != nil && !st.once })
	if fails < 0 && !slices.ContainsFunc(p.steps, step[T].isPage) {
		p.steps = append(p.steps, step[T]{})
	}
	for i, st := range p.steps {
		if !st.isPage() {
			continue
		}
		if st.part < 0 {
			return p, fmt.Errorf("there is no part %d: parts are numbered from 0", st.part)
		}
		for len(p.last) <= st.part {
			p.last = append(p.last, -2)
		}
		p.last[st.part] = i
	}
	for part, last := range p.last {
		switch {
		case last == -2:
			return p, fmt.Errorf("part %d has no pages: parts are numbered from 0, without a gap", part)
		case fails >= 0:
			p.last[part] = -1
		}
	}
	return p, nil
}

// span is the tokens of a part.
func (p *play[T]) span(part int) flow.TokenRange {
	if len(p.last) == 1 {
		return flow.WholeRange
	}
	return flow.TokenRange{Start: int64(part), End: int64(part) + 1}
}

// playing is a script in one run.
type playing[T any] struct {
	*play[T]
	st    *rxcql.Stage
	out   flow.Observer[T]
	parts []playedPart
}

// playedPart is a part in one run.
type playedPart struct {
	track *flow.Track // nil until its first page, unless it was begun in an earlier run
	done  bool        // nothing of it is to be given
	skip  int64       // pages that are settled
	page  int64       // the next one
}

func (p *play[T]) run(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
	r := &playing[T]{play: p, st: st, out: out, parts: make([]playedPart, len(p.last))}
	if err := r.resume(ctx); err != nil {
		return err
	}
	waiting, end := stopping.Context(ctx, st.Run().Stopping())
	defer end()
	for i, step := range p.steps {
		select {
		case <-st.Run().Stopping():
			return out.Done(ctx, true)
		default:
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		err := r.take(ctx, waiting, i, step)
		switch {
		case err == nil:
		case ctx.Err() == nil && errors.Is(context.Cause(waiting), stopping.Err) && step.do != nil:
			return out.Done(ctx, true)
		default:
			return err
		}
	}
	return out.Done(ctx, false)
}

// resume asks what an earlier run has left.
func (r *playing[T]) resume(ctx context.Context) error {
	shape := fmt.Sprintf("%d parts, %d steps", len(r.last), len(r.steps))
	done, begun, err := r.st.Resume(rxcql.Identity{Facts: []rxcql.Fact{{Name: "script", Value: shape}}})
	if err != nil {
		return err
	}
	spans := make([]flow.TokenRange, len(r.parts))
	for part := range r.parts {
		spans[part] = r.span(part)
	}
	left := flow.Remaining(spans, done, begun)
	for part := range r.parts {
		if !slices.Contains(left, r.span(part)) {
			r.parts[part].done = true
		}
	}
	for _, t := range begun {
		part := slices.Index(spans, t.Range())
		if part < 0 {
			return r.st.Fail(fmt.Errorf("%w: the script has no part %v", rxcql.ErrCheckpointDamaged, t.Range()))
		}
		pages, _ := t.From()
		r.parts[part] = playedPart{track: t, skip: pages}
	}
	reads := 0
	for _, part := range r.parts {
		if !part.done {
			reads++
		}
	}
	r.st.CountRanges(reads)
	r.st.Parts(ctx, flow.Parts{Count: reads})
	return nil
}

func (r *playing[T]) take(ctx, waiting context.Context, i int, s step[T]) error {
	switch {
	case s.do != nil:
		err := s.do(waiting)
		if err != nil && waiting.Err() != nil {
			return context.Cause(waiting)
		}
		return r.st.FailUserFunc(err, nil)
	case r.script.fails(i, s):
		return r.st.Fail(s.err)
	case s.isPage():
		return r.page(ctx, i, s)
	}
	return nil
}

// page hands a page on, unless it is settled.
func (r *playing[T]) page(ctx context.Context, i int, s step[T]) error {
	part := &r.parts[s.part]
	if part.done {
		return nil
	}
	n := part.page
	part.page++
	if n < part.skip {
		return nil
	}
	if part.track == nil {
		part.track = r.st.Track(r.span(s.part))
	}
	if err := part.track.AwaitRoom(ctx); err != nil {
		return err
	}
	bytes := s.bytes
	if bytes == 0 {
		for i := range s.rows {
			bytes += int64(r.size(&s.rows[i]))
		}
	}
	reservation, err := r.st.Input().Reserve(ctx, max(bytes, 1))
	if err != nil {
		return err
	}
	p := &flow.Page[T]{Rows: slices.Clone(s.rows), Reservation: reservation}
	p.Position = flow.Position{Range: s.part, Page: n, Last: r.last[s.part] == i}
	p.Watermark, p.Idle = s.watermark, flow.IdleAt(s.idle)
	p.Resize(bytes)
	err = flow.Deliver(ctx, part.track, p, bytes, strconv.AppendInt(nil, part.page, 10), r.out)
	if err == nil {
		r.script.accepted()
	}
	return err
}
