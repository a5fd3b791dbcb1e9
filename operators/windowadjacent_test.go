package operators_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// inOrder are parts whose rows are in order of key and then of time, or backward.
func inOrder(rt *rapid.T, down bool) *jobtest.Parts[stamped] {
	p := &jobtest.Parts[stamped]{
		PageRows: rapid.IntRange(1, 7).Draw(rt, "page"), Seed: rapid.Uint64().Draw(rt, "order"), Empty: rapid.Bool().Draw(rt, "empty pages"),
	}
	number := 0
	for part := range rapid.IntRange(1, 3).Draw(rt, "parts") {
		rows := []stamped{}
		for key := range rapid.IntRange(0, 4).Draw(rt, "keys") {
			at := rapid.IntRange(-20, 20).Draw(rt, "begins")
			for range rapid.IntRange(1, 30).Draw(rt, "rows") {
				number++
				step := rapid.SampledFrom([]int{0, 0, 1, 2, 5, 6, 20}).Draw(rt, "step")
				if at += step; down {
					at -= 2 * step
				}
				rows = append(rows, stamped{number, 10*part + key, at})
			}
		}
		p.Rows = append(p.Rows, rows)
	}
	return p
}

func windowsOfAnyKey(rows []stamped, kind string) map[string][]int {
	all := map[string][]int{}
	for key := range 40 {
		var of []stamped
		for _, r := range rows {
			if r.key == key {
				of = append(of, stamped{r.number, 0, r.at})
			}
		}
		for name, numbers := range windowsOf(of, kind) {
			all[fmt.Sprint(key)+name[1:]] = numbers
		}
	}
	return all
}

func TestWindowAdjacentGivesTheWindowsOfOrderedRowsForwardAndBackward(t *testing.T) {
	for _, kind := range []string{"Tumbling", "Hopping", uneven, "Session"} {
		t.Run(kind, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				down := rapid.Bool().Draw(rt, "down")
				parts := inOrder(rt, down)
				windows, _ := jobWindows(kind)
				got := &upserted{rows: map[string][]int{}}
				results, err := operators.WindowAdjacent(parts.Stream(), windows, timeOfStamped, stampedKey, noTimes, addNumber).Collect(context.Background())
				require.NoError(rt, err)
				last := map[int]time.Time{}
				for _, r := range results {
					require.EqualValues(rt, len(r.Value), r.Rows)
					require.Equal(rt, operators.Final, r.Kind)
					if before, there := last[r.Key]; there && !strings.HasPrefix(kind, "Hopping") { // whose first row does not say where times go
						require.Equal(rt, down, r.End.Before(before), "in the direction of times")
					}
					last[r.Key] = r.End
					require.NoError(rt, got.upsert(r))
				}
				require.Len(rt, got.rows, len(results), "each once")
				require.Equal(rt, windowsOfAnyKey(slices.Concat(parts.Rows...), kind), got.rows)
			})
		})
	}
}

func TestAJobWithWindowAdjacentThatIsBrokenOffEndsWithTheTableOfOneThatIsNot(t *testing.T) {
	for _, kind := range []string{"Tumbling", "Hopping", uneven, "Session"} {
		t.Run(kind, func(t *testing.T) {
			rapid.Check(t, func(rt *rapid.T) {
				parts := inOrder(rt, rapid.Bool().Draw(rt, "down"))
				windows, _ := jobWindows(kind)
				table := &upserted{rows: map[string][]int{}}
				brokenOff(rt, table, func(disturb func() error, more ...rxcql.Option) (*rxcql.Pipeline, error) {
					rows := operators.Tap(parts.Stream(), func(stamped) error { return disturb() })
					results := operators.WindowAdjacent(rows, windows, timeOfStamped, stampedKey, noTimes, addNumber)
					return rxcql.New(results, sink.Each(func(_ context.Context, r operators.WindowResult[int, []int]) error {
						return table.upsert(r)
					}, sink.Idempotent(), sink.InFlight(1)), more...)
				})
				require.Equal(rt, windowsOfAnyKey(slices.Concat(parts.Rows...), kind), table.rows)
			})
		})
	}
}

func TestWindowAdjacentRefusesRowsThatTurnBack(t *testing.T) {
	at := func(n int) time.Time { return time.Unix(int64(n), 0) }
	key := func(n int) int { return n / 1000 }
	for name, c := range map[string]struct {
		rows    []int
		windows operators.Windows
		row     int // that is wrong; -1 for none
	}{
		"forward":                    {[]int{1, 11, 5, 30}, operators.Tumbling(10 * time.Second), 2},
		"backward":                   {[]int{30, 11, 12, 25}, operators.Tumbling(10 * time.Second), 3},
		"in one window":              {[]int{1, 9, 5, 11}, operators.Tumbling(10 * time.Second), -1},
		"another key begins earlier": {[]int{5, 15, 1001, 1020}, operators.Tumbling(10 * time.Second), -1},
		"other keys turn":            {[]int{5, 15, 1020, 1001}, operators.Tumbling(10 * time.Second), 3},
		"hopping":                    {[]int{1, 7, 1}, operators.Hopping(20*time.Second, 5*time.Second), 2},
		"sessions":                   {[]int{1, 11, 1}, operators.Session(10 * time.Second), 2},
		"inside of a session":        {[]int{1, 9, 5, -7}, operators.Session(10 * time.Second), -1},
		"in two sessions":            {[]int{0, 12, 8}, operators.Session(10 * time.Second), 2},
		"in two, backward":           {[]int{30, 18, 22}, operators.Session(10 * time.Second), 2},
		"a gap behind a session":     {[]int{0, 12, 10, 20}, operators.Session(10 * time.Second), -1},
		"a gap before, backward":     {[]int{30, 18, 20, 10}, operators.Session(10 * time.Second), -1},
		"the session of another key": {[]int{0, 1012, 1008}, operators.Session(10 * time.Second), -1},
	} {
		s := operators.WindowAdjacent(ranges(part[int]{0, c.rows, true}), c.windows, at, key, zero, add)
		_, err := s.Count(t.Context())
		if c.row < 0 {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, operators.ErrOutOfOrder, name)
		var row *rxcql.RowError
		require.ErrorAs(t, err, &row, name)
		require.Equal(t, c.row, row.Row, name)
		failedIn(t, "WindowAdjacent", err)
	}
	_, err := operators.WindowAdjacent(operators.Merge(count(1, 1), count(1, 1)), operators.Tumbling(time.Second), at, key, zero, add).Count(t.Context())
	require.ErrorContains(t, err, "put WindowAdjacent before the operator that mixes them")
}

func TestPagesOfWindowAdjacentSettleWhenTheirWindowsAreDurable(t *testing.T) {
	in := script("A",
		happening{at: []int{1}, mark: 1},
		happening{at: []int{2}, mark: 2},
		happening{at: []int{11, 12}, mark: 11},
		happening{at: []int{13}, mark: 13},
		happening{last: true},
	)
	var settled []int64
	var p *rxcql.Pipeline
	out := &gather[timesIn]{took: func(rows []timesIn) error {
		if len(rows) > 0 {
			settled = append(settled, p.Progress().PagesSettled)
		}
		return nil
	}}
	p, err := rxcql.New(operators.WindowAdjacent(in, operators.Tumbling(10*time.Second), momentOf, partOf, noTimes, addTime), out)
	require.NoError(t, err)
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{
		"part 0 at 0", // the beginning of the window that is open
		"0: 0-10 [1 2]", "part 0 at 10", "0: 10-20 [11 12 13]", "part 0 at 13", "part 0 ends",
	}, showPages(out.pages))
	require.Equal(t, []int64{0, 2}, settled)
	require.Equal(t, rep.Pages, rep.PagesSettled)
}

func TestWindowsOfWindowAdjacentThatAreOpenAtAStopAreDroppedAndAtATakeHandedOn(t *testing.T) {
	rows := func() rxcql.Stream[timed] {
		return script("A", happening{at: []int{1}}, happening{at: []int{11, 12}}, happening{at: []int{13}})
	}
	windows := func(in rxcql.Stream[timed]) rxcql.Stream[timesIn] {
		return operators.WindowAdjacent(in, operators.Tumbling(10*time.Second), momentOf, partOf, noTimes, addTime)
	}
	var p *rxcql.Pipeline
	out := &gather[timesIn]{}
	p, err := rxcql.New(windows(stopping(rows(), 12, func() { p.Stop() })), out)
	require.NoError(t, err)
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"0: 0-10 [1]"}, showPages(out.pages))
	require.EqualValues(t, 1, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)

	pages, rep := pagesOut(t, windows(operators.Take(rows(), 2)))
	require.Equal(t, []string{"0: 0-10 [1]", "0: 10-20 [11]"}, showPages(pages))
	require.Equal(t, rep.Pages, rep.PagesSettled)

	boom := errors.New("boom")
	rep, err = rxcql.Run(t.Context(), windows(rows()), &gather[timesIn]{took: func([]timesIn) error { return boom }})
	require.ErrorIs(t, err, boom)
	require.Zero(t, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)
}

func TestManyWindowsOfOnePageComeInPages(t *testing.T) {
	rows := upTo(3000)
	s := operators.WindowAdjacent(ranges(part[int]{0, rows, true}), operators.Tumbling(time.Second),
		func(n int) time.Time { return time.Unix(int64(n), 0) }, func(int) int { return 0 }, zero, add)
	pages, rep := pagesOut(t, s)
	require.EqualValues(t, 3000, rep.Written)
	require.Len(t, pages, 6)
	for i, p := range pages {
		require.LessOrEqual(t, len(p.Rows), 512)
		require.Equal(t, i == 5, p.Last)
	}
}

// A state takes 500 bytes, and there are two windows of each key, one after the other.
func TestWindowAdjacentHoldsNoMoreOfALongerTable(t *testing.T) {
	most := func(rows int) int64 {
		s := operators.WindowAdjacent(count(rows, 100), operators.Tumbling(5*time.Second),
			func(n int) time.Time { return time.Unix(int64(n%10), 0) }, func(n int) int { return n / 10 },
			func() []byte { return nil }, func(state []byte, _ int) ([]byte, error) { return append(state, make([]byte, 100)...), nil })
		results := 0
		rep, err := s.ForEach(t.Context(), func(r operators.WindowResult[int, []byte]) error {
			if results++; len(r.Value) != 500 {
				return fmt.Errorf("%d bytes", len(r.Value))
			}
			return nil
		})
		require.NoError(t, err)
		require.Equal(t, rows/5, results)
		return rep.PeakBytes
	}
	require.LessOrEqual(t, most(100_000), 2*most(1000))
}
