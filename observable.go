package rxcql

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"unsafe"

	"github.com/reactivex/rxgo/v2"
)

// pageItems is the most rows that FromObservable puts into one page.
const pageItems = 512

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
		err := errExited // unless run returns
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

// FromObservable takes rows from an rxgo Observable. Items that are not of type T are an error
// (ErrItemType), an error item ends the stream with that error. Whether it can be run more
// than once is the Observable's affair. When the stream is ended from downstream or ctx ends,
// a goroutine reads on and drops the items until the Observable closes, so that those who send
// them can end; nothing waits for it, and a test that looks for goroutines (goleak) may see
// it. What rxgo has running behind the Observable obeys the context that it was given, not
// this one: cancel that, or it goes on. The rows weigh nothing in the budget until an operator
// keeps them.
func FromObservable[T any](obs rxgo.Observable) Stream[T] {
	info := StageInfo{Name: "FromObservable", Source: true, Scatters: true, NotResumable: true}
	if obs == nil {
		info.Err = errors.New("the Observable is nil")
	}
	return NewStream(info, func(ctx context.Context, st *Stage, out Observer[T]) error {
		st.Input().Unmetered()
		defer st.Input().Done()
		return Receive(ctx, st, obs, out, nil)
	})
}

// Receive delivers the items of an Observable to out, as pages of up to 512
// rows: as many as are waiting. It is what FromObservable and operators.Rx are
// made of. leave, which may be nil, is called with the error when receiving ends
// before the Observable has closed, to stop what feeds it; the items that are
// left are then read and dropped by a goroutine that lives until it closes.
//
// Pipeline.Stop ends the receiving of a source; other stages receive until their
// upstream has stopped and the Observable closes.
func Receive[T any](ctx context.Context, st *Stage, obs rxgo.Observable, out Observer[T],
	leave func(error), opts ...rxgo.Option,
) error {
	items := obs.Observe(opts...)
	err := errExited // unless receive returns
	defer func() {
		if err != nil && leave != nil {
			leave(err)
		}
		discard(items)
	}()
	err = receive(ctx, st, items, out)
	return err
}

// discard has what is left read, so that whoever sends it can end. How long that
// takes, and whether it ends at all, is up to the Observable: the run does not wait.
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

func receive[T any](ctx context.Context, st *Stage, items <-chan rxgo.Item, out Observer[T]) error {
	rows := make([]T, 0, pageItems)
	var page int64
	add := func(item rxgo.Item) error {
		if item.E != nil {
			return st.FailUsers(item.E, nil)
		}
		row, ok := item.V.(T)
		if !ok {
			return st.Fail(fmt.Errorf("%w: got %T, want %v", ErrItemType, item.V, reflect.TypeFor[T]()))
		}
		rows = append(rows, row)
		return nil
	}
	deliver := func() error {
		p := &Page[T]{Rows: rows, Lease: &Lease{budget: st.run.budget}}
		if st.input != nil {
			st.PageRead(len(rows), 0)
			p.Owe(st.Receipt())
		}
		p.Position = Position{Range: 0, Page: page}
		page++
		p.onItsWay()
		err := out.Next(ctx, p)
		p.Finish(err)
		clear(rows)
		rows = rows[:0]
		return err
	}
	var stopping <-chan struct{}
	if st.input != nil {
		stopping = st.Run().Stopping()
	}
	for {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-stopping:
			return out.Done(ctx, true)
		case item, open := <-items:
			var failed error
			for open {
				if failed = add(item); failed != nil || len(rows) == pageItems {
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
				if err := deliver(); err != nil {
					return err
				}
			}
			if failed != nil {
				return failed
			}
			if !open {
				if ctx.Err() != nil {
					return context.Cause(ctx)
				}
				return out.Done(ctx, false)
			}
		}
	}
}
