package operators_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

type answer = func(context.Context) (rows []int, idle bool)

// polls is how often the sources of these tests ask, once a second.
const polls = 30

// closedAt returns when windows of five seconds are handed on, by their start; both in seconds from
// begin. The end of the stream is in the second of the last polls, or behind it.
func closedAt(t *testing.T, begin int, in rxcql.Stream[timed], opts ...rxcql.Option) map[int]int {
	t.Helper()
	at := map[int]int{}
	results := operators.Window(in, operators.Tumbling(5*time.Second), momentOf, func(timed) int { return 0 }, noTimes, addTime, operators.WindowKeys(10))
	_, err := results.ForEach(t.Context(), func(r timesIn) error {
		at[int(r.Start.Unix())-begin] = min(int(time.Now().Unix())-begin, polls-1)
		return nil
	}, opts...)
	require.NoError(t, err)
	return at
}

// A stream that is quiet has a last window, and nothing comes that would close it.
func TestTheLastWindowOfAQuietStreamClosesWhenAllItsPartsAreIdle(t *testing.T) {
	silent := func(context.Context) ([]int, bool) { return nil, false }
	then := func(first []answer, rest answer) []answer {
		return slices.Concat(first, slices.Repeat([]answer{rest}, polls-len(first)))
	}
	for name, c := range map[string]struct {
		inputs  func(begin int) [][]answer
		overlap time.Duration
		want    map[int]int
	}{
		"alone":                {inputs: func(begin int) [][]answer { return [][]answer{then([]answer{found(begin)}, nothingFound)} }, want: map[int]int{0: 5}},
		"with an overlap":      {inputs: func(begin int) [][]answer { return [][]answer{then([]answer{found(begin)}, nothingFound)} }, overlap: 2 * time.Second, want: map[int]int{0: 7}},
		"that does not say so": {inputs: func(begin int) [][]answer { return [][]answer{then([]answer{found(begin)}, silent)} }, want: map[int]int{0: polls - 1}},
		"next to a busy one": {inputs: func(begin int) [][]answer {
			return [][]answer{then([]answer{found(begin)}, nothingFound), then(busyFor(begin, 11), nothingFound)}
		}, want: map[int]int{0: 5, 5: 10, 10: 15}},
		"next to one that waits": {inputs: func(begin int) [][]answer {
			return [][]answer{then([]answer{found(begin)}, nothingFound), then([]answer{found(begin)}, silent)}
		}, want: map[int]int{0: polls - 1}},
	} {
		alone(t, name, func(t *testing.T) {
			begin := int(time.Now().Unix())
			var inputs []rxcql.Stream[timed]
			for _, answers := range c.inputs(begin) {
				inputs = append(inputs, operators.EventTime(asks(c.overlap, answers...), happened, operators.IdleAfter(3*time.Second)))
			}
			require.Equal(t, c.want, closedAt(t, begin, operators.Merge(inputs...)))
		})
	}
}

// busyFor finds a row each second.
func busyFor(begin, n int) (all []answer) {
	for i := range n {
		all = append(all, found(begin+i))
	}
	return all
}

// What a run knew of idle parts is not known to the next: its source has not asked yet.
func TestARestartMakesNoPartIdle(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := operators.EventTime(asks(0, slices.Repeat([]answer{nothingFound}, 6)...), happened, operators.IdleAfter(3*time.Second))
		for range 2 {
			begin := int(time.Now().Unix())
			var marks []int
			for _, said := range marksOf(t, s) {
				marks = append(marks, max(0, said.mark-begin))
			}
			require.Equal(t, []int{0, 0, 0, 3, 4, 5}, marks, "idle for three seconds of this run")
			time.Sleep(time.Hour)
		}
	})
}
