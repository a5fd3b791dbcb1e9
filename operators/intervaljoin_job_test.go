package operators_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

type stampedPair = rxcql.Pair[stamped, stamped]

// nearStamped joins rows that are at most 5 s apart, the left one first.
func nearStamped(left, right rxcql.Stream[stamped]) rxcql.Stream[stampedPair] {
	return operators.IntervalJoin(left, right, timeOfStamped, timeOfStamped, stampedKey, stampedKey, 0, 5*time.Second, operators.IntervalJoinRows(1<<20))
}

func pairsOfStamped(left, right *jobtest.Parts[stamped]) map[string][]int {
	all := map[string][]int{}
	for _, ls := range left.Rows {
		for _, l := range ls {
			for _, rs := range right.Rows {
				for _, r := range rs {
					if d := r.at - l.at; l.key == r.key && d >= 0 && d <= 5 {
						all[fmt.Sprint(l.number, r.number)] = []int{}
					}
				}
			}
		}
	}
	return all
}

func putPair(table *upserted, p stampedPair) error {
	table.mu.Lock()
	defer table.mu.Unlock()
	if table.calls++; table.calls == table.fails {
		return errSink
	}
	table.rows[fmt.Sprint(p.Left.number, p.Right.number)] = []int{}
	return nil
}

func TestAJobWithIntervalJoinThatIsBrokenOffEndsWithTheTableOfOneThatIsNot(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		const jitter = 4
		left, right := stampedParts(rt, jitter, false), stampedParts(rt, jitter, false)
		left.Name, right.Name = "Left", "Right"
		table := &upserted{rows: map[string][]int{}}
		brokenOff(rt, table, func(disturb func() error, more ...rxcql.Option) (*rxcql.Pipeline, error) {
			timed := func(p *jobtest.Parts[stamped]) rxcql.Stream[stamped] {
				return operators.EventTime(p.Stream(), stampedAt, operators.OutOfOrderness(jitter*time.Second))
			}
			rows := operators.Tap(timed(left), func(stamped) error { return disturb() })
			return rxcql.New(nearStamped(rows, timed(right)), sink.Each(func(_ context.Context, p stampedPair) error {
				return putPair(table, p)
			}, sink.Idempotent(), sink.InFlight(1)), more...)
		})
		require.Equal(rt, pairsOfStamped(left, right), table.rows)
	})
}

// Left 1, and all that could be joined with it, has been dropped and its page is settled when the
// first run ends. To the second, right 3 is the first row of its side: by event time it is not
// late.
func TestARowThatComesTooLateForWhatARunBeforeHasDroppedIsLate(t *testing.T) {
	left := &jobtest.Parts[stamped]{Name: "Left", PageRows: 1, Rows: [][]stamped{{{1, 0, 10}, {2, 0, 100}, {3, 0, 200}, {4, 0, 300}, {5, 0, 400}}}}
	right := &jobtest.Parts[stamped]{Name: "Right", PageRows: 1, Rows: [][]stamped{{{1, 0, 102}, {2, 0, 202}, {3, 0, 11}, {4, 0, 302}}}}
	store, table := &jobtest.Store{}, &upserted{rows: map[string][]int{}}
	rows := func(p *jobtest.Parts[stamped], tap func(stamped) error) rxcql.Stream[stamped] {
		return operators.Tap(operators.EventTime(p.Stream(), stampedAt), tap)
	}
	var p *rxcql.Pipeline
	run := func(onLeft, onRight func(stamped) error) (rxcql.Report, error) {
		var err error
		pairs := operators.IntervalJoin(rows(left, onLeft), rows(right, onRight), timeOfStamped, timeOfStamped, stampedKey, stampedKey,
			time.Second, 5*time.Second, operators.IntervalJoinRows(100))
		p, err = rxcql.New(pairs, sink.Each(func(_ context.Context, p stampedPair) error {
			return putPair(table, p)
		}, sink.Idempotent(), sink.InFlight(1)), rxcql.WithCheckpoint(store, "job"))
		require.NoError(t, err)
		return p.Run(t.Context())
	}
	waited := make(chan struct{})
	_, err := run(func(r stamped) error {
		if r.number == 5 {
			<-waited // so that the left side does not end
		}
		return nil
	}, func(r stamped) error {
		if r.number != 3 {
			return nil
		}
		for p.Progress().PagesSettled < 4 { // two of each side
			time.Sleep(time.Millisecond)
		}
		close(waited)
		return errUser
	})
	require.ErrorIs(t, err, errUser)
	none := func(stamped) error { return nil }
	rep, err := run(none, none)
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.EqualValues(t, 1, rep.LateRows, "right 3")
	require.Equal(t, map[string][]int{"2 1": {}, "3 2": {}, "4 4": {}}, table.rows)
}

func TestAJobDoesNotGoOnWithAnotherInterval(t *testing.T) {
	store, calls := &jobtest.Store{}, 0
	run := func(lower, upper time.Duration) error {
		left, right := manyStamped(), manyStamped()
		left.Name, right.Name = "Left", "Right"
		s := operators.IntervalJoin(left.Stream(), right.Stream(), timeOfStamped, timeOfStamped, stampedKey, stampedKey, lower, upper, operators.IntervalJoinRows(1000))
		_, err := rxcql.Run(t.Context(), s, sink.Each(func(context.Context, stampedPair) error {
			if calls++; calls == 2 {
				return errSink
			}
			return nil
		}, sink.Idempotent(), sink.InFlight(1)), rxcql.WithCheckpoint(store, "job"))
		return err
	}
	require.ErrorIs(t, run(0, time.Second), errSink)
	require.ErrorIs(t, run(0, 2*time.Second), rxcql.ErrCheckpointForeign)
	require.ErrorIs(t, run(-time.Second, time.Second), rxcql.ErrCheckpointForeign)
	require.NoError(t, run(0, time.Second))
}

func TestIntervalJoinInAJobRefusesWhatCannotBe(t *testing.T) {
	parts := func(name string) rxcql.Stream[stamped] {
		p := manyStamped()
		p.Name = name
		return p.Stream()
	}
	toLine := func(stampedPair) (line, error) { return line{}, nil }
	drop := sink.Each(func(context.Context, stampedPair) error { return nil }, sink.Idempotent())
	windowed := operators.Window(operators.Map(nearStamped(parts("A"), parts("B")), func(p stampedPair) (stamped, error) { return p.Left, nil }),
		operators.Tumbling(time.Hour), timeOfStamped, stampedKey, noTimes, addNumber, operators.WindowKeys(10))
	for text, job := range map[string]foldJob{
		"a file cannot take rows back":                foldInto(operators.Map(nearStamped(parts("A"), parts("B")), toLine), sink.NDJSON[line](t.TempDir()+"/out")),
		"stage Window is behind another with windows": foldInto(windowed, sink.Each(func(context.Context, operators.WindowResult[int, []int]) error { return nil }, sink.Idempotent())),
		"Retry": foldInto(nearStamped(operators.Retry(parts("A")), parts("B")), drop),
	} {
		_, err := job(rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
		require.ErrorIs(t, err, rxcql.ErrConfig, text)
		require.ErrorContains(t, err, text)
	}
}
