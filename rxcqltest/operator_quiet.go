package rxcqltest

import (
	"testing"
	"time"

	"github.com/rxcql/rxcql/flow"
)

// quietRules are about what pages without rows say of a source that has none, and of all parts of a
// source.
func quietRules[A, B any]() []rule[OperatorPlace[A, B]] {
	return []rule[OperatorPlace[A, B]]{
		{"That a part is idle is handed on, and that it is so no more", func(t testing.TB, p OperatorPlace[A, B]) {
			h := newHeard(t, p)
			h.opening = []flow.Advance{h.idle(0, 1), h.idle(1, 1)}
			h.closing = []flow.Advance{h.idle(0, 2), {Position: h.idle(1, 2).Position, Watermark: flow.WatermarkAt(eventTime(3))}}
			h.listen(t)
			if p.Ends {
				return
			}
			idle := h.quiet[0].Idle
			if at, want := idle.At(), eventTime(2); !at.Equal(want) {
				t.Fatalf("a part is idle at %v, and the last page of it says that it is at %v: hand on Idle with pages without rows too", want, at)
			}
			if until, _ := idle.Until(flow.IdleAt(eventTime(0)), time.Hour); !until.Equal(eventTime(1)) {
				t.Fatalf("a source was away, and what it says of an idle part has lost that: hand on Idle as it is, do not make another")
			}
			if a := h.quiet[1]; a.Idle != nil && !p.SetsWatermarks {
				t.Fatalf("a part was idle and has gone on, and the last page of it says %+v: what is said last counts", a)
			}
		}},
		{"What is said of all parts of a source is handed on, and their end behind their rows", func(t testing.TB, p OperatorPlace[A, B]) {
			h := newHeard(t, p)
			h.opening = []flow.Advance{flow.Begins(h.other)}
			h.cut = jobRows / pageRows / 2
			h.listen(t)
			switch {
			case h.passed != "":
				t.Fatal(h.passed)
			case p.Ends:
			case !h.begun:
				t.Fatalf("parts of a source are about to be read, and no page said so: hand on pages of flow.AllParts")
			case !h.over:
				t.Fatalf("an input was ended early, and no page said so: hand on the end of flow.AllParts")
			}
		}},
	}
}

// idle is what the other source says of a part that is idle. It was away since 1.
func (h *heard[A, B]) idle(part, at int) flow.Advance {
	moment := func(n int) flow.Moment { return flow.Moment{At: eventTime(n), Now: eventTime(n)} }
	var log flow.IdleLog
	log.Away(moment(1), moment(2))
	return flow.Advance{Position: flow.Position{Source: h.other, Range: part, Page: int64(at)}, Idle: log.At(moment(at))}
}

// listen runs the operator.
func (h *heard[A, B]) listen(t testing.TB) {
	t.Helper()
	take := h.took
	h.took = func(rows []B, said flow.Advance) {
		h.hear(rows, said)
		take(rows, said)
	}
	_, err := h.run(t.Context(), t)
	must(t, err, "a run in which nothing goes wrong")
}

// newHeard is a run that is about to listen to what pages say.
func newHeard[A, B any](t testing.TB, p OperatorPlace[A, B]) *heard[A, B] {
	t.Helper()
	p.attached(t)
	return &heard[A, B]{operatorRun: p.newRun(paged(jobRows)), other: &flow.Origin{Name: "Quiet"}, quiet: map[int]flow.Advance{}}
}
