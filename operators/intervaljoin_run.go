package operators

import (
	"context"
	"fmt"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/window"
)

// keeping is a side of an IntervalJoin, as far as the types of its rows do not matter.
type keeping interface {
	Advance(t int64) (alone int)
	Rows() int64
	Bytes() int64
}

// intervalJoining is one run of IntervalJoin. U is what it hands on. Everything is done in the
// goroutine that reads the stream.
type intervalJoining[U any] struct {
	intervalJoinConfig
	st       *rxcql.Stage
	out      flow.Observer[U]
	account  *flow.Account
	charge   *charging
	frontier *flow.Frontier
	clock    flow.EventClock
	sides    [2]keeping
	now      int64    // event time
	restored int64    // event time of the run before, when what it had dropped was durable
	made     []U      // a page of pairs that is being filled
	given    *results // pairs of the page at hand that have been handed on; nil if there are none
	parts    windowParts
	stopped  bool
}

func newIntervalJoining[U any](st *rxcql.Stage, out flow.Observer[U], cfg intervalJoinConfig) *intervalJoining[U] {
	j := &intervalJoining[U]{
		intervalJoinConfig: cfg, st: st, out: out, account: st.Account(false), frontier: st.Frontier(), now: window.Never, restored: window.Never,
	}
	j.charge = newCharging(j.account)
	j.parts.until, j.parts.toldAt = window.Never, window.Never
	if restored := j.frontier.Restored(); restored.Known() {
		j.restored = restored.Time().UnixMicro()
	}
	return j
}

// intervalSide observes a side with rows of type T; those of the other side are of type O.
type intervalSide[T, O any, K comparable, U any] struct {
	*intervalJoining[U]
	at       func(T) time.Time
	key      func(T) K
	pair     func(row T, other O) U
	keep     func(T) T
	from, to int64 // where partners are, from the time of a row on
	kept     *window.Side[T, K]
	other    *window.Side[O, K]
	unknown  *flow.Origin // stands for what the side reads until that is known; then nil
}

func newIntervalSide[T, O any, K comparable, U any](j *intervalJoining[U], at func(T) time.Time, key func(T) K, from, to time.Duration, pair func(T, O) U) *intervalSide[T, O, K, U] {
	s := &intervalSide[T, O, K, U]{
		intervalJoining: j, at: at, key: key, pair: pair, keep: rxcql.CloneFunc[T](), from: from.Microseconds(), to: to.Microseconds(),
		kept: window.NewSide(window.SideConfig[T, K]{
			Reach: to.Microseconds(), SizeRow: rxcql.SizeFunc[T](), SizeKey: rxcql.SizeFunc[K](), Keep: keepKey[K](),
		}),
		unknown: j.st.Origin(),
	}
	j.clock.Expect(s.unknown)
	return s
}

func (s *intervalSide[T, O, K, U]) across(post poster) flow.Observer[T] {
	return &across[T]{to: s, post: post, lost: s.st.CountDropped, limit: limitFor[T](s)}
}

func (s *intervalSide[T, O, K, U]) Next(ctx context.Context, p *flow.Page[T]) error {
	if len(p.Rows) > 0 {
		if err := s.take(ctx, p); err != nil {
			s.finish(err)
			return err
		}
	}
	said := p.Advance()
	s.clock.Add(said)
	begins := said.Range == flow.AllParts && !said.Last
	if s.unknown != nil && said.Source != nil && (begins || said.Range >= 0) {
		s.known()
	}
	if begins {
		return flow.HandOn(ctx, p, []U(nil), s.out)
	}
	s.goOn()
	s.parts.add(said)
	news := s.parts.news(window.Grid{}, s.now, s.now)
	return flow.Tell(ctx, s.account, &news, s.out)
}

// known is called when the clock has been told what the side reads, or that it reads nothing.
func (s *intervalSide[T, O, K, U]) known() {
	s.clock.Add(flow.Ends(s.unknown))
	s.unknown = nil
}

// take joins the rows of a page, and keeps them.
func (s *intervalSide[T, O, K, U]) take(ctx context.Context, p *flow.Page[T]) error {
	late, alone, until := 0, 0, int64(window.Never)
	isNew := s.restored != window.Never && !s.frontier.Counted(p.Reservation)
	for i := range p.Rows {
		at, err := eventTime(s.at(p.Rows[i]))
		if err != nil {
			failed := rxcql.FailedRow{Position: p.Position, Index: i, Row: p.Rows[i], Err: err}
			if err := s.st.RowFailed(ctx, p.Reservation, failed); err != nil {
				return err
			}
			continue
		}
		if at < s.now || isNew && at < s.restored {
			late++
			continue
		}
		key := s.key(p.Rows[i])
		others := s.other.Within(key, at+s.from, at+s.to)
		paired := false
		for other := others.Next(); other != nil; other = others.Next() {
			other.Paired, paired = true, true
			s.made = append(s.made, s.pair(p.Rows[i], other.Row))
			if len(s.made) == flow.DefaultPageRows {
				if err := s.flush(ctx, p.Reservation); err != nil {
					return err
				}
			}
		}
		switch expires := s.kept.Expires(at); {
		case expires > s.now && key == key: //nolint:gocritic // a NaN could never be found again
			s.kept.Add(at, key, s.keep(p.Rows[i]), paired)
			until = max(until, expires)
			if !s.inBounds() {
				return s.full()
			}
		case !paired:
			alone++
		}
	}
	s.st.CountLate(late)
	s.st.CountDropped(late + alone)
	if until != window.Never {
		s.parts.until = max(s.parts.until, until)
		if err := s.frontier.Hold(p.Reservation, watermarkAt(until)); err != nil {
			return s.st.Fail(err)
		}
	}
	s.charge.to(s.keptBytes(), p.Reservation)
	return s.flush(ctx, p.Reservation)
}

func (s *intervalSide[T, O, K, U]) Done(_ context.Context, stopped bool) error {
	s.stopped = s.stopped || stopped
	if s.unknown != nil && !stopped {
		s.known()
	}
	return nil
}

func (j *intervalJoining[U]) keptRows() int64  { return j.sides[0].Rows() + j.sides[1].Rows() }
func (j *intervalJoining[U]) keptBytes() int64 { return j.sides[0].Bytes() + j.sides[1].Bytes() }

func (j *intervalJoining[U]) inBounds() bool {
	return (j.rows == 0 || j.keptRows() <= j.rows) && (j.bytes == 0 || j.keptBytes() <= j.bytes)
}

func (j *intervalJoining[U]) full() error {
	return j.st.Fail(fmt.Errorf("%w: it keeps %d rows on the left and %d on the right, in %d bytes; give IntervalJoinRows or IntervalJoinBytes more, "+
		"make the interval shorter, or see that event time goes on on both sides (EventTime, IdleAfter)",
		ErrIntervalJoinFull, j.sides[0].Rows(), j.sides[1].Rows(), j.keptBytes()))
}

// flush hands on a page of pairs. They are made of the page at hand, and of rows that are kept,
// whose pages the frontier holds.
func (j *intervalJoining[U]) flush(ctx context.Context, at *flow.Reservation) error {
	if len(j.made) == 0 {
		return nil
	}
	if ctx.Err() != nil { // one row may make any number of pairs
		return context.Cause(ctx)
	}
	if j.given == nil {
		r := &results{more: j.account.Reservation()}
		r.more.AddReceipt(flow.NewReceipt(func() { r.durable.Settle() }))
		r.more.Emit()
		j.given = r
	}
	reservation := j.account.Reservation()
	reservation.Take(j.given.more, 0)
	reservation.Take(at, 0)
	reservation.Emit()
	err := j.out.Next(ctx, &flow.Page[U]{Rows: j.made, Reservation: reservation})
	reservation.Finish(err)
	clear(j.made)
	j.made = j.made[:0]
	return err
}

// goOn moves event time behind a page, drops what is out of reach, and tells the frontier. What is
// dropped is durable when all pairs so far are. Before that what the parts have said waits, as far
// as it is ahead of event time: pairs may be of any part.
func (j *intervalJoining[U]) goOn() {
	moved := false
	if now := j.clock.Now(); now.Known() && now != flow.Forever { // at the end all is dropped
		if t := now.Time().UnixMicro(); t > j.now {
			j.now, moved = t, true
			j.drop(t)
		}
	}
	switch {
	case j.given != nil:
		j.finish(nil)
	case moved:
		j.frontier.Durable(watermarkAt(j.now))
	}
}

// drop drops rows that are out of reach when event time is t.
func (j *intervalJoining[U]) drop(t int64) {
	j.st.CountDropped(j.sides[0].Advance(t) + j.sides[1].Advance(t))
	j.charge.to(j.keptBytes(), nil)
}

// finish ends what pairs of a page owe together.
func (j *intervalJoining[U]) finish(err error) {
	r := j.given
	if r == nil {
		return
	}
	j.given = nil
	if err == nil || flow.IsEnd(err) {
		r.durable = j.frontier.Receipt(watermarkAt(j.now))
	}
	r.more.Finish(err)
}

// end ends the stream, if its inputs have ended with err.
func (j *intervalJoining[U]) end(ctx context.Context, err error) error {
	switch {
	case flow.IsEnd(err): // nothing more is needed: what is kept was dropped on purpose
		j.frontier.Durable(flow.Forever)
	case err == nil && j.stopped:
		j.frontier.Abandon()
	case err == nil:
		j.drop(window.Forever)
		j.frontier.Durable(flow.Forever)
		all := j.parts.takeAll()
		err = flow.Tell(ctx, j.account, &all, j.out)
	}
	j.charge.reservation.Release()
	if err == nil {
		err = j.out.Done(ctx, j.stopped)
	}
	if err != nil {
		j.frontier.GiveUp()
	}
	return err
}
