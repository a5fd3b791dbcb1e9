package operators_test

import (
	"cmp"
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

// holding are chains that hold something of what is before them when that fails.
func holding() map[string]func(in rxcql.Stream[int]) rxcql.Stream[int] {
	all := map[string]func(in rxcql.Stream[int]) rxcql.Stream[int]{
		"nothing": func(in rxcql.Stream[int]) rxcql.Stream[int] { return in },
		"Batch": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return unnested(operators.Batch(in, operators.BatchRows(7)))
		},
		"Batch timed": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return unnested(operators.Batch(in, operators.BatchLinger(time.Hour)))
		},
		"GroupAdjacent": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			groups := operators.GroupAdjacent(in, func(n int) int { return n / 4 }, zero, add)
			return operators.Map(groups, func(g operators.Group[int, int]) (int, error) { return g.Value, nil })
		},
		"Reduce":        func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Reduce(in, zero, add) },
		"MapConcurrent": func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.MapConcurrent(in, 4, ctxSame) },
		"Unordered": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.MapConcurrent(in, 4, ctxSame, operators.Unordered())
		},
		"Distinct": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Distinct(in, itself[int], operators.DistinctKeys(1000))
		},
		"Take":  func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Take(in, 1000) },
		"Skip":  func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Skip(in, 2) },
		"Lanes": func(in rxcql.Stream[int]) rxcql.Stream[int] { return laned(in, 3, func(int) error { return nil }) },
		"GroupBy": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			groups := operators.GroupBy(in, func(n int) int { return n / 4 }, zero, add, operators.GroupByGroups(100))
			return operators.Map(groups, func(g operators.Group[int, int]) (int, error) { return g.Value, nil })
		},
		"Window":       perKey,
		"IntervalJoin": func(in rxcql.Stream[int]) rxcql.Stream[int] { return inReach(in, count(30, 7)) },
		"WindowAdjacent": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			results := operators.WindowAdjacent(in, operators.Tumbling(4*time.Second), second, func(int) int { return 0 }, zero, add)
			return operators.Map(results, func(r operators.WindowResult[int, int]) (int, error) { return r.Value, nil })
		},
		"Zip": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Zip(in, count(30, 7), func(n, _ int) (int, error) { return n, nil })
		},
		"MergeSorted": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.MergeSorted(cmp.Compare[int], in, count(5, 2))
		},
		"MergeJoin": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			pairs := operators.MergeJoin(in, count(10, 3), itself[int], itself[int], cmp.Compare[int])
			return operators.Map(pairs, func(p rxcql.Pair[int, int]) (int, error) { return p.Left, nil })
		},
		"Buffer":  func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Buffer(in, 5, rxcql.OverflowBlock) },
		"Timeout": func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Timeout(in, time.Hour) },
		"Throttle": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Throttle(in, rxcql.NewRate(rxcql.RowsPerSecond(1000)))
		},
		"Merge":  func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Merge(in, count(5, 1)) },
		"Concat": func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Concat(count(5, 2), in) },
	}
	return all
}

func unnested(in rxcql.Stream[[]int]) rxcql.Stream[int] {
	return operators.FlatMap(in, func(rows []int, emit func(int) bool) error {
		for _, n := range rows {
			emit(n)
		}
		return nil
	})
}

func TestWhatOperatorsHoldOfAnAttemptThatFailsIsGivenBackAndItsPagesAreGivenUp(t *testing.T) {
	for name, put := range holding() {
		synctest.Test(t, func(t *testing.T) {
			want := collect(t, put(count(30, 4)))
			// The calls fail in the first, in the second and in the third attempt.
			s := operators.Retry(put(failingAt(count(30, 4), errPasses, 14, 20, 45)))
			sink := newLateSink(7, -1)
			p, err := rxcql.New(s, sink)
			require.NoError(t, err)
			rep, err := p.Run(t.Context())
			require.NoError(t, err, name)
			require.True(t, rep.Complete, name)
			require.EqualValues(t, 3, rep.Retried, name)
			require.Positive(t, rep.PagesGivenUp, name)
			require.Equal(t, rep.Pages, rep.PagesSettled+rep.PagesGivenUp, name)
			require.Zero(t, rep.HeldPages, name)
			require.Zero(t, rep.BytesInFlight, name)
			require.GreaterOrEqual(t, len(sink.rows), len(want), name)
			switch name {
			case "Merge", "Unordered", "Lanes", "IntervalJoin":
				for _, n := range want {
					require.Contains(t, sink.rows, n, name)
				}
			default:
				require.Equal(t, want, sink.rows[len(sink.rows)-len(want):], "%s: the last attempt hands on everything", name)
			}
		})
	}
}

func TestRetryWithTheLeastBudgetFailsAsOftenAsItLikes(t *testing.T) {
	for name, put := range holding() {
		synctest.Test(t, func(t *testing.T) {
			var calls []int
			for i := range 50 {
				calls = append(calls, 25+25*i) // each attempt fails at its row 25
			}
			s := operators.Retry(put(failingAt(count(30, 4), errPasses, calls...)), operators.RetryAttempts(0))
			rep, err := rxcql.Run(t.Context(), s, newLateSink(1, -1), rxcql.WithBudget(2*rxcql.MinBudgetPerInput))
			require.NoError(t, err, name)
			require.EqualValues(t, 50, rep.Retried, name)
			require.Zero(t, rep.BytesInFlight, name)
		})
	}
}

func TestRetryInsideOfRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		inner := operators.Retry(failingAt(count(10, 3), errPasses, 4, 9))
		outer := operators.Retry(failingAt(inner, errPasses, 8, 12))
		sink := newLateSink(3, -1)
		rep, err := rxcql.Run(t.Context(), outer, sink)
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.Equal(t, upTo(10), sink.rows[len(sink.rows)-10:])
		require.Equal(t, rep.Pages, rep.PagesSettled+rep.PagesGivenUp)
		require.EqualValues(t, 4, rep.Retried)
		require.Zero(t, rep.BytesInFlight)
	})
}

func TestAPageThatIsLostBehindRetryIsStillFoundOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		keeps := &flow.Reservation{}
		s := operators.Retry(failingAt(count(10, 3), errPasses, 5))
		lost := rxcql.Lift(s, rxcql.StageInfo{Name: "Loses"}, func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
			return losing{Observer: out, keeps: keeps}
		})
		_, err := run(t, lost)
		var unsettled *rxcql.UnsettledError
		require.ErrorAs(t, err, &unsettled)
		require.EqualValues(t, 1, unsettled.Unsettled, "what was given up is not counted")
		require.EqualValues(t, 3, unsettled.Page)
	})
}

// losing keeps the page of row 9 for ever.
type losing struct {
	flow.Observer[int]
	keeps *flow.Reservation
}

func (l losing) Next(ctx context.Context, p *flow.Page[int]) error {
	if len(p.Rows) > 0 && p.Rows[0] == 9 {
		l.keeps.Take(p.Reservation, 0)
	}
	return l.Observer.Next(ctx, p)
}

// perKey has a window of all rows of each of three keys.
func perKey(in rxcql.Stream[int]) rxcql.Stream[int] {
	results := operators.Window(in, operators.Tumbling(time.Hour), second, func(n int) int { return n % 3 }, zero, add, operators.WindowKeys(100))
	return operators.Map(results, func(r operators.WindowResult[int, int]) (int, error) { return r.Value, nil })
}

// inReach joins rows of one second.
func inReach(left, right rxcql.Stream[int]) rxcql.Stream[int] {
	pairs := operators.IntervalJoin(left, right, second, second, itself[int], itself[int], 0, 0, operators.IntervalJoinRows(100))
	return operators.Map(pairs, func(p rxcql.Pair[int, int]) (int, error) { return p.Left, nil })
}
