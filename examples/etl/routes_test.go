package main

import (
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/source"
)

func TestFlightsThatCannotBeRightAreDropped(t *testing.T) {
	for _, c := range []struct {
		why  string
		f    Flight
		want bool
	}{
		{"an ordinary one", Flight{Origin: "A", Destination: "B", Distance: 500, Delay: 3}, true},
		{"to where it began", Flight{Origin: "A", Destination: "A", Distance: 500}, false},
		{"no distance", Flight{Origin: "A", Destination: "B"}, false},
		{"a negative distance", Flight{Origin: "A", Destination: "B", Distance: -500}, false},
		{"as early as can be", Flight{Origin: "A", Destination: "B", Distance: 500, Delay: -90}, true},
		{"before it was due to leave", Flight{Origin: "A", Destination: "B", Distance: 500, Delay: -91}, false},
		{"a day late", Flight{Origin: "A", Destination: "B", Distance: 500, Delay: 1688}, true},
		{"the least number there is", Flight{Origin: "A", Destination: "B", Distance: 500, Delay: -1 << 31}, false},
	} {
		t.Run(c.why, func(t *testing.T) { require.Equal(t, c.want, possible(c.f)) })
	}
}

func TestFlightsOfARouteBecomeOneRow(t *testing.T) {
	flights := []Flight{
		{Origin: "A", Destination: "B", Distance: 500, Delay: -5},
		{Origin: "A", Destination: "B", Distance: 500, Delay: 15},
		{Origin: "A", Destination: "B", Distance: 500, Delay: -400},
		{Origin: "A", Destination: "B", Distance: 500, Delay: 14},
		{Origin: "A", Destination: "C", Distance: 100, Delay: 7},
		{Origin: "B", Destination: "B", Distance: 100, Delay: 7},
	}
	stream := byRoute(source.Seq(func(yield func(Flight, error) bool) {
		for _, f := range flights {
			if !yield(f, nil) {
				return
			}
		}
	}, source.PageRows(2)))
	got, err := stream.Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, []Route{
		{
			Origin: "A", Destination: "B", Distance: 500, Flights: 3, Late: 1, DelaySum: 24,
			DelayMin: -5, DelayMax: 15, DelayMean: 8, LateShare: 1.0 / 3,
		},
		{
			Origin: "A", Destination: "C", Distance: 100, Flights: 1, DelaySum: 7,
			DelayMin: 7, DelayMax: 7, DelayMean: 7,
		},
	}, got)
}

func TestTheOrderOfTheWorstIsTheSameEveryTime(t *testing.T) {
	want := []Route{
		{Origin: "Z", Destination: "A", Flights: 60, DelayMean: 9},
		{Origin: "Y", Destination: "A", Flights: 90, DelayMean: 5},
		{Origin: "B", Destination: "A", Flights: 60, DelayMean: 5},
		{Origin: "B", Destination: "C", Flights: 60, DelayMean: 5},
		{Origin: "C", Destination: "A", Flights: 60, DelayMean: 5},
	}
	got := slices.Clone(want)
	for range 20 {
		rand.Shuffle(len(got), func(i, j int) { got[i], got[j] = got[j], got[i] })
		slices.SortFunc(got, byMeanDelay)
		require.Equal(t, want, got)
	}
}
