package operators_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gocql/gocql"
	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/source"
)

func TestRecoverGoesOverToTheOtherStreamWhenTheFirstFails(t *testing.T) {
	script := rxcqltest.NewScript[int]
	for name, c := range map[string]struct {
		first *rxcqltest.Script[int]
		want  []int
		runs  int // of the other stream
	}{
		"nothing wrong":     {script().Page(1, 2).Page(3), []int{1, 2, 3}, 0},
		"empty":             {script(), nil, 0},
		"before the first":  {script().Fail(errStays), []int{7, 8, 9}, 1},
		"in the middle":     {script().Page(1, 2).Fail(errStays), []int{1, 2, 7, 8, 9}, 1},
		"behind no row":     {script().Page().Fail(errPasses), []int{7, 8, 9}, 1},
		"behind many pages": {script().Page(1).Page(2).Page().Page(3).Fail(errStays), []int{1, 2, 3, 7, 8, 9}, 1},
	} {
		other := script().Name("Other").Page(7, 8).Page(9)
		sink := &gather[int]{}
		rep, err := rxcql.Run(t.Context(), operators.Recover(c.first.Stream(), other.Stream()), sink)
		require.NoError(t, err, name)
		require.Equal(t, c.want, sink.rows(), name)
		require.Equal(t, c.runs, other.Runs(), name)
		require.Equal(t, c.runs == 0, rep.Complete, name)
		require.Equal(t, []string{"", "Recover"}[c.runs], rep.EndedBy, name)
		require.Equal(t, rep.Pages, rep.PagesSettled+rep.PagesGivenUp, name)
		require.Zero(t, rep.Retried, name)
		require.EqualValues(t, len(c.want), stagesOf(rep)["Recover"].In, name)
	}
}

func TestWhatOperatorsHoldOfAStreamThatRecoverLeavesIsGivenBack(t *testing.T) {
	for name, put := range holding() {
		synctest.Test(t, func(t *testing.T) {
			sink := newLateSink(7, -1)
			s := operators.Recover(put(failingAt(count(30, 4), errStays, 18)), count(5, 2))
			rep, err := rxcql.Run(t.Context(), s, sink, rxcql.WithBudget(3*rxcql.MinBudgetPerInput))
			require.NoError(t, err, name)
			require.Equal(t, "Recover", rep.EndedBy, name)
			require.Equal(t, upTo(5), sink.rows[len(sink.rows)-5:], name)
			require.Positive(t, rep.PagesGivenUp, name)
			require.Equal(t, rep.Pages, rep.PagesSettled+rep.PagesGivenUp, name)
			require.Zero(t, rep.BytesInFlight, name)
		})
	}
}

func TestWhichStreamFollowsMayDependOnTheError(t *testing.T) {
	is := func(want error) operators.RecoverOption {
		return operators.RecoverIf(func(err error) bool { return errors.Is(err, want) })
	}
	for want, err := range map[int]error{1: errPasses, 2: errStays} {
		in := failingAt(count(3, 1), err, 1)
		s := operators.Recover(in, operators.Map(count(1, 1), func(int) (int, error) { return 1, nil }), is(errPasses))
		s = operators.Recover(s, operators.Map(count(1, 1), func(int) (int, error) { return 2, nil }), is(errStays))
		require.Equal(t, []int{want}, collect(t, s))
	}
}

func TestWhatRecoverDoesNotRecoverFromComesBackAsItIs(t *testing.T) {
	for name, c := range map[string]struct {
		in   rxcql.Stream[int]
		opts []operators.RecoverOption
		want error
	}{
		"one that RecoverIf refuses": {failingAt(count(9, 2), errPasses, 5), []operators.RecoverOption{operators.RecoverIf(func(error) bool { return false })}, errPasses},
		"a panic":                    {in: panicking(5, errPasses), want: rxcql.ErrPanic},
		"a budget that is held":      {in: failingAt(count(9, 2), rxcql.ErrBudgetHeld, 5), want: rxcql.ErrBudgetHeld},
	} {
		begun := 0
		rep, err := run(t, operators.Recover(c.in, source.Seq(numbers(9, &begun)), c.opts...))
		require.ErrorIs(t, err, c.want, name)
		failedIn(t, "Map", err)
		require.Zero(t, begun, name)
		require.Empty(t, rep.EndedBy, name)
		require.Zero(t, rep.BytesInFlight, name)
	}
	begun := 0
	other := source.Seq(numbers(9, &begun))
	_, err := run(t, failingAt(operators.Recover(count(9, 2), other), errPasses, 5))
	require.ErrorIs(t, err, errPasses, "of what follows it")
	_, rep := pagesOut(t, operators.Take(operators.Recover(count(9, 2), other), 3))
	require.Equal(t, "Take", rep.EndedBy)
	bad := failingAt(count(9, 2), errStays, 5)
	_, err = rxcql.Run(t.Context(), operators.Recover(bad, other), &gather[int]{}, rxcql.WithRowErrors(rxcql.SkipRows(0)))
	require.ErrorIs(t, err, rxcql.ErrSkipLimit, "the limit is that of the run")
	require.Zero(t, begun)
}

func TestAnErrorOfTheOtherStreamHasThatOfTheFirstWithIt(t *testing.T) {
	second := errors.New("second")
	rep, err := run(t, operators.Recover(failingAt(count(9, 2), errStays, 5), rxcqltest.NewScript[int]().Name("Other").Page(1).Fail(second).Stream()))
	require.ErrorIs(t, err, second)
	require.ErrorIs(t, err, errStays)
	failedIn(t, "Other", err)
	require.Zero(t, rep.BytesInFlight)
	require.False(t, rep.Complete)

	// Not with what is none of its own.
	_, err = run(t, failingAt(operators.Recover(rxcqltest.NewScript[int]().Fail(errStays).Stream(), count(9, 2)), second, 5))
	require.ErrorIs(t, err, second)
	require.NotErrorIs(t, err, errStays)
}

func TestALimitDownstreamIsOverBothStreamsOfRecover(t *testing.T) {
	taken := 0
	s := operators.Take(operators.Recover(failingAt(count(9, 2), errStays, 5), source.Seq(numbers(1000, &taken))), 7)
	require.Equal(t, []int{0, 1, 2, 3, 0, 1, 2}, collect(t, s))
	require.Equal(t, 3, taken)
}

func TestAfterStopRecoverGoesOverToNothing(t *testing.T) {
	var p *rxcql.Pipeline
	begun := 0
	in := operators.Map(count(10, 4), func(n int) (int, error) {
		if n == 6 {
			p.Stop()
			return 0, errStays
		}
		return n, nil
	})
	p, err := rxcql.New(operators.Recover(in, source.Seq(numbers(9, &begun))), &gather[int]{})
	require.NoError(t, err)
	_, err = p.Run(t.Context())
	require.ErrorIs(t, err, errStays)
	require.Zero(t, begun)
}

func TestStopAndCancelReachTheOtherStreamOfRecover(t *testing.T) {
	endless := func() rxcql.Stream[int] { return rxcqltest.NewScript[int]().Page(1).Delay(24 * time.Hour).Stream() }
	synctest.Test(t, func(t *testing.T) {
		first := rxcqltest.NewScript[int]().Name("First").Page(0, 1, 2, 3).Fail(errStays)
		p, err := rxcql.New(operators.Recover(first.Stream(), endless()), &gather[int]{})
		require.NoError(t, err)
		time.AfterFunc(time.Hour, p.Stop)
		rep, err := p.Run(t.Context())
		require.NoError(t, err)
		require.EqualValues(t, 5, rep.Written)
		require.False(t, rep.Complete)

		why := errors.New("why")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Hour, func() { cancel(why) })
		_, err = p.Run(ctx)
		require.ErrorIs(t, err, why)
	})
}

func TestBothStreamsOfRecoverAreCheckedBeforeTheRun(t *testing.T) {
	checked := func(name string, err error) rxcql.Stream[int] {
		in := count(3, 1)
		info := rxcql.StageInfo{Name: name, Check: func(context.Context) error { return err }}
		return rxcql.NewStream(info, in.Subscribe, in)
	}
	read := 0
	first := operators.Tap(checked("First", errStays), func(int) error { read++; return nil })
	p, err := rxcql.New(operators.Recover(first, checked("Second", errUser)), &gather[int]{})
	require.NoError(t, err)
	for _, err := range []error{p.Check(t.Context()), func() error { _, err := p.Run(t.Context()); return err }()} {
		require.ErrorIs(t, err, errStays)
		require.ErrorIs(t, err, errUser)
	}
	require.Zero(t, read)
}

func TestRetryAndRecoverTogether(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			s    func(first, other rxcql.Stream[int]) rxcql.Stream[int]
			want []int
		}{
			"the other stream when attempts are used up": {func(first, other rxcql.Stream[int]) rxcql.Stream[int] {
				return operators.Recover(operators.Retry(first, operators.RetryAttempts(2)), other)
			}, []int{0, 1, 0, 1, 0, 1, 2}},
			"both again": {func(first, other rxcql.Stream[int]) rxcql.Stream[int] {
				return operators.Retry(operators.Recover(first, failingAt(other, errPasses, 3)))
			}, []int{0, 1, 0, 1, 0, 1, 0, 1, 2}},
		} {
			script := rxcqltest.NewScript[int]().Page(0, 1).Fail(errPasses)
			sink := newLateSink(3, -1)
			rep, err := rxcql.Run(t.Context(), c.s(script.Stream(), count(3, 2)), sink)
			require.NoError(t, err, name)
			require.Equal(t, c.want, sink.rows, name)
			require.Equal(t, "Recover", rep.EndedBy, name)
			require.Equal(t, rep.Pages, rep.PagesSettled+rep.PagesGivenUp, name)
			require.EqualValues(t, 1, rep.Retried, name)
		}
	})
}

func TestHooksAndTheLogSayThatAnotherStreamGoesOn(t *testing.T) {
	var events []rxcql.RecoverEvent
	var text bytes.Buffer
	secret := fmt.Errorf("row 'canary': %w", gocql.ErrTimeoutNoResponse)
	s := operators.Recover(failingAt(count(9, 2), secret, 3), count(2, 1))
	n, err := s.Count(t.Context(), rxcql.WithLogger(slog.New(slog.NewTextHandler(&text, nil))),
		rxcql.WithHooks(rxcql.Hooks{Recover: func(_ context.Context, e rxcql.RecoverEvent) { events = append(events, e) }}))
	require.NoError(t, err)
	require.EqualValues(t, 4, n)
	require.Len(t, events, 1)
	require.Equal(t, "Recover", events[0].Stage)
	require.Equal(t, "client timeout", events[0].ErrorType)
	require.ErrorIs(t, events[0].Err, gocql.ErrTimeoutNoResponse)
	require.Contains(t, text.String(), "a stream failed and another one takes its place")
	require.Contains(t, text.String(), "ended_by=Recover")
	require.NotContains(t, text.String()+events[0].Err.Error(), "canary")
}

func TestAPanicOfRecoverIfNamesRecover(t *testing.T) {
	s := operators.Recover(failingAt(count(9, 2), errStays, 3), count(2, 1), operators.RecoverIf(func(error) bool { panic("asked") }))
	_, err := run(t, s)
	require.ErrorIs(t, err, rxcql.ErrPanic)
	failedIn(t, "Recover", err)
}

func TestOneStreamMayStandInForItself(t *testing.T) {
	var taken int
	seq := source.Seq(numbers(6, &taken), source.PageRows(2))
	s := operators.Recover(failingAt(seq, errStays, 3), seq)
	require.Equal(t, slices.Concat(upTo(2), upTo(6)), collect(t, s))
}

// unreserved is a source that does not reserve its pages: a row in each.
func unreserved(rows int) rxcql.Stream[int] {
	return rxcql.NewStream(rxcql.StageInfo{Name: "Unreserved", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		st.Input().Unmetered()
		defer st.Input().Done()
		account := st.Account(true)
		for n := range rows {
			st.CountPage(1, 0)
			p := &flow.Page[int]{Rows: []int{n}, Reservation: account.Reservation()}
			p.Position = flow.Position{Page: int64(n)}
			p.AddReceipt(st.Receipt())
			err := out.Next(ctx, p)
			p.Finish(err)
			if err != nil {
				return err
			}
		}
		return out.Done(ctx, false)
	})
}

func TestPagesThatTheirSourceDidNotReserveAreGivenUpToo(t *testing.T) {
	for name, put := range holding() {
		if name == "GroupAdjacent" || name == "WindowAdjacent" {
			continue // refused, since rows of FromObservable are mixed
		}
		synctest.Test(t, func(t *testing.T) {
			obs := rxgo.Just(0, 1, 2, 3, 4, 5, 6, 7, 8, 9)()
			for from, in := range map[string]rxcql.Stream[int]{"FromObservable": source.FromObservable[int](obs), "a source of one's own": unreserved(10)} {
				rep, err := rxcql.Run(t.Context(), operators.Recover(put(failingAt(in, errStays, 5)), count(5, 2)), &gather[int]{})
				require.NoError(t, err, "%s, %s", name, from)
				require.Equal(t, "Recover", rep.EndedBy)
				require.Positive(t, rep.PagesGivenUp)
				require.Equal(t, rep.Pages, rep.PagesSettled+rep.PagesGivenUp)
			}
			rep, err := rxcql.Run(t.Context(), operators.Retry(put(failingAt(unreserved(10), errPasses, 5))), &gather[int]{})
			require.NoError(t, err, name)
			require.Equal(t, rep.Pages, rep.PagesSettled+rep.PagesGivenUp, name)
		})
	}
}
