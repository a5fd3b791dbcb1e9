package operators_test

import (
	"context"
	"errors"
	"math"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
)

// timesOf reads a stream and returns when its rows came, to the millisecond.
func timesOf[T any](t *testing.T, s rxcql.Stream[T]) (at []time.Duration) {
	t.Helper()
	start := time.Now()
	for _, err := range s.All(context.Background()) {
		require.NoError(t, err)
		at = append(at, time.Since(start).Round(time.Millisecond))
	}
	return at
}

func seconds(all ...float64) (at []time.Duration) {
	for _, s := range all {
		at = append(at, time.Duration(s*float64(time.Second)))
	}
	return at
}

func TestThrottleHandsOnEachRowOfAPageWhenItsTurnComes(t *testing.T) {
	alone(t, "rows", func(t *testing.T) {
		s := operators.Throttle(count(6, 6), rxcql.NewRate(rxcql.RowsPerSecond(2)))
		require.Equal(t, seconds(0, 0.5, 1, 1.5, 2, 2.5), timesOf(t, s))
	})
	alone(t, "a row every two seconds", func(t *testing.T) {
		s := operators.Throttle(count(3, 2), rxcql.NewRate(rxcql.RowsPerSecond(0.5)))
		require.Equal(t, seconds(0, 2, 4), timesOf(t, s))
	})
	word := strings.Repeat("x", 100)
	bytes := float64(rxcql.SizeFunc[string]()(&word))
	alone(t, "bytes", func(t *testing.T) {
		s := operators.Throttle(from(word, word, word, word), rxcql.NewRate(rxcql.BytesPerSecond(bytes)))
		at := timesOf(t, s)
		require.Len(t, at, 4)
		for i := range at {
			require.InDelta(t, float64(i+1), at[i].Seconds(), 0.11, "%v", at)
		}
	})
	alone(t, "a row that is larger than a burst", func(t *testing.T) {
		large := strings.Repeat("x", 100_000)
		s := operators.Throttle(from(large, large), rxcql.NewRate(rxcql.BytesPerSecond(10_000)))
		at := timesOf(t, s)
		require.InDelta(t, 10, at[0].Seconds(), 0.2)
		require.InDelta(t, 20, at[1].Seconds(), 0.3)
	})
	alone(t, "both, the lower counts", func(t *testing.T) {
		s := operators.Throttle(from(word, word, word), rxcql.NewRate(rxcql.RowsPerSecond(1), rxcql.BytesPerSecond(1e9)))
		require.Equal(t, seconds(0, 1, 2), timesOf(t, s))
		s = operators.Throttle(from(word, word, word), rxcql.NewRate(rxcql.RowsPerSecond(1e6), rxcql.BytesPerSecond(bytes/2)))
		at := timesOf(t, s)
		require.InDelta(t, 6, at[2].Seconds(), 0.2, "%v", at)
	})
}

// rowsIn is how many rows of an endless stream pass in so long.
func rowsIn(t *testing.T, d time.Duration, s rxcql.Stream[int]) (n int) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), d)
	defer cancel()
	for _, err := range s.All(ctx) {
		if err != nil {
			require.ErrorIs(t, err, context.DeadlineExceeded)
			break
		}
		n++
	}
	return n
}

func TestThrottleKeepsItsRateToOnePerCent(t *testing.T) {
	for _, limit := range []float64{10, 333, 1000, 20_000} {
		for _, page := range []int{1, 7, 512} {
			alone(t, "", func(t *testing.T) {
				n := rowsIn(t, 10*time.Second, operators.Throttle(count(math.MaxInt, page), rxcql.NewRate(rxcql.RowsPerSecond(limit))))
				require.InEpsilon(t, 10*limit, n, 0.011, "%v rows a second in pages of %d", limit, page)
			})
		}
	}
	alone(t, "of two streams together", func(t *testing.T) {
		limit := rxcql.NewRate(rxcql.RowsPerSecond(1000))
		first := operators.Throttle(count(math.MaxInt, 512), limit)
		second := operators.Throttle(count(math.MaxInt, 3), limit)
		n := [2]int{}
		both := operators.Merge(operators.Tap(first, func(int) error { n[0]++; return nil }), operators.Tap(second, func(int) error { n[1]++; return nil }))
		require.InEpsilon(t, 10_000, rowsIn(t, 10*time.Second, both), 0.011)
		require.Greater(t, n[0], 1000, "they take turns")
		require.Greater(t, n[1], 1000, "they take turns")
	})
	alone(t, "where downstream is late by as much as a burst allows", func(t *testing.T) {
		slow := operators.Tap(operators.Throttle(count(math.MaxInt, 100), rxcql.NewRate(rxcql.RowsPerSecond(20))), func(int) error {
			time.Sleep(45 * time.Millisecond)
			return nil
		})
		require.InDelta(t, 200, rowsIn(t, 10*time.Second, slow), 3)
	})
}

func TestAPauseIsNotMadeUpForBeyondTheBurst(t *testing.T) {
	alone(t, "", func(t *testing.T) {
		limit := rxcql.NewRate(rxcql.RowsPerSecond(100), rxcql.RateBurst(time.Second))
		time.Sleep(time.Hour)
		at := timesOf(t, operators.Throttle(count(201, 201), limit))
		require.Equal(t, time.Duration(0), at[99])
		require.Greater(t, at[100], time.Duration(0))
		require.Equal(t, seconds(1.01)[0], at[200])
	})
}

func TestAChangeOfALimitHoldsAtOnceAlsoForRowsThatWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		limit := rxcql.NewRate(rxcql.RowsPerSecond(1), rxcql.BytesPerSecond(rxcql.Unlimited))
		probe := rxcqltest.Observe(t, operators.Throttle(count(30, 30), limit))
		probe.ExpectRows(0)
		require.NoError(t, limit.SetRowsPerSecond(0.0001))
		probe.ExpectNothing(time.Hour)
		require.NoError(t, limit.SetRowsPerSecond(1000))
		start := time.Now()
		probe.ExpectRows(1, 2, 3)
		require.Less(t, time.Since(start), 10*time.Millisecond)

		require.NoError(t, limit.SetRowsPerSecond(0))
		probe.ExpectRows(4, 5, 6, 7, 8, 9, 10) // of the piece that has gone on
		probe.ExpectNothing(100 * time.Hour)
		require.NoError(t, limit.SetRowsPerSecond(math.Inf(1)))
		require.Len(t, probe.Take(19), 19)
		probe.ExpectComplete()
	})
}

func TestCancelAndStopEndTheWaitOfThrottleAtOnce(t *testing.T) {
	paused := func() *rxcql.Rate {
		limit := rxcql.NewRate(rxcql.RowsPerSecond(1))
		if err := limit.SetRowsPerSecond(0); err != nil {
			panic(err)
		}
		return limit
	}
	alone(t, "cancel", func(t *testing.T) {
		why := errors.New("why")
		ctx, cancel := context.WithTimeoutCause(context.Background(), time.Second, why)
		defer cancel()
		start := time.Now()
		rep, err := runIn(ctx, t, operators.Throttle(count(10, 10), paused()))
		require.Equal(t, why, err)
		require.Equal(t, time.Second, time.Since(start))
		require.Zero(t, rep.PagesSettled)
		require.Zero(t, rep.BytesInFlight)
		require.Zero(t, rep.Filtered)
	})
	alone(t, "Stop", func(t *testing.T) {
		sink := &gather[int]{}
		limit := paused()
		p, err := rxcql.New(operators.Merge(operators.Throttle(count(10, 10), limit), operators.Throttle(count(10, 10), limit)), sink)
		require.NoError(t, err)
		time.AfterFunc(time.Second, p.Stop)
		start := time.Now()
		rep, err := p.Run(context.Background())
		require.NoError(t, err)
		require.Equal(t, time.Second, time.Since(start))
		require.Len(t, sink.rows(), 20, "what was read is written")
		require.Equal(t, rep.Pages, rep.PagesSettled)
	})
	alone(t, "the end of the stream", func(t *testing.T) {
		other := operators.Throttle(count(10, 10), paused())
		rep, err := run(t, operators.TakeWhile(operators.Merge(other, count(1, 1)), func(int) bool { synctest.Wait(); return false }))
		require.NoError(t, err)
		require.Equal(t, "TakeWhile", rep.EndedBy)
		require.EqualValues(t, 10, stagesOf(rep)["Throttle"].Dropped)
		require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered)
		require.Equal(t, rep.Pages, rep.PagesSettled)
	})
}

func TestALimitDownstreamOfThrottleEndsInsideAPage(t *testing.T) {
	alone(t, "", func(t *testing.T) {
		start := time.Now()
		in := operators.Tap(count(1000, 100), func(int) error { return nil }) // whole pages, whatever is wanted
		rep, err := run(t, operators.TakeWhile(operators.Throttle(in, rxcql.NewRate(rxcql.RowsPerSecond(1))), func(n int) bool { return n < 5 }))
		require.NoError(t, err)
		require.Equal(t, 5*time.Second, time.Since(start).Round(time.Millisecond))
		st := stagesOf(rep)["Throttle"]
		require.EqualValues(t, []int64{100, 6, 94}, []int64{st.In, st.Out, st.Dropped})
		require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered)
		require.Equal(t, rep.Pages, rep.PagesSettled)
	})
}

func TestPiecesOfAPageKeepTheirPlaceAndSayTheEndOfThePartLast(t *testing.T) {
	alone(t, "", func(t *testing.T) {
		in := rxcqltest.NewScript[int]().Page(0, 1, 2, 3).Watermark(time.Unix(9, 0)).Stream()
		slow := operators.Throttle(in, rxcql.NewRate(rxcql.RowsPerSecond(1)))
		pages, rep := pagesOut(t, slow)
		require.Len(t, pages, 4)
		for i, p := range pages {
			require.Equal(t, []int{i}, p.Rows)
			require.Equal(t, i, p.RowIndex(0), "the place in the page that was read")
			require.Equal(t, i == 3, p.Last)
			require.Equal(t, i == 3, p.Watermark == flow.WatermarkAt(time.Unix(9, 0)))
		}
		require.Equal(t, rep.Pages, rep.PagesSettled)

		failing := operators.Map(slow, func(n int) (int, error) {
			if n == 2 {
				return 0, errBoom
			}
			return n, nil
		})
		p, err := rxcql.New(failing, &gather[int]{}, rxcql.WithRowErrors(rxcql.SkipRows(1)))
		require.NoError(t, err)
		rep, err = p.Run(context.Background())
		require.NoError(t, err)
		require.Equal(t, 2, rep.RowErrors[0].Row)
		require.EqualValues(t, 1, rep.Skipped)
	})
}

func TestBatchesLingerBehindAThrottle(t *testing.T) {
	alone(t, "", func(t *testing.T) {
		slow := operators.Throttle(count(7, 7), rxcql.NewRate(rxcql.RowsPerSecond(1)))
		got := collect(t, operators.Batch(slow, operators.BatchLinger(2500*time.Millisecond)))
		require.Equal(t, [][]int{{0, 1, 2}, {3, 4, 5}, {6}}, got)
	})
}
