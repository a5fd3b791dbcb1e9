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
	"github.com/rxcql/rxcql/operators"
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
