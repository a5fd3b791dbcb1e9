package operators_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

func TestIntervalJoinRefusesWhatIsWrong(t *testing.T) {
	at, keys := second, operators.IntervalJoinRows(1)
	with := func(lower, upper time.Duration, opts ...operators.IntervalJoinOption) anyStream {
		return operators.IntervalJoin(count(1, 1), count(1, 1), at, at, itself[int], itself[int], lower, upper, opts...)
	}
	for text, s := range map[string]anyStream{
		"IntervalJoin: the function of the event time of the left side is nil\nthe function of the event time of the right side is nil\n" +
			"the key function of the left side is nil\nthe key function of the right side is nil": operators.IntervalJoin[int, int, int](count(1, 1), count(1, 1), nil, nil, nil, nil, 0, 0, keys),
		"lower is 1s and upper 0s: no time is in between":      with(time.Second, 0, keys),
		"lower is 1ns: event time has whole microseconds":      with(1, time.Second, keys),
		"upper is 1ns: event time has whole microseconds":      with(0, 1, keys),
		"no bound: give IntervalJoinRows or IntervalJoinBytes": with(0, 0),
		"IntervalJoinRows is 0":                                with(0, 0, operators.IntervalJoinRows(0)),
		"IntervalJoinBytes is -1":                              with(0, 0, operators.IntervalJoinBytes(-1)),
		"an option is nil":                                     with(0, 0, nil),
		"its input is the zero Stream":                         operators.IntervalJoin(rxcql.Stream[int]{}, count(1, 1), at, at, itself[int], itself[int], 0, 0, keys),
	} {
		_, err := s.Count(t.Context())
		require.ErrorIs(t, err, rxcql.ErrConfig, text)
		require.ErrorContains(t, err, text)
	}
}

// allPairs joins each with each.
func allPairs(left, right rxcql.Stream[int], opts ...operators.IntervalJoinOption) rxcql.Stream[rxcql.Pair[int, int]] {
	one := func(int) int { return 1 }
	return operators.IntervalJoin(left, right, second, second, one, one, -time.Hour*1e5, time.Hour*1e5, opts...)
}

func TestManyPairsComeInPagesAndAllPagesAreSettled(t *testing.T) {
	for _, n := range []int{0, 1, 511, 512, 513, 3000} {
		pages, rep := pagesOut(t, allPairs(count(n, 100), count(3, 2), operators.IntervalJoinRows(4000)))
		require.EqualValues(t, 3*n, rep.Written)
		for _, p := range pages {
			require.LessOrEqual(t, len(p.Rows), flow.DefaultPageRows)
			require.True(t, len(p.Rows) == 0 || p.Range < 0, "rows of several parts")
		}
		require.True(t, rep.Complete)
		require.Equal(t, rep.Pages, rep.PagesSettled)
		require.Zero(t, rep.BytesInFlight)
	}
	for seed := range uint64(10) { // rows become durable later than Write, in any order
		pairs := operators.Map(allPairs(count(500, 100), count(10, 3), operators.IntervalJoinRows(4000)),
			func(p rxcql.Pair[int, int]) (int, error) { return p.Left, nil })
		rep, err := rxcql.Run(t.Context(), pairs, newLateSink(seed, -1))
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.EqualValues(t, 5000, rep.Written)
		require.Equal(t, rep.Pages, rep.PagesSettled)
	}
}

func TestAtItsBoundsIntervalJoinEndsWithAnError(t *testing.T) {
	for name, c := range map[string]struct {
		bound operators.IntervalJoinOption
		room  bool
	}{
		"as many rows": {operators.IntervalJoinRows(200), true},
		"one less":     {operators.IntervalJoinRows(199), false},
		"bytes":        {operators.IntervalJoinBytes(5_000), false},
		"enough bytes": {operators.IntervalJoinBytes(60_000), true},
	} {
		none := func(n int) int { return n }
		s := operators.IntervalJoin(count(100, 7), count(100, 7), second, second, none, func(n int) int { return -1 - n }, 0, time.Hour, c.bound)
		rep, err := run(t, s)
		if c.room {
			require.NoError(t, err, name)
			require.EqualValues(t, 200, rep.Filtered)
			continue
		}
		require.ErrorIs(t, err, operators.ErrIntervalJoinFull, name)
		failedIn(t, "IntervalJoin", err)
		require.Zero(t, rep.BytesInFlight)
	}
}

func TestRowsOfIntervalJoinAreChargedAndNamedWhereTheBudgetHasNoRoom(t *testing.T) {
	rep, err := run(t, allPairs(count(10_000, 100), count(0, 1), operators.IntervalJoinRows(1<<20)))
	require.NoError(t, err)
	require.Greater(t, rep.PeakBytes, int64(240_000))
	require.Zero(t, rep.BytesInFlight)
	_, err = allPairs(count(30_000, 100), count(0, 1), operators.IntervalJoinRows(1<<20)).Count(t.Context(), rxcql.WithBudget(2*rxcql.MinBudgetPerInput))
	var held *flow.BudgetHeldError
	require.ErrorAs(t, err, &held)
	require.Equal(t, "IntervalJoin", held.Stage)
}

// What has come by an error, a cancel or Stop are pairs of the join, none twice; only the pages of
// a run that ends well are settled.
func TestIntervalJoinThatIsBrokenOffGivesNoPairThatIsNotOne(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		marks := map[partName]flow.Watermark{}
		left, right := randomScript(rt, "L", marks), randomScript(rt, "R", marks)
		want := map[string]int{}
		for _, p := range collectPairs(rt, near(left, right, thirdOf, -5, 5)) {
			want[fmt.Sprint(p)]++
		}
		how := rapid.SampledFrom([]string{"error", "cancel", "stop", "error of the sink", "take"}).Draw(rt, "how")
		at := rapid.IntRange(1, 60).Draw(rt, "at")
		limit := int64(0)
		var cancel context.CancelCauseFunc
		var p *rxcql.Pipeline
		disturb := func() error {
			if at--; at != 0 {
				return nil
			}
			switch how {
			case "error":
				return errUser
			case "cancel":
				cancel(errUser)
			case "stop":
				p.Stop()
			}
			return nil
		}
		disturbed := func(timed) error { return disturb() }
		if rapid.Bool().Draw(rt, "on the left") {
			left = operators.Tap(left, disturbed)
		} else {
			right = operators.Tap(right, disturbed)
		}
		s := near(left, right, thirdOf, -5, 5)
		sink := &gather[timedPair]{}
		switch how {
		case "error of the sink":
			calls := at
			sink.took = func([]timedPair) error {
				if calls--; calls == 0 {
					return errUser
				}
				return nil
			}
		case "take":
			limit = int64(at)
			s = operators.Take(s, limit)
		}
		p, err := rxcql.New(s, sink, rxcql.WithBudget(2*rxcql.MinBudgetPerInput))
		require.NoError(rt, err)
		var rep rxcql.Report
		inBubble(t, func() {
			var ctx context.Context
			ctx, cancel = context.WithCancelCause(context.Background())
			rep, err = p.Run(ctx)
			cancel(nil)
		})
		got := map[string]int{}
		for _, pair := range sink.rows() {
			got[fmt.Sprint(pair)]++
		}
		for pair, n := range got {
			require.LessOrEqual(rt, n, want[pair], "%s", pair)
		}
		require.Zero(rt, rep.BytesInFlight)
		switch {
		case err != nil:
			require.ErrorIs(rt, err, errUser)
		case rep.Complete:
			require.Equal(rt, rep.Pages, rep.PagesSettled)
			require.Equal(rt, want, got)
		case how == "take":
			require.Equal(rt, rep.Pages, rep.PagesSettled)
			require.Equal(rt, limit, rep.Written)
		default:
			require.Equal(rt, "Stop", rep.EndedBy)
		}
	})
}

func collectPairs(t require.TestingT, s rxcql.Stream[timedPair]) []timedPair {
	pairs, err := s.Collect(context.Background())
	require.NoError(t, err)
	return pairs
}

func TestAtAStopPagesOfRowsThatAreKeptStayUnsettled(t *testing.T) {
	var p *rxcql.Pipeline
	come, stopped := make(chan struct{}), make(chan struct{})
	left := script("L", happening{at: []int{10}, mark: 10}, happening{at: []int{31}, mark: 30, then: func(context.Context) error {
		<-come
		p.Stop()
		close(stopped)
		return nil
	}}, happening{at: []int{50}})
	right := script("R", happening{at: []int{10}, mark: 10}, happening{at: []int{30}, mark: 30, then: func(context.Context) error {
		close(come)
		<-stopped
		return nil
	}}, happening{at: []int{51}})
	out := &gather[timedPair]{}
	p, err := rxcql.New(near(left, right, noKey, -2, 2), out)
	require.NoError(t, err)
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
	require.False(t, rep.Complete)
	require.EqualValues(t, 2, rep.Pages-rep.PagesSettled, "30 and 31 may have more partners")
	require.Len(t, out.rows(), 2)
	require.Zero(t, rep.BytesInFlight)
}

func TestATimeOutOfRangeIsAnErrorOfItsRowInIntervalJoin(t *testing.T) {
	far := func(n int) time.Time {
		if n%5 == 3 {
			return time.Date(200_000, 1, 1, 0, 0, 0, 0, time.UTC)
		}
		return second(n)
	}
	s := operators.IntervalJoin(count(10, 3), count(10, 4), far, second, itself[int], itself[int], 0, 0, operators.IntervalJoinRows(100))
	_, err := s.Count(t.Context())
	require.ErrorContains(t, err, "146,000 years")
	failedIn(t, "IntervalJoin", err)
	rep, err := rxcql.Run(t.Context(), s, &gather[rxcql.Pair[int, int]]{}, rxcql.WithRowErrors(rxcql.SkipRows(2)))
	require.NoError(t, err)
	require.EqualValues(t, []int64{2, 8, 2}, []int64{rep.Skipped, rep.Written, rep.Filtered})
}

func TestAPanicOfAFunctionOfIntervalJoinIsAnErrorOfItsStage(t *testing.T) {
	boom := errors.New("boom")
	panics := func(n int) int {
		if n == 42 {
			panic(boom)
		}
		return n
	}
	rows := operators.IntervalJoinRows(1000)
	for name, s := range map[string]anyStream{
		"left key":   operators.IntervalJoin(count(100, 7), count(100, 3), second, second, panics, itself[int], 0, 0, rows),
		"right key":  operators.IntervalJoin(count(100, 7), count(100, 3), second, second, itself[int], panics, 0, 0, rows),
		"left time":  operators.IntervalJoin(count(100, 7), count(100, 3), func(n int) time.Time { return second(panics(n)) }, second, itself[int], itself[int], 0, 0, rows),
		"right time": operators.IntervalJoin(count(100, 7), count(100, 3), second, func(n int) time.Time { return second(panics(n)) }, itself[int], itself[int], 0, 0, rows),
	} {
		_, err := s.Count(t.Context())
		require.ErrorIs(t, err, rxcql.ErrPanic, name)
		require.ErrorIs(t, err, boom, name)
		failedIn(t, "IntervalJoin", err)
	}
}

func TestIntervalJoinKeepsBytesOfItsRowsThoughTheirPagesAreUsedAgain(t *testing.T) {
	// Each page has one row, of bytes that are overwritten when Next has returned.
	spoiled := func(rows ...string) rxcql.Stream[[]byte] {
		return rxcql.Lift(from(rows...), rxcql.StageInfo{Name: "Spoil"},
			func(_ *rxcql.Stage, out flow.Observer[[]byte]) flow.Observer[string] { return &spoiling{out: out} })
	}
	moment := func([]byte) time.Time { return time.Unix(0, 0) }
	key := func(b []byte) string { return string(b[:1]) }
	got := collect(t, operators.Map(operators.IntervalJoin(spoiled("a1", "b1"), spoiled("b2", "a2", "c2"), moment, moment, key, key, 0, 0,
		operators.IntervalJoinRows(100)), func(p rxcql.Pair[[]byte, []byte]) (string, error) { return string(p.Left) + string(p.Right), nil }))
	slices.Sort(got)
	require.Equal(t, []string{"a1a2", "b1b2"}, got)
}

func TestASlowSinkAndALimitBehindIntervalJoin(t *testing.T) {
	inBubble(t, func() {
		n := 0
		pairs := operators.Tap(allPairs(count(50, 7), count(20, 3), operators.IntervalJoinRows(100)), func(rxcql.Pair[int, int]) error {
			time.Sleep(time.Second)
			n++
			return nil
		})
		rep, err := rxcql.Run(context.Background(), operators.Take(pairs, 600), &gather[rxcql.Pair[int, int]]{}, rxcql.WithBudget(2*rxcql.MinBudgetPerInput))
		require.NoError(t, err)
		require.Equal(t, "Take", rep.EndedBy)
		require.EqualValues(t, 600, rep.Written)
		require.Equal(t, rep.Pages, rep.PagesSettled)
	})
}
