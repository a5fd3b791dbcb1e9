package operators_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// sameRows is a chain that changes nothing.
func sameRows(in rxcql.Stream[int]) rxcql.Stream[int] {
	return operators.Map(in, func(n int) (int, error) { return n, nil })
}

func TestLanesHandOnAllRowsAndThoseOfAKeyInTheirOrder(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		rows := rapid.IntRange(0, 300).Draw(rt, "rows")
		keys := rapid.IntRange(1, 20).Draw(rt, "keys")
		in := count(rows, rapid.IntRange(1, 100).Draw(rt, "page"))
		drops, times, slow := rapid.Bool().Draw(rt, "drops"), rapid.IntRange(1, 3).Draw(rt, "times"), rapid.IntRange(0, 3).Draw(rt, "slow")
		s := operators.Lanes(in, rapid.IntRange(1, 9).Draw(rt, "lanes"), func(n int) int { return n % keys }, func(in rxcql.Stream[int]) rxcql.Stream[[2]int] {
			in = operators.Filter(in, func(n int) bool { return !drops || n%3 > 0 })
			in = operators.MapConcurrent(in, 1+slow, func(ctx context.Context, n int) (int, error) {
				_, err := unevenly(ctx, timed{at: n * slow})
				return n, err
			})
			return operators.FlatMap(in, func(n int, emit func([2]int) bool) error {
				for i := range times {
					emit([2]int{n, i})
				}
				return nil
			})
		})
		got := map[int][][2]int{}
		_, err := s.ForEach(context.Background(), func(row [2]int) error {
			got[row[0]%keys] = append(got[row[0]%keys], row)
			return nil
		})
		require.NoError(rt, err)
		want := map[int][][2]int{}
		for n := range rows {
			for i := range times {
				if !drops || n%3 > 0 {
					want[n%keys] = append(want[n%keys], [2]int{n, i})
				}
			}
		}
		require.Equal(rt, want, got)
	})
}

func TestLanesWorkAtTheSameTimeEachWithAChainOfItsOwn(t *testing.T) {
	const lanes = 4
	made, together := 0, make(chan struct{})
	var arrived atomic.Int64
	rows := make([]int, lanes) // of each lane: no lock, for that would be a race if a lane were not alone
	s := operators.Lanes(count(4000, 100), lanes, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[int] {
		lane := made
		made++
		return operators.Map(in, func(n int) (int, error) {
			if rows[lane]++; rows[lane] == 1 && arrived.Add(1) == lanes {
				close(together)
			}
			<-together
			return lane, nil
		})
	})
	require.Equal(t, lanes, made, "when the stream is built")
	byLane := map[int]int{}
	_, err := s.ForEach(t.Context(), func(lane int) error { byLane[lane]++; return nil })
	require.NoError(t, err)
	require.Equal(t, lanes, made)
	for lane, n := range rows {
		require.Equal(t, n, byLane[lane])
		require.Positive(t, n)
	}
}

func TestALaneThatIsSlowDropsAllOrHoldsAllStopsNoOther(t *testing.T) {
	for name, first := range map[string]func(rxcql.Stream[int]) rxcql.Stream[int]{
		"slow": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Tap(in, func(int) error { time.Sleep(time.Second); return nil })
		},
		"drops all": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Filter(in, func(int) bool { return false })
		},
		"holds all": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.FlatMap(operators.Batch(in, operators.BatchRows(1<<20)), func(all []int, emit func(int) bool) error {
				for _, n := range all {
					emit(n)
				}
				return nil
			})
		},
		"lingers": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.FlatMap(operators.Batch(in, operators.BatchLinger(time.Hour)), func(all []int, emit func(int) bool) error {
				for _, n := range all {
					emit(n)
				}
				return nil
			})
		},
		"folds all": func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Reduce(in, zero, add) },
		"ends":      func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Take(in, 1) },
		"ends at once": func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Take(in, 0)
		},
	} {
		for _, page := range []int{1, 7, 1000} {
			synctest.Test(t, func(t *testing.T) {
				lane := 0
				var odd sync.Map // the keys of the others, as far as they came
				s := operators.Lanes(count(6000, page), 3, func(n int) int { return n % 100 }, func(in rxcql.Stream[int]) rxcql.Stream[int] {
					if lane++; lane == 1 {
						return first(in)
					}
					return operators.Tap(in, func(n int) error { odd.Store(n, true); return nil })
				})
				rep, err := run(t, s)
				require.NoError(t, err, name)
				others := 0
				odd.Range(func(any, any) bool { others++; return true })
				require.Positive(t, others, name)
				stages := stagesOf(rep)
				require.EqualValues(t, 6000, stages["Lanes in"].In, name)
				require.EqualValues(t, others, stages["Lane 2"].Out+stages["Lane 3"].Out, name)
				require.Equal(t, rep.Pages, rep.PagesSettled, name)
				require.Zero(t, rep.BytesInFlight, name)
			})
		}
	}
}

func TestTheReportHasTheStagesOfEachLaneUnderItsNumber(t *testing.T) {
	in := operators.Map(count(100, 10), func(n int) (int, error) { return n, nil })
	s := operators.Lanes(in, 2, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return operators.Lanes(sameRows(in), 2, func(n int) int { return n / 2 }, sameRows)
	})
	rep, err := run(t, operators.Map(s, func(n int) (int, error) { return n, nil }))
	require.NoError(t, err)
	var names []string
	for _, st := range rep.Stages {
		names = append(names, st.Name)
		if !strings.HasPrefix(st.Name, "Seq") {
			require.Equal(t, st.In, st.Out, st.Name)
		}
	}
	require.Equal(t, []string{
		"Seq", "Map", "Lanes in",
		"Lane 1", "Map (lane 1)", "Lanes in (lane 1)", "Lane 1.1", "Map (lane 1.1)", "Lane 1.2", "Map (lane 1.2)", "Lanes (lane 1)",
		"Lane 2", "Map (lane 2)", "Lanes in (lane 2)", "Lane 2.1", "Map (lane 2.1)", "Lane 2.2", "Map (lane 2.2)", "Lanes (lane 2)",
		"Lanes", "Map 2", "gather",
	}, names)
	stages := stagesOf(rep)
	require.EqualValues(t, 100, stages["Lanes"].Out)
	require.EqualValues(t, 100, stages["Lane 1"].Out+stages["Lane 2"].Out)
	require.Equal(t, stages["Lane 2"].Out, stages["Lane 2.1"].In+stages["Lane 2.2"].In)
}

func TestLanesOfOneRunDoNotKnowThoseOfAnother(t *testing.T) {
	s := laned(count(500, 20), 3, func(int) error { return nil })
	got := collect(t, operators.Merge(s, s, operators.Map(s, func(n int) (int, error) { return n, nil })))
	slices.Sort(got)
	require.Equal(t, slices.Compact(slices.Clone(got)), upTo(500))
	require.Len(t, got, 1500)
	for range 2 {
		require.Len(t, collect(t, s), 500)
	}
}

func TestLanesAllocateNothingForARow(t *testing.T) {
	rows := make([]int, 512)
	for i := range rows {
		rows[i] = i
	}
	s := operators.Lanes(pagesOf(rows, 100), 2, itself[int], sameRows)
	require.Less(t, testing.AllocsPerRun(3, func() { collectNothing(t, s) }), 51_200.0/5, "over 51,200 rows")
}
