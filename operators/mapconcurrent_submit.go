package operators

import (
	"context"

	"github.com/rxcql/rxcql/flow"
)

// submitter is the observer of the stream before a MapConcurrent.
type submitter[T, U any] struct {
	*concurrency[T, U]
	take func(ctx context.Context, row T, of *inputPage[U], index int) error
}

// Next admits the rows of a page as there is room for them.
func (f *submitter[T, U]) Next(ctx context.Context, p *flow.Page[T]) error {
	if len(p.Rows) == 0 && (f.unordered || !p.Last) {
		if f.holdBack(p.Advance()) {
			return f.tell()
		}
		return nil
	}
	c, tell := f.accept(p)
	if tell {
		if err := f.tell(); err != nil {
			return err
		}
	}
	for i := 0; i < len(p.Rows); {
		n, err := f.admit(ctx, len(p.Rows)-i)
		if err != nil {
			return err
		}
		for end := i + n; i < end; i++ {
			if err := f.take(ctx, p.Rows[i], c, i); err != nil {
				return err
			}
		}
	}
	return f.unlimited(ctx)
}

// accept notes a page and takes over the bytes and receipts of its rows.
func (f *submitter[T, U]) accept(p *flow.Page[T]) (c *inputPage[U], tell bool) {
	c = &inputPage[U]{reservation: f.account.Reservation(), at: p.Position, left: len(p.Rows), bytes: make([]int, len(p.Rows))}
	var all int64
	for i := range p.Rows {
		c.bytes[i] = f.sizeIn(&p.Rows[i])
		all += int64(c.bytes[i])
	}
	c.reservation.Take(p.Reservation, all+int64(len(p.Rows))*f.slot)
	f.mu.Lock()
	defer f.mu.Unlock()
	f.arrived += int64(len(p.Rows))
	f.follow(c)
	if f.unordered {
		if a := p.Advance(); a.Says() {
			c.behind.Add(a)
		}
		return c, false
	}
	c.reservation.Say(p.Advance())
	c.results, c.done = make([]U, len(p.Rows)), make([]bool, len(p.Rows))
	f.queue = append(f.queue, c)
	return c, len(p.Rows) == 0 && len(f.queue) == 1 && f.announce()
}

// admit waits until some of the wanted rows may be admitted, and returns how many.
func (f *submitter[T, U]) admit(ctx context.Context, wanted int) (n int, err error) {
	err = f.wait(ctx, func() bool {
		allowed := min(int64(wanted), f.window-(f.admitted-f.delivered))
		if f.limit > 0 {
			allowed = min(allowed, f.limit-f.admitted)
		}
		if allowed <= 0 {
			return false
		}
		n = int(allowed)
		f.admitted += allowed
		return true
	})
	return n, err
}

// unlimited waits while downstream has been sent, or will be, all rows that it wants. When the last
// of them has been delivered, downstream either ends the stream or wants more. Until then upstream
// must not read on.
func (f *submitter[T, U]) unlimited(ctx context.Context) error {
	return f.wait(ctx, func() bool { return f.limit == 0 || f.admitted < f.limit })
}

// wait waits until ready returns true. ready is called with mu held.
func (f *submitter[T, U]) wait(ctx context.Context, ready func() bool) error {
	for {
		f.mu.Lock()
		if ready() {
			f.mu.Unlock()
			return nil
		}
		f.waiting = true
		f.mu.Unlock()
		select {
		case <-f.room:
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

func (f *submitter[T, U]) Done(_ context.Context, stopped bool) error {
	f.stopped = stopped
	return nil
}

// Demand is what downstream wants, less the rows admitted for it.
func (f *submitter[T, U]) Demand() int64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.limit == 0 {
		return 0
	}
	return max(1, f.limit-f.admitted)
}
