package operators

import (
	"context"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Sample hands on the newest row every d, and drops the rows in between. Every d from the beginning
// of the stream, the newest row since the last time goes on, if there is one. What is left goes on
// when the stream ends, also when it is stopped early.
//
// Order is kept. It holds one row, charged to the budget, and has a timer only while it does. The
// rows that are dropped count as filtered in the report, and as settled once the last row of their
// page is. While downstream is at work upstream waits, as anywhere; put a Buffer with
// rxcql.OverflowLatest before it, or source.Buffer, where rows must not wait. The stream before it
// runs in a goroutine of its own, and another has the clock.
//
// It is not resumable, since which rows go on depends on the moment.
func Sample[T any](in rxcql.Stream[T], d time.Duration) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: "Sample", NotResumable: true, NotResumableReason: byTheMoment, Err: positive(d)}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		s := &sampling[T]{newest: newNewest(st, out), every: d, begun: time.Now(), timer: newTimer()}
		return ending(func() error {
			return clocked(ctx, st, in, flow.Observer[T](s), clock{timer: s.timer, expire: s.expire}, st.CountDropped)
		}, s.end)
	}, in)
}

type sampling[T any] struct {
	*newest[T]
	every time.Duration
	begun time.Time
	timer *time.Timer
	due   time.Time
}

func (s *sampling[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	if len(p.Rows) == 0 {
		return s.pass(ctx, p)
	}
	if s.held == nil {
		since := time.Since(s.begun)
		left := s.every - since%s.every
		s.due = s.begun.Add(since + left)
		s.timer.Reset(left)
	}
	return s.take(ctx, p)
}

// expire is called when the timer has run out.
func (s *sampling[T]) expire(ctx context.Context) error {
	if time.Now().Before(s.due) {
		return nil
	}
	return s.emit(ctx)
}

func (s *sampling[T]) Done(ctx context.Context, stopped bool) error {
	if err := s.emit(ctx); err != nil {
		return err
	}
	return s.out.Done(ctx, stopped)
}
