package window_test

import (
	"errors"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/internal/window"
)

// Results go to whoever takes them at once, and that may fail with any of them: the first and the
// last, early ones, corrected ones, and those of windows that are over.
func TestAnErrorOfWhoTakesAResultComesBackAndNoOtherIsGiven(t *testing.T) {
	boom := errors.New("boom")
	rapid.Check(t, func(rt *rapid.T) {
		lateness := rapid.SampledFrom([]int64{0, 20, 200}).Draw(rt, "lateness")
		sessions := rapid.Bool().Draw(rt, "sessions")
		type step struct {
			what string
			row  row
		}
		var steps []step
		for i := range rapid.IntRange(1, 60).Draw(rt, "steps") {
			steps = append(steps, step{
				rapid.SampledFrom([]string{"add", "add", "add", "advance", "early", "corrections", "postpone"}).Draw(rt, "step"),
				row{number: i, key: rapid.IntRange(0, 3).Draw(rt, "key"), at: int64(i*3) + rapid.Int64Range(-60, 10).Draw(rt, "at")},
			})
		}
		// play gives the results until one fails, counted from 1. It returns how many were given.
		play := func(fails int) (calls int, err error) {
			w := windows[row, int, []int](window.NewAligned(listConfig(lateness), window.Grid{Size: 20, Every: 10}, window.Never))
			if sessions {
				w = window.NewSessions(listConfig(lateness), 10)
			}
			give := func(*window.State[int, []int], int64, int64, window.Kind) error {
				if calls++; calls == fails {
					return boom
				}
				return nil
			}
			for _, each := range append(steps, step{"advance", row{at: window.Forever}}) {
				switch each.what {
				case "add":
					_, err = w.Add(each.row.at, each.row.key, &each.row)
				case "advance":
					err = w.Advance(each.row.at, give)
				case "early":
					err = w.Early(give)
				case "corrections":
					err = w.Corrections(give)
				case "postpone":
					w.Postpone()
				}
				if err != nil {
					return calls, err
				}
			}
			return calls, nil
		}
		all, err := play(0)
		require.NoError(rt, err)
		for fails := 1; fails <= all; fails++ {
			calls, err := play(fails)
			require.ErrorIs(rt, err, boom)
			require.Equal(rt, fails, calls)
		}
	})
}
