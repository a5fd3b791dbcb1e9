package operators

import (
	"context"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Debounce hands on a row when d has passed without another, and drops the rows that another has
// followed within d. Of rows that come in one page only the last can go on. What is left goes on
// when the stream ends, also when it is stopped early. While rows come without a pause of d, none
// goes on.
//
// Order is kept. It holds one row, charged to the budget, and has a timer only while it does. The
// rows that are dropped count as filtered in the report, and as settled once the last row of their
// page is. While downstream is at work upstream waits, and a row that waits there does not count as
// one that has come. The stream before it runs in a goroutine of its own, and another has the
// clock.
//
// It is not resumable, since which rows go on depends on the moment.
func Debounce[T any](in rxcql.Stream[T], d time.Duration) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: "Debounce", NotResumable: true, NotResumableReason: byTheMoment, Err: positive(d)}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		b := &debouncing[T]{newest: newNewest(st, out), pause: d, timer: newTimer()}
		return ending(func() error {
			return clocked(ctx, st, in, flow.Observer[T](b), clock{timer: b.timer, expire: b.expire}, st.CountDropped)
		}, b.end)
	}, in)
}

type debouncing[T any] struct {
	*newest[T]
	pause time.Duration
	timer *time.Timer
	due   time.Time
}

func (b *debouncing[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	if len(p.Rows) == 0 {
		return b.pass(ctx, p)
	}
	if err := b.take(ctx, p); err != nil {
		return err
	}
	b.due = time.Now().Add(b.pause)
	b.timer.Reset(b.pause)
	return nil
}

// expire is called when the timer has run out. A row may have come meanwhile.
func (b *debouncing[T]) expire(ctx context.Context) error {
	if time.Now().Before(b.due) {
		return nil
	}
	return b.emit(ctx)
}

func (b *debouncing[T]) Done(ctx context.Context, stopped bool) error {
	if err := b.emit(ctx); err != nil {
		return err
	}
	return b.out.Done(ctx, stopped)
}
