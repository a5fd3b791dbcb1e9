package jobtest

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/saved"
)

// Parts is a source of several parts, of which pages come in a random order: part
// i has the tokens (i, i+1]. The state of a page is the number of rows up to its
// end.
type Parts[T any] struct {
	Name     string
	Rows     [][]T
	PageRows int
	Seed     uint64
	Facts    []rxcql.Fact
	Pages    string
	Grows    bool  // but of a part that is done nothing is kept
	Empty    bool  // a page without rows comes before each with rows
	KeepsEnd bool  // with Grows: also of a part that is done the state is kept, so it may get more rows
	Order    []int // the parts of the first pages; the others come in a random order

	Read int // rows delivered, over all runs
}

// Stream is the source.
func (p *Parts[T]) Stream() rxcql.Stream[T] {
	name := p.Name
	if name == "" {
		name = "Parts"
	}
	return rxcql.NewStream(rxcql.StageInfo{Name: name, Source: true}, p.run)
}

// reader is one part on its way.
type reader struct {
	track *flow.Track
	part  int
	index int
	at    int
	page  int64
}

func (p *Parts[T]) run(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
	defer st.Input().Done()
	readers, err := p.readers(st)
	if err != nil {
		return err
	}
	st.CountRanges(len(readers))
	st.Parts(ctx, flow.Parts{Count: len(readers)})
	random, order := rand.New(rand.NewPCG(p.Seed, 1)), p.Order
	for len(readers) > 0 {
		select {
		case <-st.Run().Stopping():
			return out.Done(ctx, true)
		default:
		}
		i := random.IntN(len(readers))
		if len(order) > 0 {
			if at := slices.IndexFunc(readers, func(r *reader) bool { return r.part == order[0] }); at >= 0 {
				i = at
			}
			order = order[1:]
		}
		last, err := p.page(ctx, st, readers[i], out)
		if err != nil {
			return err
		}
		if last {
			readers = append(readers[:i], readers[i+1:]...)
		}
	}
	return out.Done(ctx, false)
}

// readers are the parts that are still to be read.
func (p *Parts[T]) readers(st *rxcql.Stage) (readers []*reader, err error) {
	done, begun, err := st.Resume(rxcql.Identity{Facts: p.Facts, Pages: p.Pages, Grows: p.Grows})
	if err != nil {
		return nil, err
	}
	for _, t := range begun {
		page, state := t.From()
		at, err := strconv.Atoi("0" + string(state))
		if err != nil {
			return nil, err
		}
		readers = append(readers, &reader{track: t, part: int(t.Range().Start), at: at, page: page})
	}
	var all []flow.TokenRange
	for i := range p.Rows {
		all = append(all, flow.TokenRange{Start: int64(i), End: int64(i) + 1})
	}
	for _, span := range flow.Remaining(all, done, begun) {
		if span.End != span.Start+1 {
			return nil, errors.New("a part was cut")
		}
		readers = append(readers, &reader{part: int(span.Start)})
	}
	for i := range readers {
		readers[i].index = i
	}
	return readers, nil
}

func (p *Parts[T]) page(ctx context.Context, st *rxcql.Stage, r *reader, out flow.Observer[T]) (last bool, err error) {
	if r.track == nil {
		r.track = st.Track(flow.TokenRange{Start: int64(r.part), End: int64(r.part) + 1})
	}
	if err := r.track.AwaitRoom(ctx); err != nil {
		return false, err
	}
	reservation, err := st.Input().Reserve(ctx, 64)
	if err != nil {
		return false, err
	}
	rows := p.Rows[r.part][r.at:]
	rows = rows[:min(len(rows), p.PageRows)]
	if p.Empty && r.page%2 == 0 && len(rows) > 0 {
		rows = nil
	}
	r.at += len(rows)
	last = r.at == len(p.Rows[r.part])
	page := &flow.Page[T]{Rows: append([]T{}, rows...), Reservation: reservation}
	page.Position = flow.Position{Range: r.index, Page: r.page, Last: last}
	r.page++
	page.Resize(int64(len(rows)))
	p.Read += len(rows)
	next := []byte(strconv.Itoa(r.at))
	if last && !p.KeepsEnd {
		next = nil // as Cassandra has none
	}
	return last, flow.Deliver(ctx, r.track, page, 0, next, out)
}

// Settled are the rows that a checkpoint counts as settled, of the source as it
// stands there.
func (p *Parts[T]) Settled(src saved.Source) (rows []T, err error) {
	for _, done := range src.Done {
		for part := done.Start; part < done.End; part++ {
			rows = append(rows, p.Rows[part]...)
		}
	}
	for _, part := range src.Parts {
		n, err := strconv.Atoi("0" + string(part.State))
		if err != nil {
			return nil, err
		}
		rows = append(rows, p.Rows[part.Range.Start][:n]...)
	}
	return rows, nil
}
