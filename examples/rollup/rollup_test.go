package main

import (
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/operators"
)

func TestAReadingThatComesAgainIsNotCountedAgain(t *testing.T) {
	room, s := newRoom(configured(t), newMetrics()), newStats()
	for i, value := range []float64{4, 2, 9, 4, 2} {
		var err error
		s, err = room.fold(s, Reading{At: noon.Add(time.Duration(i%3) * time.Millisecond), Value: value})
		require.NoError(t, err)
	}
	got, err := room.rollup(operators.WindowResult[string, stats]{
		Key: "a", Start: noon.Add(-time.Second), End: noon.Add(time.Second), Value: s,
	})
	require.NoError(t, err)
	require.Equal(t, Rollup{
		Hour: noon, Until: noon.Add(time.Second), Device: "a", Since: noon.Add(-time.Second),
		Readings: 3, Repeated: 2, Mean: 5, Min: 2, Max: 9,
	}, got)
}

func TestTheStatisticsOfTheLargestValuesAreNumbers(t *testing.T) {
	room, s := newRoom(configured(t), newMetrics()), newStats()
	for i := range 1000 {
		s, _ = room.fold(s, Reading{At: noon.Add(time.Duration(i) * time.Millisecond), Value: mostValue * float64(1-2*rand.IntN(2))})
	}
	require.False(t, math.IsNaN(s.mean) || math.IsInf(s.mean, 0))
	require.LessOrEqual(t, math.Abs(s.mean), mostValue)
	require.NotEmpty(t, appendEvent(nil, Rollup{Mean: s.mean, Min: s.min, Max: s.max}))
}
