package rxcql_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// step is a page of one row, after a wait, and how far the source says to be then.
type step struct {
	Wait time.Duration
	Done float64
}

// measured is a source of so many units that says how far it is.
func measured(total float64, steps ...step) rxcql.Stream[int] {
	return rxcql.NewStream(rxcql.StageInfo{Name: "Own", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		done, begun, err := st.Resume(rxcql.Identity{})
		if err != nil || len(done) > 0 {
			return err
		}
		var track *flow.Track
		if len(begun) > 0 {
			track = begun[0]
			from, _ := track.From()
			st.Measured(steps[from-1].Done, total)
			steps = steps[from:]
		} else {
			track = st.Track(flow.WholeRange)
			st.Measured(0, total)
		}
		for i, s := range steps {
			select {
			case <-time.After(s.Wait):
			case <-st.Run().Stopping():
				return out.Done(ctx, true)
			}
			reservation, err := st.Input().Reserve(ctx, 1)
			if err != nil {
				return err
			}
			p := &flow.Page[int]{Rows: []int{i}, Reservation: reservation}
			p.Last = i == len(steps)-1
			if err := flow.Deliver(ctx, track, p, 8, []byte{1}, out); err != nil {
				return err
			}
			st.Measured(s.Done, total)
		}
		return out.Done(ctx, false)
	})
}

// evenly are steps of a second.
func evenly(n int) (all []step) {
	for i := range n {
		all = append(all, step{time.Second, float64(i + 1)})
	}
	return all
}

// during runs a pipeline and asks it how far it is, after so long.
func during(t *testing.T, p *rxcql.Pipeline, at ...time.Duration) (all []rxcql.Estimate, rep rxcql.Report) {
	t.Helper()
	end := make(chan rxcql.Report, 1)
	start := time.Now()
	go func() {
		rep, err := p.Run(t.Context())
		if err != nil {
			t.Error(err)
		}
		end <- rep
	}()
	for _, after := range at {
		time.Sleep(after - time.Since(start))
		all = append(all, p.Progress().Estimate)
	}
	return all, <-end
}

func TestProgressTellsHowMuchIsDoneAndHowLongTheRestTakes(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		p := pipeline(t, measured(100, evenly(100)...), &memory[int]{})
		require.Zero(t, p.Progress().Estimate)
		half := time.Second / 2
		got, rep := during(t, p, half, time.Second+half, 50*time.Second+half, 99*time.Second+half)
		require.Equal(t, rxcql.Estimate{Known: true}, got[0], "nothing is done, which is not the same as unknown")
		require.Equal(t, []float64{0.01, 0.5, 0.99}, []float64{got[1].Fraction, got[2].Fraction, got[3].Fraction})
		for i, want := range []time.Duration{99*time.Second - half, 50*time.Second - half, half} {
			require.True(t, got[i+1].LeftKnown)
			require.InDelta(t, want, got[i+1].Left, float64(100*time.Millisecond))
			require.EqualValues(t, 100, got[i+1].Rows)
		}
		require.Equal(t, rxcql.Estimate{Known: true, Fraction: 1, Rows: 100, LeftKnown: true}, rep.Estimate)
		require.Equal(t, rep, p.Progress())
		require.Equal(t, "50 %, about 50s left", got[2].String())
		require.Equal(t, []string{"unknown", "0 %", "100 %"}, []string{rxcql.Estimate{}.String(), got[0].String(), rep.Estimate.String()})
	})
}

func TestTheTimeLeftGoesByTheRateOfLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		steps := evenly(100)
		for i := 50; i < 100; i++ {
			steps[i].Wait = 4 * time.Second
		}
		got, _ := during(t, pipeline(t, measured(100, steps...), &memory[int]{}), 50*time.Second, 170*time.Second, 199*time.Second)
		require.InDelta(t, 50*time.Second, got[0].Left, float64(2*time.Second))
		require.InDelta(t, 80*time.Second, got[1].Left, float64(10*time.Second), "30 steps of a second and 50 more of four")
		require.Greater(t, got[1].Left-got[2].Left, 20*time.Second)
	})
	synctest.Test(t, func(t *testing.T) {
		steps := []step{{time.Second, 10}, {time.Second, 20}, {10 * time.Minute, 30}, {0, 100}}
		got, _ := during(t, pipeline(t, measured(100, steps...), &memory[int]{}), 2*time.Second+1, time.Minute, 5*time.Minute)
		require.InDelta(t, 8*time.Second, got[0].Left, float64(time.Second))
		require.Greater(t, got[1].Left, 20*time.Second, "nothing has come for a minute")
		require.Greater(t, got[2].Left, 10*time.Minute, "nor for five")
	})
}

func TestHowFarARunIsIsUnknownWhereASourceDoesNotSay(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		both := operators.Merge(measured(10, evenly(10)...), source.Chan(numbersEvery(time.Second, 10)))
		got, rep := during(t, pipeline(t, both, &memory[int]{}), 5*time.Second)
		require.Equal(t, rxcql.Estimate{}, got[0])
		require.Equal(t, rxcql.Estimate{Known: true, Fraction: 1, Rows: 20, LeftKnown: true}, rep.Estimate, "at the end it is known")
	})
	synctest.Test(t, func(t *testing.T) {
		both := operators.Merge(measured(10, evenly(10)...), measured(1000, step{20 * time.Second, 1000}))
		got, _ := during(t, pipeline(t, both, &memory[int]{}), 5*time.Second+1)
		require.True(t, got[0].Known)
		require.InDelta(t, 0.25, got[0].Fraction, 1e-9, "the mean of both")
	})
}

// numbersEvery sends numbers, and closes the channel.
func numbersEvery(d time.Duration, n int) <-chan int {
	ch := make(chan int)
	go func() {
		defer close(ch)
		for i := range n {
			time.Sleep(d)
			ch <- i
		}
	}()
	return ch
}

func TestWhatEarlierRunsDidIsDoneAndNoPartOfTheRate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := &jobtest.Store{}
		job := func(steps []step) *rxcql.Pipeline {
			return pipeline(t, measured(100, steps...), rxcql.Sink[int](&resuming{}), rxcql.WithCheckpoint(store, "job"))
		}
		first := job(evenly(100))
		time.AfterFunc(60*time.Second+1, first.Stop)
		_, rep := during(t, first)
		require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
		require.Equal(t, rxcql.Estimate{Known: true, Fraction: 0.6, Rows: 100}, rep.Estimate, "nothing is left to wait for")

		slow := evenly(100)
		for i := range slow {
			slow[i].Wait = 10 * time.Second
		}
		got, rep := during(t, job(slow), 5*time.Second, 50*time.Second+1)
		require.EqualValues(t, 60, rep.ResumedRows)
		require.Equal(t, rxcql.Estimate{Known: true, Fraction: 0.6, Rows: 100}, got[0], "there is no rate yet")
		require.InDelta(t, 0.65, got[1].Fraction, 1e-9)
		require.EqualValues(t, 100, got[1].Rows)
		require.InDelta(t, 350*time.Second, got[1].Left, float64(time.Second), "35 steps of ten seconds")
	})
}
