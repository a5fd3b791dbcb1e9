package flow_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

func TestWhereAllWaitEachInputIsLentAPage(t *testing.T) {
	alone(t, "also where hardly any room is left", func(t *testing.T) {
		b := flow.NewBudget(128 * kib)
		one, two := b.NewInput("one"), b.NewInput("two")
		kept := b.Account("Zip", false).Reservation()
		l, err := one.Reserve(context.Background(), 1<<30)
		require.NoError(t, err)
		l.Resize(128*kib - 1)
		kept.Take(l, l.Bytes())
		l.Settle()
		errs := make(chan error, 2)
		for _, in := range []*flow.Input{one, two} {
			go func() {
				l, err := in.Reserve(context.Background(), 1<<30)
				if err == nil {
					assert.EqualValues(t, 1, l.Bytes())
					l.Release()
					in.Done()
				}
				errs <- err
			}()
		}
		require.NoError(t, <-errs)
		require.NoError(t, <-errs)
		kept.Settle()
	})
}

// borrowing is two inputs that wait for room, in turn with a holder that keeps what they bring.
type borrowing struct {
	one, two *flow.Input
	kept     *flow.Reservation
	some     *flow.Reservation // likewise, a few bytes
	lent     chan string       // who has been lent a page
	goOn     chan struct{}     // its page is kept, and it waits for the next one
}

func newBorrowing() *borrowing {
	b := flow.NewBudget(128 * kib)
	zip := b.Account("Zip", false)
	some := zip.Reservation()
	some.Take(b.KeptReservation(), 10)
	return &borrowing{
		one: b.NewInput("one"), two: b.NewInput("two"), kept: zip.Reservation(), some: some,
		lent: make(chan string), goOn: make(chan struct{}),
	}
}

// bring has a page of an input kept, for which room was found at once.
func (b *borrowing) bring(t *testing.T, in *flow.Input, bytes int64) {
	t.Helper()
	l, err := in.Reserve(t.Context(), 1<<30)
	require.NoError(t, err)
	l.Resize(bytes)
	b.kept.Take(l, bytes)
	l.Settle()
}

func (b *borrowing) start(ctx context.Context) {
	for name, in := range map[string]*flow.Input{"one": b.one, "two": b.two} {
		go func() {
			for {
				l, err := in.Reserve(ctx, 1<<30)
				if err != nil {
					return
				}
				b.lent <- name
				<-b.goOn
				l.Resize(10)
				b.kept.Take(l, 10)
				l.Settle()
			}
		}()
	}
}

func (b *borrowing) stop(cancel context.CancelFunc) {
	cancel()
	b.goOn <- struct{}{}
}

func TestALentPageGoes(t *testing.T) {
	alone(t, "to each before any gets two, and to that which has had least", func(t *testing.T) {
		b := newBorrowing()
		ctx, cancel := context.WithCancel(t.Context())
		b.bring(t, b.two, 90*kib)
		b.start(ctx)
		require.Equal(t, "one", <-b.lent)
		b.goOn <- struct{}{}
		require.Equal(t, "two", <-b.lent)
		b.stop(cancel)
	})
	alone(t, "to that which has had least bytes, whatever it asked for", func(t *testing.T) {
		b := newBorrowing()
		ctx, cancel := context.WithCancel(t.Context())
		for range 10 {
			b.bring(t, b.one, 10)
		}
		b.bring(t, b.two, 100*kib)
		b.start(ctx)
		require.Equal(t, "one", <-b.lent)
		b.stop(cancel)
	})
	alone(t, "to that whose page last made the holder let go", func(t *testing.T) {
		b := newBorrowing()
		ctx, cancel := context.WithCancel(t.Context())
		b.bring(t, b.one, 100*kib)
		b.start(ctx)
		require.Equal(t, "two", <-b.lent)
		b.goOn <- struct{}{}
		require.Equal(t, "one", <-b.lent)
		b.some.Settle()
		b.goOn <- struct{}{}
		require.Equal(t, "one", <-b.lent)
		b.goOn <- struct{}{}
		require.Equal(t, "two", <-b.lent)
		b.stop(cancel)
	})
}
