package operators

import (
	"context"
	"errors"
	"hash/maphash"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// splitStream reads the stream before Lanes into the lanes. Nothing comes out of it.
func splitStream[T any, K comparable](in rxcql.Stream[T], id *lanesID, key func(T) K) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: "Lanes in"}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, _ flow.Observer[T]) error {
		l, ok := ctx.Value(id).(*lanes[T])
		if !ok {
			return st.Fail(errors.New("it can only be run by its Lanes"))
		}
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		if !l.read(st, func() { cancel(st.End()) }) {
			return st.End()
		}
		err := in.Subscribe(ctx, st, newSplitter(st, l, id.seed, key))
		if cause := context.Cause(ctx); err != nil && flow.IsEnd(cause) {
			return rxcql.FirstFailure(err, cause) // err may be the echo of that
		}
		return err
	}, in)
}

// read notes the stage that reads, and how the reading can be ended. It reports whether a lane is
// left to read for.
func (l *lanes[T]) read(st *rxcql.Stage, end func()) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.split, l.reading = st, end
	return l.open > 0
}

// splitter deals out the rows of pages to the lanes.
type splitter[T any, K comparable] struct {
	*lanes[T]
	st   *rxcql.Stage
	key  func(T) K
	seed maphash.Seed
	keep func(T) T
	size func(*T) int

	// Of the page that is dealt out:
	to    []int // the lane of each row
	parts []dealt[T]
}

// dealt are the rows of a page that go to one lane.
type dealt[T any] struct {
	n     int
	rows  []T
	at    []int32 // their indexes in the page
	bytes int64
}

func newSplitter[T any, K comparable](st *rxcql.Stage, l *lanes[T], seed maphash.Seed, key func(T) K) *splitter[T, K] {
	return &splitter[T, K]{
		lanes: l, st: st, key: key, seed: seed, keep: rxcql.CloneFunc[T](), size: rxcql.SizeFunc[T](),
		parts: make([]dealt[T], len(l.all)),
	}
}

func (s *splitter[T, K]) Next(ctx context.Context, p *flow.Page[T]) error {
	if p.Says() {
		s.mu.Lock()
		s.origins[p.Source] = struct{}{}
		s.mu.Unlock()
	}
	if err := s.choose(ctx, p.Rows); err != nil {
		return err
	}
	s.deal(p.Rows)
	var err error
	for i, to := range s.all {
		part := &s.parts[i]
		switch {
		case err != nil:
			if flow.IsEnd(err) {
				s.st.CountDropped(part.n)
			}
		case part.n > 0 || p.Says():
			err = s.put(ctx, to, s.page(p, part))
		}
		part.rows = nil
	}
	if err != nil {
		return err
	}
	return s.wait(ctx, s.mayReadOn)
}

// choose finds the lane of each row.
func (s *splitter[T, K]) choose(ctx context.Context, rows []T) error {
	for i := range s.parts {
		s.parts[i].n = 0
	}
	s.to = s.to[:0]
	for i := range rows {
		if i%64 == 0 {
			if err := left(ctx, s.st, len(rows)); err != nil {
				return err
			}
		}
		to := 0
		if len(s.parts) > 1 {
			to = int(maphash.Comparable(s.seed, s.key(rows[i])) % uint64(len(s.parts))) //nolint:gosec // below the number of lanes
		}
		s.parts[to].n++
		s.to = append(s.to, to)
	}
	return nil
}

// deal copies the rows, each to those of its lane.
func (s *splitter[T, K]) deal(rows []T) {
	for i, q := range s.all {
		part := &s.parts[i]
		part.at, part.bytes = part.at[:0], 0
		if part.n > 0 {
			part.rows = q.slice(part.n)
		}
	}
	for i, to := range s.to {
		part := &s.parts[to]
		part.rows = append(part.rows, s.keep(rows[i]))
		part.bytes += int64(s.size(&rows[i]))
		part.at = append(part.at, int32(i)) //nolint:gosec // no page has two billion rows
	}
}

// page makes the page of a lane. It owes what p owes, and says of its part what p says. It moves
// from now on: nothing has to come for it to go on.
func (s *splitter[T, K]) page(p *flow.Page[T], part *dealt[T]) *flow.Page[T] {
	reservation := s.account.Reservation()
	reservation.Take(p.Reservation, part.bytes)
	reservation.Emit()
	reservation.Say(p.Advance())
	reservation.Position = p.Picked(part.at)
	return &flow.Page[T]{Rows: part.rows, Reservation: reservation}
}

// Done notes how the reading ended. The end moves from now on, until all lanes have handed it on:
// they may hold rows that go on then.
func (s *splitter[T, K]) Done(ctx context.Context, stopped bool) error {
	s.stopped = stopped
	s.account.UsedIn(ctx)
	s.ending = s.account.Reservation()
	s.ending.Emit()
	return nil
}

// Demand is what the lanes want, less the rows that they have.
func (s *splitter[T, K]) Demand() int64 {
	s.mu.Lock()
	defer s.mu.Unlock()
	limit := s.limit()
	if limit == 0 {
		return 0
	}
	return max(1, limit-int64(s.rows))
}
