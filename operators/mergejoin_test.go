package operators_test

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

type couple = rxcql.Pair[tagged, tagged]

func keyOf(r tagged) int { return r.key }

func join2(left, right rxcql.Stream[tagged], opts ...operators.MergeJoinOption) rxcql.Stream[couple] {
	return operators.MergeJoin(left, right, keyOf, keyOf, cmp.Compare[int], opts...)
}

// joinKinds are the options, and which sides' rows come alone.
var joinKinds = map[string]struct {
	opts        []operators.MergeJoinOption
	left, right bool
}{
	"by default": {nil, true, true},
	"full":       {[]operators.MergeJoinOption{operators.JoinFull()}, true, true},
	"left":       {[]operators.MergeJoinOption{operators.JoinLeft()}, true, false},
	"right":      {[]operators.MergeJoinOption{operators.JoinRight()}, false, true},
	"inner":      {[]operators.MergeJoinOption{operators.JoinInner()}, false, false},
}

// bruteForce compares each row with each.
func bruteForce(left, right []tagged, aloneLeft, aloneRight bool) (all []couple) {
	matched := map[int]bool{}
	for _, l := range left {
		found := false
		for i, r := range right {
			if l.key == r.key {
				all = append(all, couple{Left: l, Right: r, HasLeft: true, HasRight: true})
				matched[i], found = true, true
			}
		}
		if !found && aloneLeft {
			all = append(all, couple{Left: l, HasLeft: true})
		}
	}
	for i, r := range right {
		if !matched[i] && aloneRight {
			all = append(all, couple{Right: r, HasRight: true})
		}
	}
	slices.SortStableFunc(all, func(a, b couple) int { return cmp.Compare(keyOfCouple(a), keyOfCouple(b)) })
	return all
}

func keyOfCouple(c couple) int {
	if c.HasLeft {
		return c.Left.key
	}
	return c.Right.key
}

// joinKind draws which rows come alone.
func joinKind(rt *rapid.T) (opts []operators.MergeJoinOption, left, right bool) {
	name := rapid.SampledFrom([]string{"by default", "full", "left", "right", "inner"}).Draw(rt, "kind")
	k := joinKinds[name]
	return k.opts, k.left, k.right
}

func TestMergeJoinIsTheJoinOfEachRowWithEach(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		left, ls := sortedScript(rt, "Left", 0)
		right, rs := sortedScript(rt, "Right", 1)
		opts, aloneLeft, aloneRight := joinKind(rt)
		sink := &gather[couple]{}
		p, err := rxcql.New(join2(left.Stream(), right.Stream(), opts...), sink, rxcql.WithBudget(2*rxcql.MinBudgetPerInput), rxcql.WithWorkers(8))
		require.NoError(rt, err)
		var rep rxcql.Report
		inBubble(t, func() { rep, err = p.Run(context.Background()) })
		require.NoError(rt, err)
		require.Equal(rt, bruteForce(ls, rs, aloneLeft, aloneRight), sink.rows())
		require.True(rt, rep.Complete)
		require.Equal(rt, rep.Pages, rep.PagesSettled)
		require.Zero(rt, rep.BytesInFlight)
		alone := len(bruteForce(ls, rs, true, true)) - len(bruteForce(ls, rs, aloneLeft, aloneRight))
		require.EqualValues(rt, alone, rep.Filtered)
		for _, page := range sink.pages {
			require.True(rt, len(page.Rows) == 0 || page.Range < 0 && !page.Last, "a page of several parts says nothing of one")
		}
	})
}

// TestMergeJoinThatIsBrokenOffGivesNoPairThatIsNotOne breaks a join off by an error, a cancel or
// Stop: what has come by then is the beginning of the join.
func TestMergeJoinThatIsBrokenOffGivesNoPairThatIsNotOne(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		left, ls := sortedScript(rt, "Left", 0)
		right, rs := sortedScript(rt, "Right", 1)
		opts, aloneLeft, aloneRight := joinKind(rt)
		how := rapid.SampledFrom([]string{"error", "cancel", "stop"}).Draw(rt, "how")
		at := rapid.IntRange(1, 120).Draw(rt, "at")
		var cancel context.CancelCauseFunc
		var p *rxcql.Pipeline
		disturb := func(tagged) error {
			if at--; at != 0 {
				return nil
			}
			switch how {
			case "error":
				return errUser
			case "cancel":
				cancel(errUser)
			default:
				p.Stop()
			}
			return nil
		}
		l, r := left.Stream(), right.Stream()
		if rapid.Bool().Draw(rt, "on the left") {
			l = operators.Tap(l, disturb)
		} else {
			r = operators.Tap(r, disturb)
		}
		sink := &gather[couple]{}
		p, err := rxcql.New(join2(l, r, opts...), sink, rxcql.WithBudget(2*rxcql.MinBudgetPerInput))
		require.NoError(rt, err)
		var rep rxcql.Report
		inBubble(t, func() {
			var ctx context.Context
			ctx, cancel = context.WithCancelCause(context.Background())
			rep, err = p.Run(ctx)
			cancel(nil)
		})
		want, got := bruteForce(ls, rs, aloneLeft, aloneRight), sink.rows()
		require.Zero(rt, rep.BytesInFlight)
		require.LessOrEqual(rt, len(got), len(want))
		require.True(rt, slices.Equal(want[:len(got)], got), "%v is not the beginning of %v", got, want)
		switch {
		case err != nil:
			require.ErrorIs(rt, err, errUser)
		case rep.Complete:
			require.Len(rt, got, len(want))
		default:
			require.Equal(rt, "Stop", rep.EndedBy)
		}
	})
}

// ofKey are rows of one key.
func ofKey(key, n int) (rows []tagged) {
	for at := range n {
		rows = append(rows, tagged{key: key, at: at})
	}
	return rows
}

func paging(rows []tagged, page int) rxcql.Stream[tagged] {
	return source.Seq(func(yield func(tagged, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	}, source.PageRows(page))
}

func TestRowsOfOneKeyOnBothSidesArePairedEachWithEach(t *testing.T) {
	left := append(append(ofKey(1, 3), ofKey(5, 70)...), ofKey(9, 1)...)
	right := append(append(ofKey(0, 2), ofKey(5, 90)...), ofKey(9, 40)...)
	for _, pages := range [][2]int{{1, 1}, {1, 100}, {100, 1}, {7, 11}, {200, 200}, {73, 92}} {
		got, rep := pagesOut(t, join2(paging(left, pages[0]), paging(right, pages[1])))
		var all []couple
		for _, p := range got {
			require.LessOrEqual(t, len(p.Rows), flow.DefaultPageRows)
			all = append(all, p.Rows...)
		}
		require.Equal(t, bruteForce(left, right, true, true), all, "%v", pages)
		require.True(t, rep.Complete)
		require.Equal(t, rep.Pages, rep.PagesSettled)
	}
}

func TestTooManyRowsOfOneKeyAreAnErrorAndNoneIsLostBelowTheBound(t *testing.T) {
	s := func(bytes int64) rxcql.Stream[couple] {
		return join2(paging(ofKey(1, 2), 1), paging(ofKey(1, 1000), 10), operators.JoinBytes(bytes))
	}
	_, err := s(23_000).Count(t.Context())
	require.ErrorIs(t, err, operators.ErrJoinFull)
	failedIn(t, "MergeJoin", err)
	n, err := s(24_000).Count(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 2000, n)
	_, err = s(0).Count(t.Context())
	require.ErrorContains(t, err, "JoinBytes is 0")
}

func TestRowsThatMergeJoinKeepsAreChargedAndNamedWhereTheBudgetHasNoRoom(t *testing.T) {
	alone(t, "", func(t *testing.T) {
		one := func(weighty) int { return 1 }
		pairs := operators.MergeJoin(weighties(2), weighties(2000), one, one, cmp.Compare[int])
		_, err := pairs.Count(context.Background(), rxcql.WithBudget(256<<10))
		var held *flow.BudgetHeldError
		require.ErrorAs(t, err, &held)
		require.Equal(t, "MergeJoin", held.Stage)
		n, err := pairs.Count(context.Background())
		require.NoError(t, err)
		require.EqualValues(t, 4000, n)
	})
}

func TestMergeJoinOfRowsOfDifferentTypes(t *testing.T) {
	type user struct {
		id   string
		name string
	}
	users := from(user{"a", "Ann"}, user{"b", "Bob"})
	logins := from("b", "b", "c")
	got := collect(t, operators.MergeJoin(users, logins, func(u user) string { return u.id }, itself[string], cmp.Compare[string]))
	require.Equal(t, []rxcql.Pair[user, string]{
		{Left: user{"a", "Ann"}, HasLeft: true},
		{Left: user{"b", "Bob"}, Right: "b", HasLeft: true, HasRight: true},
		{Left: user{"b", "Bob"}, Right: "b", HasLeft: true, HasRight: true},
		{Right: "c", HasRight: true},
	}, got)
}

func TestMergeJoinKeepsBytesOfItsKeysAndRowsThoughTheirPagesAreUsedAgain(t *testing.T) {
	// Each page has one row, of bytes that are overwritten when Next has returned.
	spoiled := func(rows ...string) rxcql.Stream[[]byte] {
		return rxcql.Lift(source.Seq(valuesIn(rows), source.PageRows(1)), rxcql.StageInfo{Name: "Spoil"},
			func(_ *rxcql.Stage, out flow.Observer[[]byte]) flow.Observer[string] { return &spoiling{out: out} })
	}
	got := collect(t, operators.Map(operators.MergeJoin(spoiled("a", "b", "b", "c"), spoiled("b", "b", "b", "d"),
		itself[[]byte], itself[[]byte], func(a, b []byte) int { return cmp.Compare(string(a), string(b)) }),
		func(p rxcql.Pair[[]byte, []byte]) (string, error) { return string(p.Left) + "-" + string(p.Right), nil }))
	require.Equal(t, []string{"a-", "b-b", "b-b", "b-b", "b-b", "b-b", "b-b", "c-", "-d"}, got)
}

func valuesIn(all []string) func(func(string, error) bool) {
	return func(yield func(string, error) bool) {
		for _, s := range all {
			if !yield(s, nil) {
				return
			}
		}
	}
}

type spoiling struct{ out flow.Observer[[]byte] }

func (s *spoiling) Next(ctx context.Context, p *flow.Page[string]) error {
	var rows [][]byte
	for _, row := range p.Rows {
		rows = append(rows, []byte(row))
	}
	err := s.out.Next(ctx, flow.Derive(p, rows))
	for _, row := range rows {
		for i := range row {
			row[i] = '~'
		}
	}
	return err
}

func (s *spoiling) Done(ctx context.Context, stopped bool) error { return s.out.Done(ctx, stopped) }

func TestWhatIsWrongWithTheArgumentsOfJoinsIsReportedTogether(t *testing.T) {
	var zero rxcql.Stream[int]
	for text, s := range map[string]anyStream{
		"MergeJoin: the key function of the left side is nil\nthe key function of the right side is nil\nthe function compare is nil": operators.MergeJoin[int, int, int](count(1, 1), count(1, 1), nil, nil, nil),
		"MergeJoin: an option is nil":  operators.MergeJoin(count(1, 1), count(1, 1), itself[int], itself[int], cmp.Compare[int], nil),
		"Zip: the function is nil":     operators.Zip[int, int, int](count(1, 1), count(1, 1), nil),
		"its input is the zero Stream": operators.Zip(zero, count(1, 1), pairOf),
		"the zero Stream":              operators.MergeSorted(cmp.Compare[int], zero),
	} {
		_, err := s.Count(t.Context())
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorContains(t, err, text)
	}
}

func TestWatermarksOfRowsThatMergeJoinKeepsWaitForTheirPairs(t *testing.T) {
	var said []string
	right := script("R", happening{part: 0, at: []int{5}, mark: 5}, happening{part: 0, mark: 6}, happening{part: 1, mark: 3},
		happening{part: 0, at: []int{9}, mark: 9}, happening{part: 0, last: true}, happening{part: 1, last: true})
	left := script("L", happening{part: 0, at: []int{5}}, happening{part: 0, at: []int{5}}, happening{part: 0, at: []int{7}, last: true})
	at := func(e timed) int { return e.at }
	sink := &gather[rxcql.Pair[timed, timed]]{}
	p, err := rxcql.New(operators.MergeJoin(left, right, at, at, cmp.Compare[int]), sink)
	require.NoError(t, err)
	_, err = p.Run(t.Context())
	require.NoError(t, err)
	pairs := 0
	for _, page := range sink.pages {
		for _, row := range page.Rows {
			if row.HasRight && row.Right.at == 5 {
				pairs++
			}
		}
		if page.Source != nil && page.Source.Name == "R" && page.Range == 0 && page.Watermark.Known() {
			require.Equal(t, 2, pairs, "behind %v", said)
			said = append(said, page.Watermark.String())
		}
	}
	require.Equal(t, []string{markAt(6).String(), markAt(9).String()}, said)
}

func TestAPanicOfAFunctionOfJoinsIsAnErrorOfItsStage(t *testing.T) {
	boom := errors.New("boom")
	panicking := func(a, b int) int {
		if a == 42 || b == 42 {
			panic(boom)
		}
		return cmp.Compare(a, b)
	}
	key := func(n int) int {
		if n == 42 {
			panic(boom)
		}
		return n
	}
	for verb, s := range map[string]anyStream{
		"Zip":         operators.Zip(count(100, 7), count(100, 3), func(a, _ int) (int, error) { return key(a), nil }),
		"MergeSorted": operators.MergeSorted(panicking, count(100, 7), count(100, 3)),
		"MergeJoin":   operators.MergeJoin(count(100, 7), count(100, 3), key, itself[int], cmp.Compare[int]),
		"MergeJoin ":  operators.MergeJoin(count(100, 7), count(100, 3), itself[int], itself[int], panicking),
	} {
		_, err := s.Count(t.Context())
		require.ErrorIs(t, err, rxcql.ErrPanic, verb)
		require.ErrorIs(t, err, boom, verb)
		failedIn(t, map[bool]string{true: "MergeJoin", false: verb}[verb == "MergeJoin "], err)
	}
}
