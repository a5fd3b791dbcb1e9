package operators_test

import (
	"context"
	"fmt"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/timetest"
)

// partName names a part as rows do.
type partName struct {
	source string
	part   int
}

// heard is what a sink has been told of the parts, and whether rows came that must not.
type heard struct {
	marks  map[partName]flow.Watermark
	ended  map[partName]bool
	idle   map[partName]time.Time // as it was said last
	over   map[string]bool        // the sources of which all parts have ended
	clock  flow.EventClock
	model  timetest.Clock // what clock has to be
	rows   int
	broken error
}

// rowAt is when a row happened; 0 is a time like others.
func rowAt(e timed) flow.Watermark { return flow.WatermarkAt(time.Unix(int64(e.at), 0)) }

func newHeard() *heard {
	return &heard{
		marks: map[partName]flow.Watermark{}, ended: map[partName]bool{}, idle: map[partName]time.Time{}, over: map[string]bool{},
	}
}

func (h *heard) page(p *flow.Page[timed]) {
	h.rows += len(p.Rows)
	for _, e := range p.Rows {
		name := partName{e.source, e.part}
		switch {
		case h.ended[name] || h.over[e.source]:
			h.broken = fmt.Errorf("%+v comes behind the end of its part", e)
		case rowAt(e).Before(h.clock.Now()):
			h.broken = fmt.Errorf("%+v comes when the clock of the stage is at %v", e, h.clock.Now())
		case rowAt(e).Before(h.marks[name]):
			h.broken = fmt.Errorf("%+v comes behind the watermark %v", e, h.marks[name])
		}
	}
	h.clock.Add(p.Advance())
	h.model.Add(p.Advance())
	if now, want := h.clock.Now(), h.model.Now(); now != want && h.broken == nil {
		h.broken = fmt.Errorf("the clock of the stage is at %v, and should be at %v", now, want)
	}
	switch {
	case p.Range == flow.AllParts && p.Source != nil:
		h.over[p.Source.Name] = h.over[p.Source.Name] || p.Last
		return
	case p.Range < 0:
		if p.Source != nil || p.Says() {
			h.broken = fmt.Errorf("a page with rows of several parts says %+v", p.Advance())
		}
		return
	}
	if p.Source == nil {
		h.broken = fmt.Errorf("page %d of part %d has no source", p.Page, p.Range)
		return
	}
	name := partName{p.Source.Name, p.Range}
	h.ended[name] = h.ended[name] || p.Last
	if !p.Last {
		h.idle[name] = p.Idle.At()
	}
	if h.marks[name].Before(p.Watermark) {
		h.marks[name] = p.Watermark
	}
}

// listening is a sink that hears what the pages say.
type listening struct {
	*heard
	st *rxcql.Stage
}

func (s *listening) Info() rxcql.SinkInfo        { return rxcql.SinkInfo{} }
func (s *listening) Check(context.Context) error { return nil }

func (s *listening) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[timed], error) {
	s.st = r.SinkStage("listening")
	return s, nil
}

func (s *listening) Write(_ context.Context, p *flow.Page[timed]) error {
	s.st.CountIn(len(p.Rows))
	s.page(p)
	s.st.CountWritten(len(p.Rows))
	return s.broken
}

func (s *listening) Flush(context.Context) error { return nil }
func (s *listening) Close() error                { return nil }

func hear(t require.TestingT, s rxcql.Stream[timed], sink rxcql.Sink[timed], opts ...rxcql.Option) rxcql.Report {
	p, err := rxcql.New(s, sink, opts...)
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute) // only ends a hang
	defer cancel()
	rep, err := p.Run(ctx)
	require.NoError(t, err)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)
	return rep
}

// spying shows the pages of a stream to see.
func spying(in rxcql.Stream[timed], see func(p *flow.Page[timed])) rxcql.Stream[timed] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "spying", OneToOne: true}, func(_ *rxcql.Stage, out flow.Observer[timed]) flow.Observer[timed] {
		return &spy{Observer: out, see: see}
	})
}

type spy struct {
	flow.Observer[timed]
	see func(p *flow.Page[timed])
}

func (s *spy) Next(ctx context.Context, p *flow.Page[timed]) error {
	s.see(p)
	return s.Observer.Next(ctx, p)
}
