package operators

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/lock"
)

// stepping is an inStep with what it makes of the rows.
type stepping[U any] struct {
	inStep
	out  flow.Observer[U]
	made []U                     // that wait to be handed on; the slice is reused
	more func(*flow.Reservation) // has it take from others than the pages at hand; may be nil
	free bool                    // how many rows it needs is not known from how many are wanted
}

func newStepping[U any](st *rxcql.Stage, out flow.Observer[U]) *stepping[U] {
	s := &stepping[U]{inStep: inStep{st: st, account: st.Account(false), budget: st.InStep(), most: flow.DefaultPageRows, mu: lock.New()}, out: out}
	s.flush, s.tell = s.handOn, s.say
	s.limit.Store(flow.DemandOf(out))
	return s
}

// room is how many more rows a page may have.
func (s *stepping[U]) room() int { return s.most - len(s.made) }

// handOn hands on what has been made, in a page of several parts.
func (s *stepping[U]) handOn(ctx context.Context) error {
	if len(s.made) == 0 {
		return nil
	}
	reservation := s.account.Reservation()
	for _, h := range s.inputs {
		h.share(reservation)
	}
	if s.more != nil {
		s.more(reservation)
	}
	err := flow.Emit(ctx, s.account, &flow.Page[U]{Rows: s.made, Reservation: reservation}, nil, s.out)
	clear(s.made)
	s.made = s.made[:0]
	if !s.free {
		s.limit.Store(flow.DemandOf(s.out))
	}
	return err
}

// share gives to what is made of the page its receipts, and the bytes of the rows that have been
// used since the last time. Each row goes on with its own bytes, however large the others are, so
// that a stage that keeps it charges nothing on top. The last rows go on with all that is left:
// what was read is in memory as long as a row of it is.
func (h *atHand) share(to *flow.Reservation) {
	if h.page == nil || h.next == h.took && !h.used {
		return
	}
	bytes := h.page.Bytes()
	if h.next < h.rows {
		bytes = min(bytes, max(0, h.weigh(h.took, h.next)-h.away))
	}
	to.Take(h.page, bytes)
	h.took, h.away, h.used = h.next, 0, false
}

// say hands on how far a part has come. No rows are held by then.
func (s *stepping[U]) say(ctx context.Context, _ *atHand, said flow.Advance) error {
	if !said.Says() {
		return nil
	}
	var parts flow.Advances
	parts.Add(said)
	return flow.Tell(ctx, s.account, &parts, s.out)
}

// finish reads the inputs, and ends the stream.
func (s *stepping[U]) finish(ctx context.Context) error {
	defer s.budget.Works()
	if err := s.run(ctx); err != nil {
		return err
	}
	return s.out.Done(ctx, s.stopped())
}
