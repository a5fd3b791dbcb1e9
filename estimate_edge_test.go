package rxcql_test

import (
	"context"
	"math"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// saying is a source that hands on a page of so many rows, and says how far it is, as the
// function tells it; until that wants no more.
func saying(rows int, say func(page int, st *rxcql.Stage) (more bool)) rxcql.Stream[int] {
	return rxcql.NewStream(rxcql.StageInfo{Name: "Own", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		track := st.Track(flow.WholeRange)
		for n := 0; ; n++ {
			reservation, err := st.Input().Reserve(ctx, 1)
			if err != nil {
				return err
			}
			if err := flow.Deliver(ctx, track, &flow.Page[int]{Rows: make([]int, rows), Reservation: reservation}, 8, nil, out); err != nil {
				return err
			}
			if !say(n, st) {
				return out.Done(ctx, false)
			}
		}
	})
}

func TestWhatIsNoMeasureIsNotTakenForOne(t *testing.T) {
	for name, said := range map[string][2]float64{
		"not a number":     {math.NaN(), 10},
		"of not a number":  {1, math.NaN()},
		"of less than all": {1, -1},
		"of infinity":      {math.Inf(1), math.Inf(1)},
	} {
		t.Run(name, func(t *testing.T) {
			var p *rxcql.Pipeline
			var first, second rxcql.Estimate
			p = pipeline(t, saying(5, func(n int, st *rxcql.Stage) bool {
				if n == 0 {
					st.Measured(said[0], said[1])
					first = p.Progress().Estimate
					st.Measured(1, 2)
					return true
				}
				st.Measured(said[0], said[1])
				second = p.Progress().Estimate
				return false
			}), &memory[int]{})
			_, err := p.Run(t.Context())
			require.NoError(t, err)
			require.Equal(t, rxcql.Estimate{}, first)
			require.Equal(t, rxcql.Estimate{Known: true, Fraction: 0.5, Rows: 10}, second)
		})
	}
}

func TestNoSourceIsMoreThanDoneOrLessThanNotBegun(t *testing.T) {
	var p *rxcql.Pipeline
	var got []float64
	said := make(chan struct{})
	first := saying(1, func(_ int, st *rxcql.Stage) bool {
		st.Measured(-30, 10)
		close(said)
		return false
	})
	second := saying(1, func(_ int, st *rxcql.Stage) bool {
		<-said
		st.Measured(-1, 10)
		got = append(got, p.Progress().Estimate.Fraction)
		st.Measured(15, 10)
		got = append(got, p.Progress().Estimate.Fraction)
		return false
	})
	p = pipeline(t, operators.Merge(first, second), &memory[int]{})
	_, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, []float64{0, 0.5}, got)
}

func TestRowsAreAsManyAsThoseThatThePartHas(t *testing.T) {
	var p *rxcql.Pipeline
	var all []rxcql.Estimate
	in := saying(5, func(n int, st *rxcql.Stage) bool {
		st.Measured([]float64{1e-300, 0.1, 0.2}[n], 1)
		return n < 2
	})
	p = pipeline(t, in, &memory[int]{write: func(context.Context, *flow.Page[int]) error { // a page that is not measured yet
		all = append(all, p.Progress().Estimate)
		return nil
	}})
	_, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Zero(t, all[1].Rows, "more than there can be")
	require.EqualValues(t, 100, all[2].Rows, "10 rows were a tenth, whatever has come since")
}

func TestASourceThatIsReadAgainLeavesTheFractionWhereItIs(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := measured(10, evenly(10)...)
		twice := rxcql.NewStream(rxcql.StageInfo{Name: "Twice"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
			pages := op[int, int]{next: out.Next, done: func(context.Context, bool) error { return nil }}
			for range 2 {
				if err := in.Subscribe(ctx, st, pages); err != nil {
					return err
				}
			}
			return out.Done(ctx, false)
		}, in)
		got, rep := during(t, pipeline(t, twice, &memory[int]{}), 5*time.Second+1, 15*time.Second+1)
		require.True(t, got[0].LeftKnown)
		require.Equal(t, rxcql.Estimate{Known: true, Fraction: 0.999, Rows: 15}, got[1], "how long the second reading takes is not known")
		require.Equal(t, rxcql.Estimate{Known: true, Fraction: 1, Rows: 20, LeftKnown: true}, rep.Estimate)
	})
}

func TestASourceThatGrowsTellsNoTimeUntilItIsAsFarAsItWas(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		grows := []float64{10, 10, 40, 40, 40} // how much there is
		in := saying(1, func(n int, st *rxcql.Stage) bool {
			if n > 0 {
				time.Sleep(2 * time.Second)
			}
			if n < len(grows) {
				st.Measured(float64(5*(n+1)), grows[n])
			}
			return n < len(grows)
		})
		got, _ := during(t, pipeline(t, in, &memory[int]{}), 1*time.Second, 3*time.Second, 5*time.Second, 9*time.Second)
		require.Equal(t, []float64{0.5, 0.999, 0.999, 0.999}, []float64{got[0].Fraction, got[1].Fraction, got[2].Fraction, got[3].Fraction})
		require.Equal(t, []bool{false, true, false, false}, []bool{got[0].LeftKnown, got[1].LeftKnown, got[2].LeftKnown, got[3].LeftKnown})
	})
}

func TestNothingIsLeftToWaitForWhenAllHasBeenRead(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		to := &memory[int]{flush: func(context.Context) error { // hours after the last page the rate is 0
			time.Sleep(24 * time.Hour)
			return nil
		}}
		got, _ := during(t, pipeline(t, measured(2, evenly(2)...), to), 3*time.Second, 20*time.Hour)
		for _, e := range got {
			require.Equal(t, rxcql.Estimate{Known: true, Fraction: 0.999, Rows: 2, LeftKnown: true}, e)
		}
	})
}

// Several sources are summed up in no order, so that the sum is never quite the same.
func TestASourceThatSaysTheSameAgainHasNotComeFurther(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		idle := func(part float64) rxcql.Stream[int] {
			return saying(1, func(n int, st *rxcql.Stage) bool {
				st.Measured(part/2, 1)
				time.Sleep(2 * time.Second)
				for range 1000 {
					st.Measured(part, 1)
					time.Sleep(10 * time.Millisecond)
				}
				return false
			})
		}
		in := operators.Merge(idle(0.1), idle(0.2), idle(0.3), idle(0.7))
		got, _ := during(t, pipeline(t, in, &memory[int]{}), 2*time.Second+time.Millisecond, 3*time.Second, 11*time.Second)
		require.InDelta(t, 8.3, got[0].Left.Seconds(), 0.3, "0.675 is left, and half of the rest took two seconds")
		require.InDelta(t, 7.3, got[1].Left.Seconds(), 0.3, "the time goes on as long as nothing is late")
		require.Greater(t, got[2].Left, got[0].Left, "and then the rate falls")
	})
}

func TestALoopThatIsLeftHasNoTimeLeft(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := &ends{}
		rows := 0
		for range measured(10, evenly(10)...).All(t.Context(), n.hooks()) {
			if rows++; rows == 5 {
				break
			}
		}
		require.Equal(t, rxcql.Estimate{Known: true, Fraction: 0.4, Rows: 10}, n.one(t).Report.Estimate)
	})
}

func TestARunThatTakeEndsIsAsFarAsItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rep, err := rxcql.Run(t.Context(), operators.Take(measured(10, evenly(10)...), 4), rxcql.Sink[int](&memory[int]{}))
		require.NoError(t, err)
		require.Equal(t, "Take", rep.EndedBy)
		require.Equal(t, rxcql.Estimate{Known: true, Fraction: 0.3, Rows: 10}, rep.Estimate)
	})
}

func TestPerCentAreWhole(t *testing.T) {
	for i := range 101 {
		require.Equal(t, i, rxcql.Estimate{Fraction: float64(i) / 100}.Percent())
	}
	require.Equal(t, 99, rxcql.Estimate{Fraction: 0.999}.Percent())
	require.Equal(t, "29 %, about 3s left", rxcql.Estimate{Known: true, Fraction: 0.29, LeftKnown: true, Left: 3 * time.Second}.String())
}

func TestAnIteratorWhoseTotalIsNotKnownYetSaysNothing(t *testing.T) {
	at, total := int64(0), int64(0)
	numbers := func(yield func(int64, error) bool) {
		for at < 100 {
			at++
			if at > 20 {
				total = 100
			}
			if !yield(at, nil) {
				return
			}
		}
	}
	var p *rxcql.Pipeline
	var all []rxcql.Estimate
	p = pipeline(t, source.Seq(numbers, source.PageRows(10), source.Measure(func() (done, of int64) { return at, total })),
		&memory[int64]{write: func(context.Context, *flow.Page[int64]) error {
			all = append(all, p.Progress().Estimate)
			return nil
		}})
	_, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, rxcql.Estimate{}, all[2])
	require.InDelta(t, 0.3, all[3].Fraction, 1e-9)
}
