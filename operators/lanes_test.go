package operators_test

import (
	"context"
	"errors"
	"fmt"
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
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
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

func TestALaneThatDoesNotGoOnHoldsNoMoreRowsThanIsSaid(t *testing.T) {
	const lanes, page = 3, 100
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		read := 0
		s := operators.Lanes(source.Seq(numbers(1<<40, &read), source.PageRows(page)), lanes, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.MapConcurrent(in, 1, func(ctx context.Context, n int) (int, error) {
				<-ctx.Done()
				return 0, ctx.Err()
			})
		})
		done := make(chan error)
		go func() {
			_, err := s.Count(ctx)
			done <- err
		}()
		synctest.Wait()
		require.Less(t, read, lanes*(512+page)+4*page, "what waits in each lane, what it works on, and pages read ahead")
		require.Greater(t, read, 512)
		cancel(errUser)
		require.ErrorIs(t, <-done, errUser)
	})
}

func TestRowsInLanesAreChargedToTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begun := make(chan struct{}, 1)
		goOn := make(chan struct{})
		s := operators.Lanes(mixed(1000), 2, itself[string], func(in rxcql.Stream[string]) rxcql.Stream[string] {
			return operators.Tap(in, func(string) error {
				select {
				case begun <- struct{}{}:
				default:
				}
				<-goOn
				return nil
			})
		})
		p, err := rxcql.New(s, &gather[string]{}, rxcql.WithBudget(1<<20))
		require.NoError(t, err)
		done := make(chan error)
		go func() {
			_, err := p.Run(t.Context())
			done <- err
		}()
		<-begun
		synctest.Wait()
		held := p.Progress().BytesInFlight
		require.Greater(t, held, int64(700<<10), "the lanes hold as much as there is room for")
		require.LessOrEqual(t, held, int64(1<<20)+p.Progress().LargestPage)
		close(goOn)
		require.NoError(t, <-done)
		require.Zero(t, p.Progress().BytesInFlight)
	})
}

func TestABatchInALaneThatTheBudgetHasNoRoomForIsNamedWithItsLane(t *testing.T) {
	s := operators.Lanes(mixed(5000), 2, itself[string], func(in rxcql.Stream[string]) rxcql.Stream[[]string] {
		return operators.Batch(in, operators.BatchRows(5000))
	})
	_, err := s.Count(t.Context(), rxcql.WithBudget(rxcql.MinBudgetPerInput))
	var held *flow.BudgetHeldError
	require.ErrorAs(t, err, &held)
	require.Regexp(t, `^Batch \(lane [12]\)$`, held.Stage)
}

// laned are lanes over rows 0 to n-1, by ten keys, that call fn with each row.
func laned(in rxcql.Stream[int], lanes int, fn func(n int) error) rxcql.Stream[int] {
	return operators.Lanes(in, lanes, func(n int) int { return n % 10 }, func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return operators.Map(in, func(n int) (int, error) { return n, fn(n) })
	})
}

func TestAnErrorOrAPanicInALaneEndsAllAndNamesTheLane(t *testing.T) {
	boom := errors.New("boom")
	for _, lanes := range []int{1, 2, 8} {
		for _, panics := range []bool{false, true} {
			rep, err := run(t, laned(count(1<<40, 10), lanes, func(n int) error {
				if n == 420 && panics {
					panic(boom)
				}
				if n == 420 {
					return boom
				}
				return nil
			}))
			require.ErrorIs(t, err, boom)
			require.Equal(t, panics, errors.Is(err, rxcql.ErrPanic))
			var stage *rxcql.StageError
			require.ErrorAs(t, err, &stage)
			require.Regexp(t, `^Map \(lane \d\)$`, stage.Stage)
			require.Empty(t, rep.EndedBy)
			require.Less(t, rep.PagesSettled, rep.Pages)
			require.Zero(t, rep.BytesInFlight)
		}
	}
}

func TestAPanicInTheKeyOfLanesIsAnErrorOfTheirStage(t *testing.T) {
	boom := errors.New("boom")
	_, err := operators.Lanes(count(100, 10), 2, func(n int) int {
		if n == 42 {
			panic(boom)
		}
		return n
	}, sameRows).Count(t.Context())
	require.ErrorIs(t, err, boom)
	failedIn(t, "Lanes in", err)
}

func TestLanesEndWithTheErrorOfTheSourceOrOfTheSinkOrWithTheCauseOfACancel(t *testing.T) {
	boom, why := errors.New("boom"), errors.New("why")
	failing := source.Seq(func(yield func(int, error) bool) {
		for i := range 100 {
			if !yield(i, nil) {
				return
			}
		}
		yield(0, boom)
	}, source.PageRows(7))
	_, err := laned(failing, 3, func(int) error { return nil }).Count(t.Context())
	require.ErrorIs(t, err, boom)
	failedIn(t, "Seq", err)

	taken := 0
	_, err = laned(count(1<<40, 7), 3, func(int) error { return nil }).ForEach(t.Context(), func(int) error {
		if taken++; taken == 100 {
			return boom
		}
		return nil
	})
	require.ErrorIs(t, err, boom)

	ctx, cancel := context.WithCancelCause(t.Context())
	_, err = laned(count(1<<40, 7), 3, func(n int) error {
		if n == 200 {
			cancel(why)
		}
		return nil
	}).Count(ctx)
	require.ErrorIs(t, err, why)

	ctx, cancel = context.WithCancelCause(t.Context())
	time.AfterFunc(time.Millisecond, func() { cancel(why) })
	_, err = laned(source.Chan(make(chan int)), 3, func(int) error { return nil }).Count(ctx)
	require.ErrorIs(t, err, why)

	for range laned(count(1<<40, 7), 3, func(int) error { return nil }).All(t.Context()) {
		break // and goleak finds nothing
	}
}

func TestAStopLetsAllRowsInLanesComeOut(t *testing.T) {
	for _, lanes := range []int{1, 3} {
		var p *rxcql.Pipeline
		out := &gather[int]{}
		p, err := rxcql.New(laned(count(1<<40, 10), lanes, func(n int) error {
			if n == 300 {
				p.Stop()
			}
			return nil
		}), out)
		require.NoError(t, err)
		rep, err := p.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
		require.Equal(t, rep.ReadRows, rep.Written)
		require.Equal(t, rep.Pages, rep.PagesSettled)
		require.ElementsMatch(t, upTo(int(rep.ReadRows)), out.rows())
	}
}

func TestAStopDropsWhatIsNotWholeInALane(t *testing.T) {
	var p *rxcql.Pipeline
	s := operators.Lanes(operators.Tap(count(1000, 10), func(n int) error {
		if n == 500 {
			p.Stop()
		}
		return nil
	}), 2, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Reduce(in, zero, add) })
	out := &gather[int]{}
	p, err := rxcql.New(s, out)
	require.NoError(t, err)
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
	require.Empty(t, out.rows())
	require.Less(t, rep.PagesSettled, rep.Pages)
	for _, page := range out.pages {
		require.False(t, page.Last, "the rows of the part have not all come")
	}
}

func TestTakeBehindLanesLimitsWhatIsRead(t *testing.T) {
	for name, c := range map[string]struct {
		chain func(rxcql.Stream[int]) rxcql.Stream[int]
		exact bool
	}{
		"Map": {sameRows, true},
		"MapConcurrent": {func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.MapConcurrent(in, 3, func(_ context.Context, n int) (int, error) { return n, nil })
		}, false},
		"Lanes": {func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Lanes(in, 2, itself[int], sameRows) }, false},
	} {
		for _, lanes := range []int{1, 4} {
			for range 20 { // in whichever order lanes come to their rows
				read := 0
				rep, err := run(t, operators.Take(operators.Lanes(source.Seq(numbers(1<<40, &read)), lanes, itself[int], c.chain), 10))
				require.NoError(t, err, name)
				require.Equal(t, "Take", rep.EndedBy, name)
				require.EqualValues(t, 10, rep.Written, name)
				require.Equal(t, rep.Pages, rep.PagesSettled, name)
				if c.exact {
					require.Equal(t, 10, read, name)
				}
				require.LessOrEqual(t, read, 10+2*512, "%s: and a page or two", name)
			}
		}
	}
}

func TestALimitBehindLanesIsReachedAlthoughRowsFail(t *testing.T) {
	for _, chain := range []func(rxcql.Stream[int], func(int) error) rxcql.Stream[int]{
		func(in rxcql.Stream[int], bad func(int) error) rxcql.Stream[int] {
			return operators.Map(in, func(n int) (int, error) { return n, bad(n) })
		},
		func(in rxcql.Stream[int], bad func(int) error) rxcql.Stream[int] {
			return operators.MapConcurrent(in, 4, func(_ context.Context, n int) (int, error) { return n, bad(n) })
		},
	} {
		s := operators.Lanes(count(1000, 10), 3, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return chain(in, func(n int) error {
				if n%2 == 0 {
					return errBad
				}
				return nil
			})
		})
		require.Len(t, collect(t, operators.Take(s, 100), rxcql.WithRowErrors(rxcql.SkipRows(1000))), 100)
	}
}

func TestTakeBehindLanesThatDropRowsEndsAStreamWithoutEnd(t *testing.T) {
	rep, err := run(t, operators.Take(operators.Lanes(count(1<<40, 10), 4, itself[int], evenRows), 100))
	require.NoError(t, err)
	require.Equal(t, "Take", rep.EndedBy)
	require.EqualValues(t, 100, rep.Written)
	require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered, "%v", rep)
	require.Equal(t, rep.Pages, rep.PagesSettled)
}

func evenRows(in rxcql.Stream[int]) rxcql.Stream[int] {
	return operators.Filter(in, func(n int) bool { return n%2 == 0 })
}

func TestALaneThatEndsDropsItsRowsAndWhenAllHaveEndedNothingMoreIsRead(t *testing.T) {
	take := func(n int64) func(rxcql.Stream[int]) rxcql.Stream[int] {
		return func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Take(in, n) }
	}
	for _, n := range []int64{0, 1, 25} {
		rep, err := run(t, operators.Lanes(count(1<<40, 10), 3, itself[int], take(n)))
		require.NoError(t, err)
		require.Regexp(t, `^Take \(lane \d\)$`, rep.EndedBy)
		require.EqualValues(t, 3*n, rep.Written)
		require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered, "%v", rep)
		require.Equal(t, rep.Pages, rep.PagesSettled)
		if n == 0 {
			require.Zero(t, rep.ReadRows)
		}
	}

	// The source has nothing more when the last lane ends.
	synctest.Test(t, func(t *testing.T) {
		rows, done := make(chan int), make(chan struct{})
		var came atomic.Int64
		go func() {
			for i := 0; came.Load() < 15; i++ {
				select {
				case rows <- i:
				case <-done:
				}
			}
		}()
		_, err := operators.Lanes(source.Chan(rows), 3, itself[int], take(5)).ForEach(t.Context(), func(int) error { came.Add(1); return nil })
		close(done)
		require.NoError(t, err)
		require.EqualValues(t, 15, came.Load())
	})
}

func TestARowThatFailsInALaneIsLeftOutAndNamedByItsPlace(t *testing.T) {
	bad := func(n int) error {
		if n%100 == 42 {
			return errBad
		}
		return nil
	}
	letters := &jobtest.Letters{}
	out := &gather[int]{}
	rep, err := rxcql.Run(t.Context(), laned(count(1000, 70), 4, bad), out, rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.EqualValues(t, 10, rep.DeadLettered)
	require.EqualValues(t, 990, rep.Written)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Len(t, letters.All, 10)
	for _, letter := range letters.All {
		n := int(letter.Page)*70 + letter.Index
		require.Equal(t, fmt.Sprint(n), string(letter.Row))
		require.Regexp(t, `^Map \(lane \d\)$`, letter.Stage)
	}

	_, err = laned(count(1000, 70), 4, func(n int) error {
		if n == 642 {
			return errBad
		}
		return nil
	}).Count(t.Context())
	var row *rxcql.RowError
	require.ErrorAs(t, err, &row)
	require.Equal(t, []int64{9, 12}, []int64{row.Page, int64(row.Row)})

	rep, err = rxcql.Run(t.Context(), laned(count(1000, 70), 4, bad), &gather[int]{}, rxcql.WithRowErrors(rxcql.SkipRows(10)))
	require.NoError(t, err)
	require.EqualValues(t, 10, rep.Skipped)
}

func TestOperatorsThatDropRowsInALaneLeaveThePlaceOfALaterOneThatFailsAsTheyHaveIt(t *testing.T) {
	_, err := operators.Lanes(count(10, 10), 1, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return operators.Map(operators.Filter(in, func(n int) bool { return n > 3 }), func(n int) (int, error) {
			if n == 6 {
				return 0, errBad
			}
			return n, nil
		})
	}).Count(t.Context())
	var row *rxcql.RowError
	require.ErrorAs(t, err, &row)
	require.Equal(t, 2, row.Row, "as without lanes")
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

func TestWhatIsWrongWithLanesIsReportedOnce(t *testing.T) {
	var none func(int) (int, error)
	wrong := func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Map(in, none) }
	for says, s := range map[string]rxcql.Stream[int]{
		"Lanes: n is 0: must be at least 1":                      operators.Lanes(count(1, 1), 0, itself[int], sameRows),
		"Lanes: n is 1025: must be at most 1024":                 operators.Lanes(count(1, 1), 1025, itself[int], sameRows),
		"Lanes: the key function is nil":                         operators.Lanes[int, int](count(1, 1), 2, nil, sameRows),
		"Lanes: the chain is nil":                                operators.Lanes[int, int, int](count(1, 1), 2, itself[int], nil),
		"Map: the function is nil":                               operators.Lanes(count(1, 1), 3, itself[int], wrong),
		"Lanes: the chain: the function returned the zero":       operators.Lanes(count(1, 1), 3, itself[int], func(rxcql.Stream[int]) (s rxcql.Stream[int]) { return s }),
		"the function does not use the stream":                   operators.Lanes(count(1, 1), 3, itself[int], func(rxcql.Stream[int]) rxcql.Stream[int] { return count(1, 1) }),
		"the function brings in another source: Seq; merge":      operators.Lanes(count(1, 1), 3, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Merge(in, count(1, 1)) }),
		"Lanes in: its input is the zero Stream":                 operators.Lanes(rxcql.Stream[int]{}, 2, itself[int], sameRows),
		"Skip: n is -2: must be at least 0":                      operators.Lanes(operators.Skip(count(1, 1), -2), 0, itself[int], sameRows),
		"put GroupAdjacent before the operator that mixes them":  operators.Lanes(operators.Merge(count(1, 1), count(1, 1)), 2, itself[int], tensOf),
		"GroupAdjacent: rows of one partition do not arrive tog": tensOf(operators.Lanes(count(1, 1), 2, itself[int], sameRows)),
	} {
		_, err := s.Collect(t.Context())
		require.ErrorIs(t, err, rxcql.ErrConfig, says)
		require.ErrorContains(t, err, says)
		require.Equal(t, 1, strings.Count(err.Error(), says), err.Error())
	}
	require.Equal(t, []int{0, 45, 145}, append([]int{0}, collect(t, tensOf(operators.Lanes(count(20, 3), 1, itself[int], sameRows)))...), "one lane mixes nothing")
}

// tensOf are the sums of rows that are together and have the same tens.
func tensOf(in rxcql.Stream[int]) rxcql.Stream[int] {
	groups := operators.GroupAdjacent(in, func(n int) int { return n / 10 }, zero, add)
	return operators.Map(groups, func(g operators.Group[int, int]) (int, error) { return g.Value, nil })
}

func TestTheStreamGivenToTheChainOfLanesIsOfNoUseElsewhere(t *testing.T) {
	var leaked rxcql.Stream[int]
	operators.Lanes(count(1, 1), 1, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[int] { leaked = in; return in })
	_, err := leaked.Collect(t.Context())
	require.ErrorContains(t, err, "can only be read in that chain")
	_, err = operators.Lanes(count(100, 10), 2, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Merge(in, in) }).Collect(t.Context())
	require.ErrorContains(t, err, "can be read only once")
}

func TestLanesMayStandInASinkAndAreRefusedBeforeATableOfSeveralSinks(t *testing.T) {
	var got []int
	all := sink.Each(func(_ context.Context, n int) error { got = append(got, n); return nil })
	rep, err := rxcql.Run(t.Context(), count(1000, 64), sink.Tee(sink.Through(func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return laned(in, 3, func(int) error { return nil })
	}, all), &gather[int]{}))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	slices.Sort(got)
	require.Equal(t, upTo(1000), got)
	require.True(t, laned(count(1, 1), 2, nil).Info().OutOfStep())
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
