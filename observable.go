package rxcql

import (
	"context"
	"unsafe"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxcql/rxcql/internal/rx"
)

// Observable gives the rows of the stream to any rxgo operator, one item a row.
// It is cold: every observer runs the stream anew. An error is the last item,
// also when ctx ends, however late it is read; then its text is the context's
// cause, and rows that were waiting to be read may be left out before it: with the
// one place that the channel has, what was read is the first rows without a gap; with
// rxgo.WithBufferedChannel(2) or more, here or behind an operator, a reader that reads
// in the very moment when ctx ends may miss rows between others.
//
// A reader that goes away must cancel ctx, as with every rxgo source, or the context
// that it gave to rxgo.WithContext. Behind an operator that was given
// rxgo.WithBufferedChannel(0) only the latter helps: there the error has no place
// to wait for a reader that is gone. A panic in a function that rxgo itself calls
// cannot be recovered here.
func (s Stream[T]) Observable(ctx context.Context, opts ...Option) rxgo.Observable {
	return observable(ctx, func(ctx context.Context, next func(rows []T) error) error {
		_, err := s.each(ctx, opts, next)
		return err
	})
}

func observable[T any](ctx context.Context, run func(ctx context.Context, next func(rows []T) error) error) rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(reader context.Context, ch chan<- rxgo.Item) {
		ctx, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		defer context.AfterFunc(reader, func() { cancel(context.Cause(reader)) })()
		err := rx.ErrExited // unless run returns
		defer func() {
			if err != nil {
				sendLast(ctx, reader, ch, rxgo.Error(err))
			}
		}()
		err = run(ctx, func(rows []T) error {
			for _, row := range rows {
				select {
				case ch <- rxgo.Of(row):
				case <-ctx.Done():
					return context.Cause(ctx)
				}
			}
			return nil
		})
	}}, rxgo.WithBufferedChannel(1))
}

// sendLast sends the item that is the last of a channel on which nobody else
// sends. Until ctx ends it waits for the reader to take what comes before. From
// then on nobody can tell a slow reader from one that has gone: what was not read
// is taken back, so that the item has a place in the channel's buffer, to be read
// whenever that may be. A channel without a buffer has no place for it; there the
// reader's own context must end.
func sendLast(ctx, reader context.Context, ch chan<- rxgo.Item, last rxgo.Item) {
	select {
	case ch <- last:
		return
	case <-ctx.Done():
	}
	if cap(ch) == 0 {
		select {
		case ch <- last:
		case <-reader.Done():
		}
		return
	}
	// rxgo gives producers the sending side only. In memory both are the same.
	both := *(*chan rxgo.Item)(unsafe.Pointer(&ch))
	for {
		select {
		case ch <- last:
			return
		default:
		}
		for taken := true; taken; {
			select {
			case <-both:
			default:
				taken = false
			}
		}
	}
}
