package rxcqltest_test

import (
	"context"
	"errors"
	"strconv"
	"testing"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/rxcqltest"
)

const (
	bookPart = 20 // rows of each part
	bookPage = 4
)

// book is a source of lists with one number each. What it does can be replaced, so that it does
// wrong.
type book struct {
	rows   int
	fail   error // behind the rows
	stalls bool  // behind the rows

	start   func(r *reading) error
	says    func(parts int) int                   // how many parts it says that there are
	read    func(r *reading, p *flow.Page[[]int]) // before a page is delivered
	deliver func(ctx context.Context, r *reading, p *flow.Page[[]int], next []byte) error
	from    func(state int) int // where a run goes on
	done    func(ctx context.Context, r *reading, stopped bool) error
	failing func(ctx context.Context, r *reading, err error)
	stall   func(ctx context.Context, r *reading) error
	ended   func(err error) error

	runs int
}

// reading is a book in one run.
type reading struct {
	*book
	st  *rxcql.Stage
	out flow.Observer[[]int]
}

func (b *book) stream() rxcql.Stream[[]int] {
	return rxcql.NewStream(rxcql.StageInfo{Name: "Book", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[[]int]) error {
		defer st.Input().Done()
		b.runs++
		r := &reading{book: b, st: st, out: out}
		if b.start != nil {
			if err := b.start(r); err != nil {
				return err
			}
		}
		err := r.parts(ctx)
		if b.ended != nil {
			return b.ended(err)
		}
		return err
	})
}

var errClosed = errors.New("reading is stopped")

func (r *reading) parts(ctx context.Context) error {
	done, begun, err := r.st.Resume(rxcql.Identity{Facts: []rxcql.Fact{{Name: "book", Value: "one"}}})
	if err != nil {
		return err
	}
	tracks := map[flow.TokenRange]*flow.Track{}
	for _, t := range begun {
		tracks[t.Range()] = t
	}
	var all []flow.TokenRange
	for from := 0; from == 0 || from < r.rows; from += bookPart {
		all = append(all, flow.TokenRange{Start: int64(from), End: int64(from + bookPart)})
	}
	for _, span := range flow.Remaining(all, done, begun) {
		tracks[span] = r.st.Track(span)
	}
	r.st.CountRanges(len(tracks))
	says := len(tracks)
	if r.says != nil {
		says = r.says(says)
	}
	r.st.Parts(ctx, flow.Parts{Count: says})
	for i, span := range all {
		if t := tracks[span]; t != nil && err == nil {
			err = r.part(ctx, i, t)
		}
	}
	if err == nil && r.fail != nil {
		err = r.st.Fail(r.fail)
		if r.failing != nil {
			r.failing(ctx, r, err)
		}
	}
	if err == nil && r.stalls {
		stall := r.stall
		if stall == nil {
			stall = wait
		}
		if err = stall(ctx, r); errors.Is(err, errClosed) {
			return r.out.Done(ctx, true)
		}
	}
	switch {
	case errors.Is(err, errClosed):
		return r.end(ctx, true)
	case err != nil:
		return err
	}
	return r.end(ctx, false)
}

func wait(ctx context.Context, r *reading) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-r.st.Run().Stopping():
		return errClosed
	}
}

func (r *reading) end(ctx context.Context, stopped bool) error {
	if r.done != nil {
		return r.done(ctx, r, stopped)
	}
	return r.out.Done(ctx, stopped)
}

// part reads one part.
func (r *reading) part(ctx context.Context, i int, t *flow.Track) error {
	page, state := t.From()
	at := i * bookPart
	if state != nil {
		at, _ = strconv.Atoi(string(state))
		if r.from != nil {
			at = r.from(at)
		}
	}
	for last := false; !last; page++ {
		select {
		case <-r.st.Run().Stopping():
			return errClosed
		default:
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err := t.AwaitRoom(ctx); err != nil {
			return err
		}
		reservation, err := r.st.Input().Reserve(ctx, 100)
		if err != nil {
			return err
		}
		p := &flow.Page[[]int]{Reservation: reservation}
		for len(p.Rows) < bookPage && at < min(r.rows, (i+1)*bookPart) {
			p.Rows = append(p.Rows, []int{at})
			at++
		}
		last = at >= min(r.rows, (i+1)*bookPart)
		p.Position = flow.Position{Range: i, Page: page, Last: last && r.fail == nil && !r.stalls}
		p.Resize(100)
		if r.read != nil {
			r.read(r, p)
		}
		deliver := r.deliver
		if deliver == nil || r.st.Run().HasCheckpoint() {
			deliver = func(ctx context.Context, r *reading, p *flow.Page[[]int], next []byte) error {
				return flow.Deliver(ctx, t, p, 100, next, r.out)
			}
		}
		if err := deliver(ctx, r, p, strconv.AppendInt(nil, int64(at), 10)); err != nil {
			return err
		}
	}
	return nil
}

// handOn is flow.Deliver without a job.
func handOn(ctx context.Context, r *reading, p *flow.Page[[]int]) error {
	r.st.CountPage(len(p.Rows), 100)
	p.AddReceipt(r.st.Receipt())
	err := r.out.Next(ctx, p)
	p.Finish(err)
	return err
}

// emptyPage hands on a page that is of nothing.
func emptyPage(ctx context.Context, r *reading) error {
	reservation, err := r.st.Input().Reserve(ctx, 1)
	if err != nil {
		return err
	}
	p := &flow.Page[[]int]{Reservation: reservation}
	err = r.out.Next(ctx, p)
	p.Finish(err)
	return err
}

// bookPlace is a place of the suite. change, which may be nil, makes its sources wrong.
func bookPlace(change func(t testing.TB, b *book)) func(testing.TB) rxcqltest.SourcePlace[[]int] {
	return func(t testing.TB) rxcqltest.SourcePlace[[]int] {
		of := func(b *book) rxcql.Stream[[]int] {
			if change != nil {
				change(t, b)
			}
			return b.stream()
		}
		return rxcqltest.SourcePlace[[]int]{
			Stream: func(rows int) rxcql.Stream[[]int] { return of(&book{rows: rows}) },
			Number: func(row []int) int { return row[0] },
			Fails: func(rows int) (rxcql.Stream[[]int], error) {
				return of(&book{rows: rows, fail: errLost}), errLost
			},
			Stalls: func(rows int) rxcql.Stream[[]int] { return of(&book{rows: rows, stalls: true}) },
		}
	}
}
