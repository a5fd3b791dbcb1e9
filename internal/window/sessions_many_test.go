package window_test

import (
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/window"
)

// A key with many sessions has a list of them, of several blocks. Sessions come and go at its
// front, at its end and in between.
func TestAKeyOfManySessionsHasThoseThatAModelMakes(t *testing.T) {
	const gap, rows = 10, 4000
	for _, lateness := range []int64{0, 500} {
		for name, most := range map[string]int64{"mostly apart": 200_000, "close to each other": 60_000} {
			w, m := window.NewSessions(listConfig(lateness), gap), &sessionModel{newModelOf(lateness), gap}
			random := rand.New(rand.NewPCG(uint64(most), uint64(lateness)))
			same := func(t0 int64) {
				var got []result
				require.NoError(t, w.Corrections(given(&got)))
				m.corrections()
				got = nil
				require.NoError(t, w.Advance(t0, given(&got)))
				require.Equal(t, m.advance(t0), got, name)
			}
			mostStates, clock := int64(0), int64(0)
			for i := range rows {
				r := row{number: i, at: clock + random.Int64N(most)}
				if i%10 == 0 {
					r.at = clock - random.Int64N(1000) // some are late
				}
				missed, err := w.Add(r.at, 0, &r)
				require.NoError(t, err)
				require.Equal(t, m.add(r), missed, "%s: %+v", name, r)
				mostStates = max(mostStates, w.States())
				if i > rows/2 && i%100 == 0 {
					clock += most / 25
					same(clock)
				}
			}
			require.Greater(t, mostStates, int64(1100), "%s: else the list has one block", name)
			same(window.Forever)
			require.Zero(t, w.States())
			require.Zero(t, w.Bytes())
		}
	}
}

// What is counted for the bounds knows of the list.
func TestSessionsOfOneKeyAreCountedWithTheirPlaceInItsList(t *testing.T) {
	bytesOf := func(key func(i int) int) int64 {
		w := window.NewSessions(listConfig(0), 10)
		for i := range 1000 {
			r := row{number: i}
			_, err := w.Add(int64(i)*100, key(i), &r)
			require.NoError(t, err)
		}
		return w.Bytes()
	}
	require.Greater(t, bytesOf(func(int) int { return 0 }), bytesOf(func(i int) int { return i }))
}
