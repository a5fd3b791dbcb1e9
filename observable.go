package rxcql

import (
	"context"
	"unsafe"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxcql/rxcql/internal/rx"
)

// Observable gives the rows of the stream to any rxgo operator, one item a row. It is cold: every
// observer runs the stream anew.
//
// An error is the last item, however late it is read. If ctx ends, that error has the text of the
// context's cause, and rows that were not read yet may be missing before it. With the default
// channel, which buffers one item, the rows read are then the first rows of the stream, without a
// gap. With rxgo.WithBufferedChannel(2) or more, here or at an operator, a reader that reads at the
// very moment when ctx ends may also miss rows in between.
//
// A reader that stops reading must cancel ctx, as with every rxgo source, or the context that it
// gave to rxgo.WithContext. Behind an operator with rxgo.WithBufferedChannel(0) only the latter
// helps: that channel has no room in which the error could wait. A panic in a function that rxgo
// itself calls cannot be recovered here.
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
		defer context.AfterFunc(reader, func() { cancel(ownCause(context.Cause(reader))) })()
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

// sendLast sends the last item of a channel on which nobody else sends. Until ctx ends it waits for
// the reader to take the items before. After that a slow reader cannot be told from one that has
// gone: so sendLast takes the unread items back, and the last item gets a place in the channel's
// buffer, where it can be read at any time. A channel without a buffer has no such place; there the
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
