package operators

import (
	"context"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/overflow"
)

// deliver hands on what waits until nothing does, in the goroutine that reads the stream.
func (b *buffering[T]) deliver(ctx context.Context, out flow.Observer[T]) error {
	for {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		told, telling, c := b.next()
		switch {
		case telling != nil:
			if err := b.say(ctx, &told, telling, out); err != nil {
				return err
			}
		case c != nil:
			if err := b.handOn(ctx, c, out); err != nil {
				return err
			}
		default:
			return nil
		}
	}
}

// say hands on what nothing holds back.
func (b *buffering[T]) say(ctx context.Context, told *flow.Advances, telling *flow.Reservation, out flow.Observer[T]) error {
	defer telling.Settle()
	return flow.Tell(ctx, b.account, told, out)
}

// handOn hands on a chunk, and what was said behind it.
func (b *buffering[T]) handOn(ctx context.Context, c *overflow.Chunk[T, *bufferedPage], out flow.Observer[T]) error {
	of := c.Of
	of.reservation.Say(of.said)
	of.reservation.Position = of.said.From(c.Gone)
	err := flow.Emit(ctx, b.account, &flow.Page[T]{Rows: c.Rows, Reservation: of.reservation}, &of.behind, out)
	clear(c.Rows)
	return err
}

// next takes what is to be handed on now: advances, or a chunk. If that is nothing, the reader must
// be told of what comes.
func (b *buffering[T]) next() (told flow.Advances, telling *flow.Reservation, c *overflow.Chunk[T, *bufferedPage]) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case b.failed:
	case b.telling != nil:
		told, telling = b.told, b.telling
		b.told, b.telling = flow.Advances{}, nil
		return told, telling, nil
	default:
		c = b.queue.Take()
	}
	if c == nil {
		b.delivering = false
		return told, nil, nil
	}
	b.delivered += len(c.Rows)
	if b.waiting {
		b.waiting = false
		select {
		case b.room <- struct{}{}:
		default:
		}
	}
	return told, nil, c
}

// end gives up what waits. Nothing else is at work by then.
func (b *buffering[T]) end(err error) {
	for c := b.queue.Take(); c != nil; c = b.queue.Take() {
		c.Of.reservation.Finish(err)
	}
	if b.telling != nil {
		b.telling.Settle()
	}
	if err == nil || flow.IsEnd(err) { // otherwise they are not dropped on purpose
		b.st.CountDropped(b.arrived - b.delivered - b.overflowed)
	}
}
