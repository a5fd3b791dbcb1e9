package operators_test

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

func TestResultsComeInPagesAndTheirPagesSettleBehindThem(t *testing.T) {
	for _, n := range []int{0, 1, 511, 512, 513, 3000} {
		var p *rxcql.Pipeline
		settled := int64(-1)
		out := &gather[operators.WindowResult[int, int]]{took: func(rows []operators.WindowResult[int, int]) error {
			require.LessOrEqual(t, len(rows), 512)
			if now := p.Progress(); len(rows) > 0 {
				settled = max(settled, now.PagesSettled-now.EmptyPages)
			}
			return nil
		}}
		s := operators.Window(count(2*n, 100), operators.Tumbling(time.Hour), func(int) time.Time { return time.Unix(0, 0) },
			func(i int) int { return i % max(n, 1) }, zero, add, operators.WindowKeys(5000))
		p, err := rxcql.New(s, out)
		require.NoError(t, err)
		rep, err := p.Run(t.Context())
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.Equal(t, rep.Pages, rep.PagesSettled)
		require.Zero(t, rep.BytesInFlight)
		require.Len(t, out.rows(), n)
		for i, r := range out.rows() {
			require.Equal(t, []int{i, 2*i + n, 2}, []int{r.Key, r.Value, int(r.Rows)}, "in the order of first rows")
		}
		if n > 0 {
			require.Zero(t, settled, "while results come out")
		}
	}
	for seed := range uint64(20) {
		late := newLateSink(seed, -1) // whose rows become durable later than Write, in any order
		s := operators.Window(count(5000, 100), operators.Tumbling(time.Second), func(n int) time.Time { return time.Unix(int64(n/10), 0) },
			itself[int], zero, add, operators.WindowKeys(5000))
		rep, err := rxcql.Run(t.Context(), operators.Map(s, func(r operators.WindowResult[int, int]) (int, error) { return r.Key, nil }), late)
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.EqualValues(t, 5000, rep.Written)
	}
}

func windowOfAll(in rxcql.Stream[int], opts ...operators.WindowOption) rxcql.Stream[operators.WindowResult[int, int]] {
	return operators.Window(in, operators.Tumbling(time.Hour), func(int) time.Time { return time.Unix(0, 0) }, itself[int], zero, add, opts...)
}

func TestAtItsBoundsWindowEndsWithAnErrorAndHandsOnNothing(t *testing.T) {
	list := func() []int { return nil }
	collectInts := func(all []int, n int) ([]int, error) { return append(all, n), nil }
	oneKey := func(opts ...operators.WindowOption) anyStream {
		return operators.Window(count(20_000, 100), operators.Tumbling(time.Hour), func(int) time.Time { return time.Unix(0, 0) },
			func(int) int { return 0 }, list, collectInts, opts...)
	}
	for name, c := range map[string]struct {
		s    anyStream
		room bool
	}{
		"as many keys":   {windowOfAll(count(1000, 7), operators.WindowKeys(1000)), true},
		"one more":       {windowOfAll(count(1001, 7), operators.WindowKeys(1000)), false},
		"bytes":          {windowOfAll(count(1001, 7), operators.WindowBytes(10_000)), false},
		"enough bytes":   {windowOfAll(count(100, 7), operators.WindowBytes(20_000)), true},
		"a state grows":  {oneKey(operators.WindowBytes(100_000)), false},
		"one that may":   {oneKey(operators.WindowBytes(1 << 20)), true},
		"hopping counts": {operators.Window(count(100, 7), operators.Hopping(10*time.Second, time.Second), func(int) time.Time { return time.Unix(0, 0) }, itself[int], zero, add, operators.WindowKeys(999)), false},
	} {
		came, err := c.s.Count(t.Context())
		if c.room {
			require.NoError(t, err, name)
			require.Positive(t, came, name)
			continue
		}
		require.ErrorIs(t, err, operators.ErrWindowFull, name)
		require.ErrorContains(t, err, "WindowKeys")
		require.Zero(t, came, name)
		failedIn(t, "Window", err)
	}
}

// The bound is of what is kept at once: the states of windows that are over make room for others.
func TestWindowKeepsExactlyAsManyStatesAsItMay(t *testing.T) {
	const keys, windows = 20, 6
	at := func(n int) time.Time { return time.Unix(int64(n/keys)*100, 0) }
	for name, c := range map[string]struct {
		windows operators.Windows
		need    int64 // states at once
		opts    []operators.WindowOption
	}{
		"tumbling":              {operators.Tumbling(100 * time.Second), 2 * keys, nil}, // a window ends behind the page of the next one
		"hopping":               {operators.Hopping(200*time.Second, 100*time.Second), 3 * keys, nil},
		"with allowed lateness": {operators.Tumbling(100 * time.Second), 4 * keys, []operators.WindowOption{operators.AllowedLateness(200 * time.Second)}},
		"sessions":              {operators.Session(100 * time.Second), 3 * keys, []operators.WindowOption{operators.MergeStates(add)}},
	} {
		with := func(most int64) (int64, error) { // a page has a row of each key, in the next window
			timed := operators.EventTime(count(keys*windows, keys), func(n int) (time.Time, error) { return at(n), nil })
			return operators.Window(timed, c.windows, at, func(n int) int { return n % keys }, zero, add, append(c.opts, operators.WindowKeys(most))...).Count(t.Context())
		}
		n, err := with(c.need)
		require.NoError(t, err, name)
		require.Positive(t, n, name)
		_, err = with(c.need - 1)
		require.ErrorIs(t, err, operators.ErrWindowFull, name)
		require.ErrorContains(t, err, fmt.Sprintf("%d states", c.need-1), name)
	}
}

func TestStatesOfWindowAreChargedAndNamedWhereTheBudgetHasNoRoom(t *testing.T) {
	rep, err := run(t, windowOfAll(count(10_000, 100), operators.WindowKeys(1<<20)))
	require.NoError(t, err)
	require.Greater(t, rep.PeakBytes, int64(500_000))
	require.Zero(t, rep.BytesInFlight)
	_, err = windowOfAll(count(10_000, 100), operators.WindowKeys(1<<20)).Count(t.Context(), rxcql.WithBudget(rxcql.MinBudgetPerInput))
	var held *flow.BudgetHeldError
	require.ErrorAs(t, err, &held)
	require.Equal(t, "Window", held.Stage)
}

func TestAtAStopNoOpenWindowIsHandedOnAndTakeOnEitherSideSettlesAll(t *testing.T) {
	var p *rxcql.Pipeline
	out := &gather[timesIn]{}
	p, err := rxcql.New(inWindows(stopping(script("One",
		happening{at: []int{1}, mark: 1},
		happening{at: []int{11}, mark: 11},
		happening{at: []int{12, 13}, mark: 12},
		happening{at: []int{25}, mark: 25},
	), 12, func() { p.Stop() }), operators.Tumbling(10*time.Second)), out)
	require.NoError(t, err)
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"0: 0-10 [1]", "part 0 at 11"}, slices.DeleteFunc(showPages(out.pages), func(s string) bool { return s == "part 0 at 1" }))
	require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
	require.False(t, rep.Complete)
	require.EqualValues(t, 1, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)

	rep, err = run(t, operators.Take(windowOfAll(count(5000, 100), operators.WindowKeys(5000)), 700))
	require.NoError(t, err)
	require.Equal(t, "Take", rep.EndedBy)
	require.EqualValues(t, 700, rep.Written)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)

	rep, err = run(t, windowOfAll(operators.Take(count(5000, 100), 700), operators.WindowKeys(5000)))
	require.NoError(t, err)
	require.EqualValues(t, 700, rep.Written, "what Take lets through is all there is")
	require.Equal(t, rep.Pages, rep.PagesSettled)
}

// stopping calls stop when a row of a time has come.
func stopping(in rxcql.Stream[timed], at int, stop func()) rxcql.Stream[timed] {
	return operators.Tap(in, func(e timed) error {
		if e.at == at {
			stop()
		}
		return nil
	})
}

func TestAFailureBehindWindowLeavesItsPagesUnsettled(t *testing.T) {
	boom := errors.New("boom")
	pages := 0
	out := &gather[operators.WindowResult[int, int]]{took: func([]operators.WindowResult[int, int]) error {
		if pages++; pages == 3 {
			return boom
		}
		return nil
	}}
	rep, err := rxcql.Run(t.Context(), windowOfAll(count(5000, 100), operators.WindowKeys(5000)), out)
	require.ErrorIs(t, err, boom)
	require.Equal(t, rep.EmptyPages, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)
}

func TestErrorsOfFunctionsOfWindowAreErrorsOfTheStage(t *testing.T) {
	boom := errors.New("boom")
	in := func() rxcql.Stream[timed] {
		return script("One", happening{at: []int{1, 20}, mark: 19}, happening{at: []int{1, 15}, last: true})
	}
	for name, s := range map[string]anyStream{
		"late rows": inWindows(in(), operators.Tumbling(10*time.Second), operators.LateRows(func(timed) error { return boom })),
		"merge": inWindows(script("One", happening{at: []int{1, 18, 10}, last: true}), operators.Session(10*time.Second),
			operators.MergeStates(func(_, _ []int) ([]int, error) { return nil, boom })),
	} {
		_, err := s.Count(t.Context(), rxcql.WithRowErrors(rxcql.SkipRows(100)))
		require.ErrorIs(t, err, boom, name)
		failedIn(t, "Window", err)
	}
}

func TestATimeThatIsTooFarIsAnErrorOfItsRow(t *testing.T) {
	far := operators.Window(count(10, 3), operators.Tumbling(time.Hour), func(n int) time.Time {
		switch n {
		case 3:
			return time.Unix(math.MaxInt64/2, 0)
		case 5:
			return time.Unix(math.MinInt64/2, 0)
		case 7:
			return time.Unix(-1<<42, 0) // 139,000 years before 1970
		}
		return time.Unix(0, 0)
	}, itself[int], zero, add, operators.WindowKeys(100))
	_, err := far.Count(t.Context())
	var row *rxcql.RowError
	require.ErrorAs(t, err, &row)
	require.ErrorContains(t, err, "146,000 years")
	failedIn(t, "Window", err)
	rep, err := rxcql.Run(t.Context(), far, &gather[operators.WindowResult[int, int]]{}, rxcql.WithRowErrors(rxcql.SkipRows(2)))
	require.NoError(t, err)
	require.EqualValues(t, []int64{2, 8}, []int64{rep.Skipped, rep.Written})
}
