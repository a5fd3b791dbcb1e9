package rx

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/reactivex/rxgo/v2"
)

// ErrItemType: an item of an Observable is not of the stream's type.
var ErrItemType = errors.New("rxcql: item of another type")

// A Receiver takes the items of an Observable as rows.
type Receiver[T any] struct {
	// Deliver takes up to Most rows, as many as were waiting. The slice is used again
	// when it returns.
	Deliver func(rows []T) error
	Most    int
	// Fail makes the error of the stream out of that of an item. users says that the
	// item was an error, so that its words are the user's; else the item was of
	// another type (ErrItemType).
	Fail func(err error, users bool) error
	// Leave, which may be nil, is called with the error when receiving ends before the
	// Observable has closed, to stop what feeds it.
	Leave func(error)
	// Stopping, which may be nil, ends the receiving in order when it is closed.
	Stopping <-chan struct{}
}

// Receive takes items until the Observable closes, which is no error, or the first
// error. stopped reports that Stopping ended it. Items that are left are read and
// dropped by a goroutine that lives until the Observable closes.
func (r Receiver[T]) Receive(ctx context.Context, obs rxgo.Observable, opts ...rxgo.Option) (stopped bool, err error) {
	items := obs.Observe(opts...)
	err = ErrExited // unless receive returns
	defer func() {
		if err != nil && r.Leave != nil {
			r.Leave(err)
		}
		discard(items)
	}()
	return r.receive(ctx, items)
}

// discard reads what is left, so that its senders can end. How long that takes, and whether it ends
// at all, depends on the Observable; the run does not wait for it.
func discard(items <-chan rxgo.Item) {
	select {
	case _, open := <-items:
		if !open {
			return
		}
	default:
	}
	go func() {
		for range items { // only its end counts
		}
	}()
}

func (r Receiver[T]) receive(ctx context.Context, items <-chan rxgo.Item) (stopped bool, err error) {
	rows := make([]T, 0, r.Most)
	for {
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-r.Stopping:
			return true, nil
		case item, open := <-items:
			var failed error
			for open {
				if rows, failed = r.add(rows, item); failed != nil || len(rows) == r.Most {
					break
				}
				select {
				case item, open = <-items:
					continue
				default:
				}
				break
			}
			if len(rows) > 0 {
				if err := r.Deliver(rows); err != nil {
					return false, err
				}
				clear(rows)
				rows = rows[:0]
			}
			if failed != nil {
				return false, failed
			}
			if !open {
				return false, context.Cause(ctx) // nil unless it has ended
			}
		}
	}
}

func (r Receiver[T]) add(rows []T, item rxgo.Item) ([]T, error) {
	if item.E != nil {
		return rows, r.Fail(item.E, true)
	}
	row, ok := item.V.(T)
	if !ok {
		return rows, r.Fail(fmt.Errorf("%w: got %T, want %v", ErrItemType, item.V, reflect.TypeFor[T]()), false)
	}
	return append(rows, row), nil
}
