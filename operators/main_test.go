package operators_test

import (
	"context"
	"iter"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/leak"
	"github.com/rxcql/rxcql/source"
)

func TestMain(m *testing.M) {
	if name := os.Getenv(apartKey); name != "" {
		runApart(name)
		return
	}
	leak.Main(fakeToTheEnd{m})
}

// numbers yields 0 to n-1 and counts what was taken of them.
func numbers(n int, taken *int) iter.Seq2[int, error] {
	return func(yield func(int, error) bool) {
		for i := range n {
			if taken != nil {
				*taken++
			}
			if !yield(i, nil) {
				return
			}
		}
	}
}

func upTo(n int) []int {
	all := make([]int, n)
	for i := range all {
		all[i] = i
	}
	return all
}

// count is a stream of 0 to n-1 in pages of the given number of rows.
func count(n, page int) rxcql.Stream[int] {
	return source.Seq(numbers(n, nil), source.PageRows(page))
}

func collect[T any](t *testing.T, s rxcql.Stream[T], opts ...rxcql.Option) []T {
	t.Helper()
	rows, err := s.Collect(context.Background(), opts...)
	require.NoError(t, err)
	return rows
}

// stagesOf gives the stages of a report by name.
func stagesOf(rep rxcql.Report) map[string]rxcql.StageReport {
	all := map[string]rxcql.StageReport{}
	for _, st := range rep.Stages {
		all[st.Name] = st
	}
	return all
}

// parts is a source of several ranges whose pages are interleaved as given.
type part[T any] struct {
	index int
	rows  []T
	last  bool
}

func ranges[T any](parts ...part[T]) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: "Parts", Source: true}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		defer st.Input().Done()
		pages := map[int]int64{}
		for _, each := range parts {
			select {
			case <-st.Run().Stopping():
				return out.Done(ctx, true)
			default:
			}
			reservation, err := st.Input().Reserve(ctx, 64)
			if err != nil {
				return err
			}
			p := &flow.Page[T]{Rows: each.rows, Reservation: reservation}
			p.Position = flow.Position{Range: each.index, Page: pages[each.index], Last: each.last}
			pages[each.index]++
			p.Resize(int64(len(each.rows)) * 64)
			p.AddReceipt(st.Receipt())
			st.CountPage(len(each.rows), 0)
			err = out.Next(ctx, p)
			p.Finish(err)
			if err != nil {
				return err
			}
		}
		return out.Done(ctx, false)
	})
}

// seen is a page as it arrived.
type seen[T any] struct {
	flow.Advance
	Rows []T
}

// pagesOut runs a stream into a sink that keeps the pages that arrive.
func pagesOut[T any](t *testing.T, s rxcql.Stream[T]) ([]seen[T], rxcql.Report) {
	t.Helper()
	sink := &gather[T]{}
	p, err := rxcql.New(s, sink)
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	return sink.pages, rep
}

// gather is a sink that keeps everything.
type gather[T any] struct {
	pages []seen[T]
	took  func(rows []T) error
	st    *rxcql.Stage
}

func (g *gather[T]) Info() rxcql.SinkInfo { return rxcql.SinkInfo{} }

func (g *gather[T]) Check(context.Context) error { return nil }

func (g *gather[T]) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[T], error) {
	g.st, g.pages = r.SinkStage("gather"), nil
	return g, nil
}

func (g *gather[T]) Write(_ context.Context, p *flow.Page[T]) error {
	g.st.CountIn(len(p.Rows))
	if g.took != nil {
		if err := g.took(p.Rows); err != nil {
			return err
		}
	}
	g.pages = append(g.pages, seen[T]{Advance: p.Advance(), Rows: append([]T{}, p.Rows...)})
	g.st.CountWritten(len(p.Rows))
	return nil
}

func (g *gather[T]) Flush(context.Context) error { return nil }
func (g *gather[T]) Close() error                { return nil }

func (g *gather[T]) rows() []T {
	var all []T
	for _, p := range g.pages {
		all = append(all, p.Rows...)
	}
	return all
}
