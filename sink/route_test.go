package sink_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/leak"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

func TestARouteGivesEachRowToTheSinkThatIsPicked(t *testing.T) {
	for _, page := range []int{1, 2, 7, 100} {
		for _, n := range []int{0, 1, 100} {
			var evens, threes []int
			pick := func(i int) int {
				switch {
				case i%2 == 0:
					return 0
				case i%3 == 0:
					return 1
				}
				return sink.Drop
			}
			var wantEvens, wantThrees []int
			for i := range n {
				switch pick(i) {
				case 0:
					wantEvens = append(wantEvens, i)
				case 1:
					wantThrees = append(wantThrees, i)
				}
			}
			rep, err := run(t, pagesOf(0, n, page), sink.Route(pick, collect(&evens), collect(&threes)))
			require.NoError(t, err)
			require.True(t, rep.Complete)
			require.Equal(t, wantEvens, evens)
			require.Equal(t, wantThrees, threes)
			require.Equal(t, rep.Pages, rep.PagesSettled)
			require.Zero(t, rep.BytesInFlight)
			require.EqualValues(t, n, rep.Written+rep.Filtered)
			dropped := int64(n - len(evens) - len(threes))
			require.Equal(t, [3]int64{int64(n), int64(n) - dropped, dropped}, counts(rep)["Route"])
		}
	}
}

func TestWhatIsWrongWithARouteIsReportedByNew(t *testing.T) {
	pick := func(int) int { return 0 }
	for says, to := range map[string]rxcql.Sink[int]{
		"sink.Route: the function is nil": sink.Route(nil, collect(new([]int))),
		"sink.Route: no sink is given":    sink.Route(pick),
		"sink 2 is nil":                   sink.Route(pick, collect(new([]int)), nil),
	} {
		_, err := rxcql.New(ints(1), to)
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorContains(t, err, says)
	}
}

func TestANumberThatIsNoSinksIsAnErrorOfItsRow(t *testing.T) {
	for _, outside := range []int{2, -2, 1 << 40, -1 << 60} {
		pick := func(i int) int {
			if i == 14 {
				return outside
			}
			return i % 2
		}
		to := func() rxcql.Sink[int] { return sink.Route(pick, collect(new([]int)), collect(new([]int))) }

		_, err := run(t, pagesOf(0, 30, 10), to())
		var stage *rxcql.StageError
		require.ErrorAs(t, err, &stage)
		require.Equal(t, "Route", stage.Stage)
		var row *rxcql.RowError
		require.ErrorAs(t, err, &row)
		require.Equal(t, []int64{1, 4}, []int64{row.Page, int64(row.Row)})
		require.ErrorContains(t, err, "neither sink.Drop nor the number of a sink, from 0 to 1")
		require.NotContains(t, err.Error(), fmt.Sprint(outside), "it may be a value of the row")

		rep, err := run(t, pagesOf(0, 30, 10), to(), rxcql.WithRowErrors(rxcql.SkipRows(1)))
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.EqualValues(t, 29, rep.Written)
		require.EqualValues(t, 1, rep.Skipped)
		require.Zero(t, rep.Filtered)

		letters := &jobtest.Letters{}
		rep, err = run(t, pagesOf(0, 30, 10), to(), rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
		require.NoError(t, err)
		require.Equal(t, rep.Pages, rep.PagesSettled)
		require.Len(t, letters.All, 1)
		require.Equal(t, "14", string(letters.All[0].Row))
		require.Equal(t, []int64{1, 4}, []int64{letters.All[0].Page, int64(letters.All[0].Index)})
	}
}

func TestAPanicOfTheFunctionOfARouteIsAnErrorOfItsStage(t *testing.T) {
	boom := errors.New("boom")
	for name, to := range map[string]func(rxcql.Sink[int]) rxcql.Sink[int]{
		"alone":            func(s rxcql.Sink[int]) rxcql.Sink[int] { return s },
		"in a Tee":         func(s rxcql.Sink[int]) rxcql.Sink[int] { return sink.Tee(collect(new([]int)), s) },
		"behind a Through": func(s rxcql.Sink[int]) rxcql.Sink[int] { return sink.Through(even, s) },
	} {
		_, err := run(t, pagesOf(0, 100, 10), to(sink.Route(func(i int) int {
			if i == 42 {
				panic(boom)
			}
			return 0
		}, collect(new([]int)))))
		var stage *rxcql.StageError
		require.ErrorAs(t, err, &stage, name)
		require.Equal(t, "Route", stage.Stage, name)
		require.ErrorIs(t, err, rxcql.ErrPanic, name)
		require.ErrorIs(t, err, boom, name)
		require.Contains(t, string(stage.Stack), "route_test.go", name)
	}
}

func TestAPanicInABranchOfARouteIsAnErrorAndTheOthersAreClosed(t *testing.T) {
	for _, at := range []string{"Open", "Write", "Flush", "Close"} {
		broken := errors.New("broken")
		before, bad, after := newBranch("", nil), newBranch(at, broken), newBranch("", nil)
		rep, err := run(t, sequence(event{P: 1}), sink.Route[event](func(event) int { return 1 }, before, bad, after))
		require.ErrorIs(t, err, rxcql.ErrPanic, at)
		require.ErrorIs(t, err, broken, at)
		require.Equal(t, 1, before.calls["Close"], at)
		require.Equal(t, after.calls["Open"], after.calls["Close"], at)
		require.Zero(t, rep.BytesInFlight, at)
		leak.None(t)
	}
}

func TestOneFailingBranchOfARouteFailsTheRunAndAllAreClosed(t *testing.T) {
	broken := errors.New("broken")
	closed := 0
	branch := func(fail error) rxcql.Sink[int] { return &probe{fail: fail, closed: &closed} }
	_, err := run(t, ints(10), sink.Route(func(i int) int { return i % 2 }, branch(nil), branch(broken)))
	require.ErrorIs(t, err, broken)
	require.Equal(t, 2, closed)

	_, err = run(t, ints(10), sink.Route(func(i int) int { return i % 2 }, branch(nil), &probe{open: broken, closed: &closed}))
	require.ErrorIs(t, err, broken)
	require.Equal(t, 3, closed, "the one opened before")
}

func TestACancelReachesARouteInItsFunction(t *testing.T) {
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(context.Background())
	seen := 0
	p, err := rxcql.New(pagesOf(0, 100_000, 10_000), sink.Route(func(int) int {
		if seen++; seen == 100 {
			cancel(why)
		}
		return 0
	}, collect(new([]int))))
	require.NoError(t, err)
	_, err = p.Run(ctx)
	require.ErrorIs(t, err, why)
	require.Less(t, seen, 200)
}

func TestABranchOfARouteThatHasEndedDropsItsRowsAndTheOthersGoOn(t *testing.T) {
	var few, rest []int
	take := func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Take(in, 3) }
	rep, err := run(t, pagesOf(0, 100, 10), sink.Route(func(i int) int { return i % 2 }, sink.Through(take, collect(&few)), collect(&rest)))
	require.NoError(t, err)
	require.Equal(t, []int{0, 2, 4}, few)
	require.Len(t, rest, 50)
	require.Equal(t, "Take", rep.EndedBy)
	require.EqualValues(t, 100, rep.Written+rep.Filtered)
	require.Equal(t, rep.Pages, rep.PagesSettled)
}

// kinds picks a sink for each change by its partition.
func kinds(ch change) int { return int(ch.P) }

func TestSinksOfARouteGetTheirRowsOfAPageAtOnceAndThoseOfOneTableInRuns(t *testing.T) {
	feed := upsertsOf(9) // of the partitions 0, 1, 2 by turns
	feed[3], feed[4] = feed[4], feed[3]
	// Page 0: 0 1 2 1 0, page 1: 2 0 1 2
	a, b, c := &sizes{}, &sizes{}, &sizes{}
	rep, err := run(t, split(feed, 5), sink.Route[change](kinds, a, b, c))
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.Equal(t, [][]int{{2, 1}, {2, 1}, {1, 2}}, [][]int{a.pages, b.pages, c.pages})
	require.Equal(t, [][]int{{0, 4, 1}, {1, 3, 2}, {2, 0, 3}}, [][]int{a.at, b.at, c.at}, "each knows where in its page a row is")
	require.Equal(t, []int{1, 1, 1}, []int{a.last, b.last, c.last}, "one page is the last")

	server := newReplica()
	a, b, c = &sizes{Sink: upserts(server)}, &sizes{Sink: deletes(server)}, &sizes{}
	_, err = run(t, split(feed, 5), sink.Route[change](func(ch change) int { return max(0, kinds(ch)*2-2) }, a, b, c))
	require.NoError(t, err)
	// Page 0: a a c a a, page 1: c a a c
	require.Equal(t, [][]int{{2, 2, 2, 0}, {0}, {1, 2}}, [][]int{a.pages, b.pages, c.pages}, "the last page says so")
	require.Equal(t, []int{0, 1, 3, 4, 1, 2}, a.at)
	require.Equal(t, []int{1, 1, 1}, []int{a.last, b.last, c.last})
}

func TestAPageThatGoesToOneSinkOfARouteIsHandedOnAsItIs(t *testing.T) {
	a, b := &sizes{}, &sizes{}
	_, err := run(t, split(upsertsOf(7), 3), sink.Route[change](func(change) int { return 1 }, a, b))
	require.NoError(t, err)
	require.Equal(t, [][]int{{0}, {3, 3, 1}}, [][]int{a.pages, b.pages})
	require.Equal(t, []int{1, 1}, []int{a.last, b.last})
}

func TestARouteAtTheLeastBudgetKeepsItAndStallsNowhere(t *testing.T) {
	rows := make([]string, 600)
	for i := range rows {
		if i%100 == 99 {
			rows[i] = strings.Repeat("x", 1<<20)
		}
	}
	slow := sink.Each(func(_ context.Context, row string) error {
		time.Sleep(time.Duration(len(row)) * time.Microsecond)
		return nil
	}, sink.InFlight(64))
	direct := sink.Each(func(context.Context, string) error { return nil })
	n := 0
	synctest.Test(t, func(t *testing.T) {
		rep, err := run(t, sequence(rows...), sink.Route(func(string) int { n++; return n % 3 }, slow, direct, sink.Route(func(string) int { return 0 }, slow)),
			rxcql.WithBudget(rxcql.MinBudgetPerInput))
		require.NoError(t, err)
		require.LessOrEqual(t, rep.PeakBytes, rep.Budget+int64(rep.PeakFetches)*rep.LargestPage, "no row is kept twice")
		require.Zero(t, rep.BytesInFlight)
		require.EqualValues(t, 600, rep.Written)
	})
}

func ExampleRoute() {
	out := func(name string) rxcql.Sink[int] {
		return sink.Each(func(_ context.Context, n int) error {
			fmt.Println(name, n)
			return nil
		})
	}
	to := sink.Route(func(n int) int {
		switch {
		case n == 3:
			return sink.Drop
		case n%2 == 0:
			return 0
		}
		return 1
	}, out("even"), out("odd"))
	report, err := rxcql.Run(context.Background(), ints(6), to)
	fmt.Println(report.Written, "written,", report.Filtered, "dropped,", err)
	// Output:
	// even 0
	// even 2
	// even 4
	// odd 1
	// odd 5
	// 5 written, 1 dropped, <nil>
}
