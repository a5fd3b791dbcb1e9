package source

import (
	"context"
	"io"
	"unsafe"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// filePart reads files, each a part. It belongs to one goroutine.
type filePart[T any] struct {
	files   *files[T]
	cfg     fileConfig
	paths   []string
	st      *rxcql.Stage
	buffers buffers[T]
	size    func(*T) int
	guess   int64 // bytes of the page before
}

// read reads a file, see partReader.
func (f *filePart[T]) read(ctx context.Context, p part, limit func() int64, send func(*fetched[T]) error) error {
	track := p.track
	if track == nil {
		track = f.st.Track(p.span)
	}
	if err := track.AwaitRoom(ctx); err != nil {
		return err
	}
	page, state := track.From()
	r, err := f.files.open(ctx, f.paths[p.span.Start], f.cfg)
	if err != nil {
		return f.st.Fail(err)
	}
	defer func() { _ = r.close() }()
	if state != nil {
		if err := r.goOn(state); err != nil {
			return f.st.Fail(err)
		}
	}
	for {
		got, failed := f.page(ctx, r, flow.Position{Range: p.index, Page: page}, limit())
		if got == nil {
			return failed
		}
		if got.track = track; !got.Last {
			got.next = r.place()
		}
		last := got.Last
		if err := send(got); err != nil {
			got.Release() // it may not have been delivered
			return err
		}
		if failed != nil || last {
			return failed
		}
		if err := track.AwaitRoom(ctx); err != nil {
			return err
		}
		page++
	}
}

// page reads a page of at most so many rows, 0 for any number. With an error it returns the rows
// before the one that failed, or nil.
func (f *filePart[T]) page(ctx context.Context, r *fileReader[T], at flow.Position, most int64) (*fetched[T], error) {
	var zero T
	want := f.st.Input().PageBytes()
	reservation, err := f.st.Input().Reserve(ctx, max(f.guess, int64(unsafe.Sizeof(zero))))
	if err != nil {
		return nil, err
	}
	page := &fetched[T]{rows: f.buffers.get()}
	full := func() bool {
		n := len(page.rows) + len(page.bad)
		return n >= f.cfg.pageRows || page.received >= want || most > 0 && int64(n) >= most
	}
	for !full() && err == nil && !at.Last {
		if ctx.Err() != nil {
			reservation.Release()
			return nil, context.Cause(ctx)
		}
		at.Last, err = f.row(r, page, at.Page)
	}
	f.guess = page.received
	reservation.Resize(page.received)
	reservation.Position = at
	page.Page = flow.Page[T]{Rows: page.rows, Reservation: reservation}
	return page, err
}

// row adds the next row to the page; an empty line adds none. last reports whether the file has
// ended.
func (f *filePart[T]) row(r *fileReader[T], page *fetched[T], number int64) (last bool, err error) {
	record, err := r.format.record(r.in)
	switch {
	case err == io.EOF: //nolint:errorlint // lines returns it unwrapped; a user's method may wrap one
		return true, nil
	case err != nil:
		return false, f.failed(r, page, number, err)
	case record == nil:
		return false, nil
	}
	var row T
	if err = r.format.row(record, &row); err == nil {
		r.in.Accept()
		page.rows = append(page.rows, row)
		page.received += int64(f.size(&page.rows[len(page.rows)-1]))
		return false, nil
	}
	if !f.st.SkipsFailed() {
		return false, f.failed(r, page, number, err)
	}
	kept, size, wrong := r.leaveOut(f.st, record, err)
	page.bad = append(page.bad, undecoded{index: len(page.rows) + len(page.bad), row: kept, err: wrong})
	page.received += int64(badCost + size)
	return false, nil
}

func (f *filePart[T]) failed(r *fileReader[T], page *fetched[T], number int64, err error) error {
	at := len(page.rows) + len(page.bad)
	if readFailed(err) {
		at = -1
	}
	failed := &rxcql.RowError{Range: r.path, Page: number, Row: at, Err: r.wrong(err)}
	return f.st.Fail(failed)
}
