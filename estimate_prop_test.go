package rxcql_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

// What is promised of Estimate holds whatever sources say, and however runs end.
func TestTheFractionNeverGoesBackAndIsOneExactlyWhenTheRunIsComplete(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		one := rapid.Custom(func(t *rapid.T) step {
			return step{
				Wait: time.Duration(rapid.IntRange(0, 3000).Draw(t, "ms")) * time.Millisecond,
				Done: rapid.OneOf(rapid.Float64Range(-10, 120), rapid.Just(100.0)).Draw(t, "done"),
			}
		})
		totals := rapid.SliceOfN(rapid.SampledFrom([]float64{0, 1, 100}), 1, 3).Draw(rt, "totals")
		var ins []rxcql.Stream[int]
		for _, total := range totals {
			ins = append(ins, measured(total, rapid.SliceOfN(one, 1, 10).Draw(rt, "steps")...))
		}
		stop := rapid.IntRange(0, 40).Draw(rt, "stopped after, s")
		var all []rxcql.Report
		synctest.Test(t, func(t *testing.T) {
			p := pipeline(t, operators.Merge(ins...), &memory[int]{write: func(context.Context, *flow.Page[int]) error {
				time.Sleep(100 * time.Millisecond)
				return nil
			}})
			ended := make(chan struct{})
			timer := time.AfterFunc(time.Duration(stop)*time.Second, p.Stop)
			defer timer.Stop()
			go func() {
				defer close(ended)
				_, _ = p.Run(t.Context())
			}()
			for running := true; running; {
				select {
				case <-ended:
					running = false
				case <-time.After(250 * time.Millisecond):
				}
				all = append(all, p.Progress())
			}
		})
		last := 0.0
		for _, rep := range all {
			e := rep.Estimate
			require.GreaterOrEqual(rt, e.Fraction, last)
			require.Equal(rt, rep.Complete, e.Fraction == 1)
			require.GreaterOrEqual(rt, e.Left, time.Duration(0))
			if e.Fraction > 0 {
				require.True(rt, e.Known)
			}
			if e.Rows > 0 {
				require.GreaterOrEqual(rt, e.Rows, rep.ReadRows)
			}
			last = e.Fraction
		}
	})
}
