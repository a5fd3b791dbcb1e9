package operators_test

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// A file that grows by rows of a window that was handed on is refused, and one that grows by others
// is not, whichever pages are settled.
func TestAJobWithWindowAdjacentOverAFileThatHasGrown(t *testing.T) {
	for _, kind := range []string{"Tumbling", "Hopping", uneven, "Session"} {
		t.Run(kind, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) { growsInAJob(rt, kind) })
		})
	}
}

func growsInAJob(rt *rapid.T, kind string) {
	at, key, direction := 0, 0, rapid.SampledFrom([]int{1, -1}).Draw(rt, "direction")
	next := func(number, most int) stamped {
		at += direction * rapid.IntRange(0, most).Draw(rt, "step")
		return stamped{number, key, at}
	}
	rows := []stamped{}
	for i := range rapid.IntRange(1, 20).Draw(rt, "rows") {
		rows = append(rows, next(i, 5))
	}
	windows, _ := jobWindows(kind)
	parts := &jobtest.Parts[stamped]{Rows: [][]stamped{rows}, PageRows: rapid.IntRange(1, 5).Draw(rt, "page"), Grows: true, KeepsEnd: true}
	table := &upserted{rows: map[string][]int{}}
	store := &jobtest.Store{}
	run := func(flush error) error {
		results := operators.WindowAdjacent(parts.Stream(), windows, timeOfStamped, stampedKey, noTimes, addNumber)
		to := sink.Each(func(_ context.Context, r operators.WindowResult[int, []int]) error {
			return table.upsert(r)
		}, sink.Idempotent(), sink.InFlight(1))
		_, err := rxcql.Run(context.Background(), results, failsAtFlush(to, flush), rxcql.WithCheckpoint(store, "job"))
		return err
	}
	if rapid.Bool().Draw(rt, "broken off in the middle") {
		table.fails = rapid.IntRange(1, 12).Draw(rt, "sink fails at")
	}
	require.ErrorIs(rt, run(errSink), errSink)
	whole := table.fails == 0 || table.calls < table.fails // all windows were handed on, and are durable
	before := windowsOfAnyKey(rows, kind)
	if whole {
		require.Equal(rt, before, table.rows)
	}

	refused := false
	for i := range rapid.IntRange(1, 3).Draw(rt, "more rows") {
		r := next(1000+i, 40)
		parts.Rows[0] = append(parts.Rows[0], r)
		for name, numbers := range windowsOfAnyKey(parts.Rows[0], kind) {
			if slices.Contains(numbers, r.number) && !slices.Equal(before[name], numbers) && slices.ContainsFunc(numbers, func(n int) bool { return n < 1000 }) {
				refused = true
			}
		}
		if rapid.Bool().Draw(rt, "another key follows") {
			key++
		}
	}
	table.fails, table.calls = 0, 0
	err := run(nil)
	if whole && refused || errors.Is(err, rxcql.ErrCheckpointForeign) {
		require.ErrorIs(rt, err, rxcql.ErrCheckpointForeign)
		require.ErrorContains(rt, err, "has grown by rows")
		require.True(rt, refused, "none of the rows is of a window that was there")
		return
	}
	require.NoError(rt, err)
	require.Equal(rt, windowsOfAnyKey(parts.Rows[0], kind), table.rows)
}
