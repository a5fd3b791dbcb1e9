package operators_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

func TestWindowInAJobRefusesWhatCannotBe(t *testing.T) {
	parts := func() rxcql.Stream[stamped] {
		return (&jobtest.Parts[stamped]{Rows: [][]stamped{{{}}}, PageRows: 1}).Stream()
	}
	windows := func(in rxcql.Stream[stamped]) rxcql.Stream[operators.WindowResult[int, []int]] {
		return operators.Window(in, operators.Tumbling(time.Hour), timeOfStamped, stampedKey, noTimes, addNumber, operators.WindowKeys(10))
	}
	drop := sink.Each(func(context.Context, operators.WindowResult[int, []int]) error { return nil }, sink.Idempotent())
	byTime := operators.Window(parts(), operators.Session(time.Hour), timeOfStamped, timeOfStamped, noTimes, addNumber,
		operators.WindowKeys(10), operators.MergeStates(bothTimes))
	for text, job := range map[string]foldJob{
		"in a lane":                              foldInto(operators.Lanes(parts(), 2, stampedKey, windows), drop),
		"a sink that cannot bear rows twice":     foldInto(operators.Map(windows(parts()), func(operators.WindowResult[int, []int]) (line, error) { return line{}, nil }), sink.NDJSON[line](t.TempDir()+"/out")),
		"contain pointers or interfaces":         foldInto(byTime, sink.Each(func(context.Context, operators.WindowResult[time.Time, []int]) error { return nil }, sink.Idempotent())),
		"WindowAdjacent has one in each lane":    foldInto(operators.Lanes(parts(), 2, stampedKey, adjacentWindows), drop),
		"stage WindowAdjacent holds rows from p": foldInto(operators.Map(adjacentWindows(parts()), func(operators.WindowResult[int, []int]) (line, error) { return line{}, nil }), sink.NDJSON[line](t.TempDir()+"/out")),
	} {
		_, err := job(rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
		require.ErrorIs(t, err, rxcql.ErrNotResumable, text)
		require.ErrorContains(t, err, text)
	}
}

func adjacentWindows(in rxcql.Stream[stamped]) rxcql.Stream[operators.WindowResult[int, []int]] {
	return operators.WindowAdjacent(in, operators.Tumbling(10*time.Second), timeOfStamped, stampedKey, noTimes, addNumber)
}

func TestAJobDoesNotGoOnWithOtherWindows(t *testing.T) {
	for name, of := range map[string]func(size time.Duration) rxcql.Stream[operators.WindowResult[int, []int]]{
		"Window": func(size time.Duration) rxcql.Stream[operators.WindowResult[int, []int]] {
			return operators.Window(manyStamped().Stream(), operators.Tumbling(size), timeOfStamped, stampedKey, noTimes, addNumber, operators.WindowKeys(10))
		},
		"WindowAdjacent": func(size time.Duration) rxcql.Stream[operators.WindowResult[int, []int]] {
			return operators.WindowAdjacent(manyStamped().Stream(), operators.Tumbling(size), timeOfStamped, stampedKey, noTimes, addNumber)
		},
	} {
		store, calls := &jobtest.Store{}, 0
		to := sink.Each(func(context.Context, operators.WindowResult[int, []int]) error {
			if calls++; calls == 2 {
				return errSink
			}
			return nil
		}, sink.Idempotent(), sink.InFlight(1))
		_, err := rxcql.Run(t.Context(), of(10*time.Second), to, rxcql.WithCheckpoint(store, "job"))
		require.ErrorIs(t, err, errSink, name)
		_, err = rxcql.Run(t.Context(), of(20*time.Second), to, rxcql.WithCheckpoint(store, "job"))
		require.ErrorIs(t, err, rxcql.ErrCheckpointForeign, name)
	}
}

func TestAJobDoesNotGoOnWithAnotherLateness(t *testing.T) {
	store, calls := &jobtest.Store{}, 0
	run := func(lateness time.Duration) error {
		s := operators.Window(manyStamped().Stream(), operators.Tumbling(10*time.Second), timeOfStamped, stampedKey, noTimes, addNumber,
			operators.WindowKeys(10), operators.AllowedLateness(lateness))
		_, err := rxcql.Run(t.Context(), s, sink.Each(func(context.Context, operators.WindowResult[int, []int]) error {
			if calls++; calls == 2 {
				return errSink
			}
			return nil
		}, sink.Idempotent(), sink.InFlight(1)), rxcql.WithCheckpoint(store, "job"))
		return err
	}
	require.ErrorIs(t, run(time.Second), errSink)
	require.ErrorIs(t, run(2*time.Second), rxcql.ErrCheckpointForeign)
	require.NoError(t, run(time.Second))
}

// manyStamped is a part with a row a second.
func manyStamped() *jobtest.Parts[stamped] {
	rows := make([]stamped, 50)
	for i := range rows {
		rows[i] = stamped{number: i, at: i}
	}
	return &jobtest.Parts[stamped]{Rows: [][]stamped{rows}, PageRows: 3}
}
