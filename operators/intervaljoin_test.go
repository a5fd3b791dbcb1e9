package operators_test

import (
	"context"
	"fmt"
	"math"
	"slices"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

type timedPair = rxcql.Pair[timed, timed]

func thirdOf(e timed) int { return (e.at*7 + e.part) % 3 }

func noKey(timed) int { return 0 }

// near joins rows of equal keys whose seconds are lower to upper apart.
func near(left, right rxcql.Stream[timed], key func(timed) int, lower, upper int, opts ...operators.IntervalJoinOption) rxcql.Stream[timedPair] {
	if len(opts) == 0 {
		opts = append(opts, operators.IntervalJoinRows(1<<40))
	}
	return operators.IntervalJoin(left, right, momentOf, momentOf, key, key, time.Duration(lower)*time.Second, time.Duration(upper)*time.Second, opts...)
}

// laterOf is the row of a pair that has its event time.
func laterOf(p timedPair) (timed, error) {
	if p.Left.at >= p.Right.at {
		return p.Left, nil
	}
	return p.Right, nil
}

func showPair(p timedPair) string { return fmt.Sprintf("%d-%d", p.Left.at, p.Right.at) }

// Each row is compared with each: the pairs are those, each once, whatever parts, pages and
// watermarks there are, and no pair comes behind a watermark.
func TestIntervalJoinIsTheJoinOfEachRowWithEachByTime(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		marks := map[partName]flow.Watermark{}
		left, right := randomScript(rt, "L", marks), randomScript(rt, "R", marks)
		lower := rapid.IntRange(-15, 15).Draw(rt, "lower")
		upper := lower + rapid.IntRange(0, 20).Draw(rt, "width")
		var want, got []string
		alone := 0
		ls, rs := collectTimed(rt, left), collectTimed(rt, right)
		matched := make([]bool, len(rs))
		for _, l := range ls {
			found := false
			for i, r := range rs {
				if d := r.at - l.at; d >= lower && d <= upper && thirdOf(l) == thirdOf(r) {
					want = append(want, fmt.Sprint(l, r))
					found, matched[i] = true, true
				}
			}
			alone += btoi(!found)
		}
		for _, is := range matched {
			alone += btoi(!is)
		}
		h := newHeard()
		pairs := operators.Tap(near(left, right, thirdOf, lower, upper), func(p timedPair) error {
			require.True(rt, p.Both())
			got = append(got, fmt.Sprint(p.Left, p.Right))
			return nil
		})
		rep := hear(rt, operators.Map(pairs, laterOf), &listening{heard: h})
		slices.Sort(want)
		slices.Sort(got)
		require.Equal(rt, want, got)
		require.NoError(rt, h.broken)
		require.Equal(rt, flow.Forever, h.clock.Now())
		require.True(rt, rep.Complete)
		require.Zero(rt, rep.LateRows)
		require.EqualValues(rt, alone, rep.Filtered, "rows without a partner")
	})
}

// turn is a page of the left or the right side.
type turn struct {
	right bool
	happening
}

func onLeft(h happening) turn { return turn{happening: h} }

func onRight(h happening) turn { return turn{right: true, happening: h} }

// inTurns are two sources whose pages come in this order, and which end behind the last. They can
// be read once.
func inTurns(turns ...turn) (left, right rxcql.Stream[timed]) {
	open := make([]chan struct{}, len(turns)+1)
	for i := range open {
		open[i] = make(chan struct{})
	}
	if len(turns) > 0 {
		close(open[0])
	}
	wait := func(ctx context.Context, i int) error {
		select {
		case <-open[i]:
			return nil
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
	side := func(name string, right bool) rxcql.Stream[timed] {
		pages, at := []happening{{}}, []int{-1} // the first waits for the side's first turn
		for i, each := range turns {
			if each.right == right {
				pages, at = append(pages, each.happening), append(at, i)
			}
		}
		at = append(at, len(turns))
		for i := range pages {
			done := pages[i].then
			pages[i].then = func(ctx context.Context) error {
				if done != nil {
					if err := done(ctx); err != nil {
						return err
					}
				}
				if at[i] >= 0 {
					close(open[at[i]+1])
				}
				return wait(ctx, at[i+1])
			}
		}
		return script(name, pages...)
	}
	return side("L", false), side("R", true)
}

func shownPairs(t *testing.T, s rxcql.Stream[timedPair]) (all []string) {
	t.Helper()
	for _, p := range collect(t, s) {
		all = append(all, showPair(p))
	}
	return all
}

func TestRowsAreJoinedUpToBothBordersOfTheIntervalAndNoFurther(t *testing.T) {
	// Numbers are microseconds here.
	moment := func(n int) time.Time { return time.UnixMicro(int64(n)) }
	key := func(int) string { return "" }
	for name, c := range map[string]struct {
		lower, upper time.Duration
		of           []int
	}{
		"around":             {-2 * time.Microsecond, 3 * time.Microsecond, []int{-2, -1, 0, 1, 2, 3}},
		"the same moment":    {0, 0, []int{0}},
		"later ones alone":   {time.Microsecond, 2 * time.Microsecond, []int{1, 2}},
		"earlier ones alone": {-5 * time.Microsecond, -4 * time.Microsecond, []int{-5, -4}},
	} {
		others := []int{-6, -5, -4, -3, -2, -1, 0, 1, 2, 3, 4, 5, 6}
		for _, base := range []int{-1_000_000, 0, 77} {
			var right []int
			for _, n := range others {
				right = append(right, base+n)
			}
			got := []int{}
			for _, p := range collect(t, operators.IntervalJoin(from(base), from(right...), moment, moment, key, key, c.lower, c.upper, operators.IntervalJoinRows(100))) {
				got = append(got, p.Right-base)
			}
			slices.Sort(got)
			require.Equal(t, c.of, got, name)
		}
	}
}

func TestPairsComeWithTheLaterRowByTheTimesOfTheOthers(t *testing.T) {
	left, right := inTurns(
		onRight(happening{at: []int{12, 10}}),
		onRight(happening{part: 1, at: []int{11, 10, 30}}),
		onLeft(happening{at: []int{10, 40, 11}}),
		onRight(happening{at: []int{9}}),
		onLeft(happening{at: []int{12}}),
	)
	var rights []int
	s := operators.Tap(near(left, right, noKey, -2, 2), func(p timedPair) error {
		if p.Left.at == 10 && p.Right.at == 10 {
			rights = append(rights, p.Right.part)
		}
		return nil
	})
	require.Equal(t, []string{
		"10-10", "10-10", "10-11", "10-12", "11-10", "11-10", "11-11", "11-12",
		"10-9", "11-9",
		"12-10", "12-10", "12-11", "12-12",
	}, shownPairs(t, s))
	require.Equal(t, []int{0, 1}, rights, "of equal times the one that came first is first")
}

func TestASideWithoutAnyRowsHoldsNothingBack(t *testing.T) {
	var pages []happening
	for at := range 100 {
		pages = append(pages, happening{at: []int{at}, mark: at})
	}
	for name, other := range map[string]func() rxcql.Stream[timed]{
		"none":        func() rxcql.Stream[timed] { return script("Other") },
		"none of two": func() rxcql.Stream[timed] { return operators.Merge(script("One"), script("Two")) },
		"ended early": func() rxcql.Stream[timed] {
			return operators.Take(script("Other", happening{at: []int{1}}, happening{at: []int{2}}), 1)
		},
		"all dropped": func() rxcql.Stream[timed] {
			return operators.Filter(script("Other", happening{at: []int{1}, mark: 1, last: true}), func(timed) bool { return false })
		},
	} {
		for side := range 2 {
			// The other side is read to its end before the pages come.
			ended := make(chan struct{})
			first := happening{then: func(ctx context.Context) error {
				select {
				case <-ended:
				case <-ctx.Done():
				}
				return context.Cause(ctx)
			}}
			many := script("Many", append([]happening{first}, pages...)...)
			none := rxcql.Lift(other(), rxcql.StageInfo{Name: "until the end", OneToOne: true}, func(_ *rxcql.Stage, out flow.Observer[timed]) flow.Observer[timed] {
				return &endsWith{Observer: out, ended: ended}
			})
			sides := []rxcql.Stream[timed]{many, none}
			_, err := near(sides[side], sides[1-side], noKey, -2, 2, operators.IntervalJoinRows(6)).Count(t.Context())
			require.NoError(t, err, name)
		}
	}
}

func TestAKeyThatDoesNotEqualItselfHasNoPartners(t *testing.T) {
	none := func(int) float64 { return math.NaN() }
	moment := func(int) time.Time { return time.Unix(0, 0) }
	rep, err := run(t, operators.IntervalJoin(count(10, 3), count(5, 2), moment, moment, none, none, -time.Hour, time.Hour, operators.IntervalJoinRows(1)))
	require.NoError(t, err)
	require.EqualValues(t, []int64{0, 15}, []int64{rep.Written, rep.Filtered})
}
