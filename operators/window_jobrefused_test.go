package operators_test

import (
	"cmp"
	"context"
	"strings"
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
		"a file cannot take rows back":           foldInto(operators.Map(windows(parts()), func(operators.WindowResult[int, []int]) (line, error) { return line{}, nil }), sink.NDJSON[line](t.TempDir()+"/out")),
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

// Results may be written to a table, and still the file is refused: the error says which one it is.
func TestTheErrorOfAFileForLateRowsInAJobNamesTheFileAndWhatToGiveInstead(t *testing.T) {
	type out = operators.WindowOrLate[stamped, int, []int]
	parts := (&jobtest.Parts[stamped]{Rows: [][]stamped{{{}}}, PageRows: 1}).Stream()
	windows := operators.WindowWithLate(parts, operators.Tumbling(time.Hour), timeOfStamped, stampedKey, noTimes, addNumber, operators.WindowKeys(10))
	lateRows := func(in rxcql.Stream[out]) rxcql.Stream[line] {
		return operators.Map(in, func(o out) (line, error) { return line{}, nil })
	}
	to := sink.Route(func(o out) int {
		if o.IsLate {
			return 1
		}
		return 0
	}, sink.Each(func(context.Context, out) error { return nil }, sink.Idempotent()),
		sink.Through(lateRows, sink.NDJSON[line](t.TempDir()+"/late.ndjson")))
	_, err := rxcql.New(windows, to, rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
	for _, words := range []string{
		"stage WindowWithLate together with sink NDJSON late.ndjson", "late rows", "would have them twice",
		"give a table instead of NDJSON late.ndjson", "late rows by their own key", "leave WithCheckpoint out",
	} {
		require.ErrorContains(t, err, words)
	}
	require.NotContains(t, err.Error(), "Each", "that one may stay")
	_, err = rxcql.New(windows, to)
	require.NoError(t, err)
}

func TestAJobDoesNotGoOnWithOtherWindows(t *testing.T) {
	seconds := func(n int) time.Duration { return time.Duration(n) * time.Second }
	for name, c := range map[string]struct {
		was, is          operators.Windows
		lateWas, lateIs  time.Duration
		saysWas, saysNow string // where it is not the windows
	}{
		"size":            {was: operators.Tumbling(seconds(10)), is: operators.Tumbling(seconds(20))},
		"size of hopping": {was: operators.Hopping(seconds(20), seconds(10)), is: operators.Hopping(seconds(30), seconds(10))},
		"every":           {was: operators.Hopping(seconds(20), seconds(10)), is: operators.Hopping(seconds(20), seconds(5))},
		"gap":             {was: operators.Session(seconds(5)), is: operators.Session(seconds(6))},
		"kind":            {was: operators.Tumbling(seconds(10)), is: operators.Session(seconds(10))},
		"offset":          {was: operators.Tumbling(seconds(10)).Offset(seconds(1)), is: operators.Tumbling(seconds(10)).Offset(seconds(2))},
		"lateness": {
			was: operators.Tumbling(seconds(10)), is: operators.Tumbling(seconds(10)), lateIs: seconds(5),
			saysWas: `AllowedLateness was "0s"`, saysNow: `is "5s"`,
		},
	} {
		saysWas, saysNow := cmp.Or(c.saysWas, c.was.String()), cmp.Or(c.saysNow, c.is.String())
		parts := manyStamped()
		refusesOther(t, name, 2, func(is bool) rxcql.Stream[operators.WindowResult[int, []int]] {
			windows, lateness := c.was, c.lateWas
			if is {
				windows, lateness = c.is, c.lateIs
			}
			opts := []operators.WindowOption{operators.WindowKeys(100), operators.AllowedLateness(lateness)}
			if strings.HasPrefix(windows.String(), "Session") {
				opts = append(opts, operators.MergeStates(bothTimes))
			}
			return operators.Window(parts.Stream(), windows, timeOfStamped, stampedKey, noTimes, addNumber, opts...)
		}, func() int { return parts.Read }, saysWas, saysNow)
		if c.lateWas != c.lateIs {
			continue
		}
		refusesOther(t, name+", adjacent", 4, func(is bool) rxcql.Stream[operators.WindowResult[int, []int]] {
			windows := c.was
			if is {
				windows = c.is
			}
			return operators.WindowAdjacent(manyStamped().Stream(), windows, timeOfStamped, stampedKey, noTimes, addNumber)
		}, func() int { return 0 }, saysWas, saysNow)
	}
}

// refusesOther breaks a job off at a result, and requires that it does not go on with another
// stream, and reads nothing for that; and that it does with the same.
func refusesOther(t *testing.T, name string, breaksAt int, of func(is bool) rxcql.Stream[operators.WindowResult[int, []int]], read func() int, says ...string) {
	t.Helper()
	store, calls := &jobtest.Store{}, 0
	to := sink.Each(func(context.Context, operators.WindowResult[int, []int]) error {
		if calls++; calls == breaksAt {
			return errSink
		}
		return nil
	}, sink.Idempotent(), sink.InFlight(1))
	_, err := rxcql.Run(t.Context(), of(false), to, rxcql.WithCheckpoint(store, "job"))
	require.ErrorIs(t, err, errSink, name)
	before, was := read(), calls
	_, err = rxcql.Run(t.Context(), of(true), to, rxcql.WithCheckpoint(store, "job"))
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign, name)
	for _, text := range says {
		require.ErrorContains(t, err, text, name)
	}
	require.Equal(t, before, read(), name)
	require.Equal(t, was, calls, name)
	rep, err := rxcql.Run(t.Context(), of(false), to, rxcql.WithCheckpoint(store, "job"))
	require.NoError(t, err, name)
	require.True(t, rep.Complete, name)
}

// manyStamped is a part with a row a second, and a pause behind each ten of them.
func manyStamped() *jobtest.Parts[stamped] {
	rows := make([]stamped, 50)
	for i := range rows {
		rows[i] = stamped{number: i, at: i + i/10*20}
	}
	return &jobtest.Parts[stamped]{Rows: [][]stamped{rows}, PageRows: 3}
}
