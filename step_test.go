package rxcql_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/source"
)

// handsOn is an operator that does nothing, by Lift.
func handsOn(in rxcql.Stream[int], info rxcql.StageInfo) rxcql.Stream[int] {
	return rxcql.Lift(in, info, func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] { return out })
}

func TestStagesSayWhetherTheyMayHandRowsOnLate(t *testing.T) {
	late := func(s rxcql.Stream[int]) (names []string) {
		for _, info := range s.Stages() {
			if info.OutOfStep() {
				names = append(names, info.Name)
			}
		}
		return names
	}
	run := func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error { return out.Done(ctx, false) }
	in := source.Seq(func(func(int, error) bool) {})
	s := handsOn(in, rxcql.StageInfo{Name: "lifted"})
	require.Empty(t, late(s), "neither the source nor what Lift made")
	s = rxcql.NewStream(rxcql.StageInfo{Name: "says so", Synchronous: true}, run, s)
	require.Empty(t, late(s))
	s = rxcql.NewStream(rxcql.StageInfo{Name: "says nothing"}, run, s)
	s = handsOn(s, rxcql.StageInfo{Name: "holds", HoldsRows: true})
	s = handsOn(s, rxcql.StageInfo{Name: "lingers", LingersOnRows: true})
	s = handsOn(s, rxcql.StageInfo{Name: "scatters", MixesRows: true})
	s = handsOn(s, rxcql.StageInfo{Name: "folds", Adjacent: true})
	require.Equal(t, []string{"says nothing", "holds", "lingers", "scatters", "folds"}, late(handsOn(s, rxcql.StageInfo{Name: "lifted"})))
	require.Empty(t, rxcql.Stream[int]{}.Stages())
}

// split is a sink that takes a page row by row, and does as it is told with each.
type split func(r *rxcql.Execution, st *rxcql.Stage, row *flow.Page[int]) error

func (fn split) Info() rxcql.SinkInfo { return rxcql.SinkInfo{} }

func (fn split) Check(context.Context) error { return nil }

func (fn split) Open(_ context.Context, r *rxcql.Execution) (rxcql.Writer[int], error) {
	return splitting{fn, r, r.SinkStage("split")}, nil
}

type splitting struct {
	fn split
	r  *rxcql.Execution
	st *rxcql.Stage
}

func (w splitting) Write(_ context.Context, p *flow.Page[int]) error {
	before := p.Position
	err := p.EachRow(func(row *flow.Page[int]) error { return w.fn(w.r, w.st, row) })
	if p.Position != before {
		return errors.New("the page's position has changed")
	}
	return err
}

func (splitting) Flush(context.Context) error { return nil }
func (splitting) Close() error                { return nil }

func pageOf(n, rows int) rxcql.Stream[int] {
	return source.Seq(func(yield func(int, error) bool) {
		for i := 0; i < n && yield(i, nil); i++ {
		}
	}, source.PageRows(rows))
}

func TestRowsOfAPageOneByOneKeepTheirPlace(t *testing.T) {
	var last []int
	visit := split(func(_ *rxcql.Execution, _ *rxcql.Stage, row *flow.Page[int]) error {
		for i, n := range row.Rows {
			if row.RowIndex(i) != n%4 || row.RowIndex(-1) != -1 || row.Page != int64(n/4) {
				return errors.New("it is not where it was")
			}
			if row.Last {
				last = append(last, n)
			}
		}
		return row.EachRow(func(same *flow.Page[int]) error { // of a page that was cut already
			if len(row.Rows) == 1 && same.RowIndex(0) != row.Rows[0]%4 {
				return errors.New("it is not where it was")
			}
			return nil
		})
	})
	p, err := rxcql.New(pageOf(10, 4), visit)
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.Equal(t, []int{9}, last)
}

func TestARowErrorInAPageOfOneRowNamesTheRowOfThePage(t *testing.T) {
	for index, want := range map[int]int{0: 2, -1: -1} {
		bad := split(func(r *rxcql.Execution, st *rxcql.Stage, row *flow.Page[int]) error {
			if len(row.Rows) == 0 || row.Rows[0] != 6 {
				return nil
			}
			return st.RowFailed(r.Context(), row.Reservation, rxcql.FailedRow{Position: row.Position, Index: index, Err: errors.New("bad")})
		})
		p, err := rxcql.New(pageOf(10, 4), bad)
		require.NoError(t, err)
		_, err = p.Run(context.Background())
		var failed *rxcql.RowError
		require.ErrorAs(t, err, &failed)
		require.Equal(t, []int{1, want}, []int{int(failed.Page), failed.Row})
	}
}

func TestStagesOfARunShareWhatWasMadeFirst(t *testing.T) {
	type key int
	var got []any
	share := split(func(r *rxcql.Execution, _ *rxcql.Stage, row *flow.Page[int]) error {
		for _, k := range []key{1, 1, 2} {
			n := len(got)
			got = append(got, r.Shared(k, func() any { return n }))
		}
		return nil
	})
	p, err := rxcql.New(pageOf(1, 1), share)
	require.NoError(t, err)
	for range 2 {
		_, err = p.Run(context.Background())
		require.NoError(t, err)
	}
	require.Equal(t, []any{0, 0, 2, 0, 0, 2, 6, 6, 8, 6, 6, 8}, got, "two pages a run, and each run has its own")
}
