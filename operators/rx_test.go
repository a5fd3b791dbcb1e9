package operators_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func viaRx[B any](in rxcql.Stream[int], fn func(rxgo.Observable) rxgo.Observable) rxcql.Stream[B] {
	return operators.Rx[int, B](in, fn)
}

func doubleRx(_ context.Context, item any) (any, error) { return item.(int) * 2, nil }

func TestAnyRxgoOperatorWorksInAStream(t *testing.T) {
	mapped := viaRx[int](count(1000, 10), func(o rxgo.Observable) rxgo.Observable { return o.Map(doubleRx) })
	require.Equal(t, collect(t, operators.Map(count(1000, 10), double)), collect(t, mapped))

	filtered := viaRx[int](count(10, 3), func(o rxgo.Observable) rxgo.Observable {
		return o.Filter(func(item any) bool { return item.(int)%2 == 0 })
	})
	require.Equal(t, []int{0, 2, 4, 6, 8}, collect(t, filtered))

	distinct := viaRx[int](operators.Map(count(100, 10), func(n int) (int, error) { return n % 3, nil }), func(o rxgo.Observable) rxgo.Observable {
		return o.Distinct(func(_ context.Context, item any) (any, error) { return item, nil })
	})
	require.Equal(t, []int{0, 1, 2}, collect(t, distinct))

	buffered := viaRx[[]any](count(5, 3), func(o rxgo.Observable) rxgo.Observable { return o.BufferWithCount(2) })
	require.Equal(t, [][]any{{0, 1}, {2, 3}, {4}}, collect(t, buffered))

	require.Empty(t, collect(t, viaRx[int](count(0, 1), func(o rxgo.Observable) rxgo.Observable { return o.Map(doubleRx) })))
}

func TestAnObservableThatClosesEarlyEndsTheStreamOnPurpose(t *testing.T) {
	for name, fn := range map[string]func(rxgo.Observable) rxgo.Observable{
		"Take": func(o rxgo.Observable) rxgo.Observable { return o.Take(3) },
		"Map Take": func(o rxgo.Observable) rxgo.Observable {
			return o.Map(doubleRx).Filter(func(any) bool { return true }).Take(3)
		},
		"pool": func(o rxgo.Observable) rxgo.Observable {
			return o.Map(doubleRx, rxgo.WithPool(4), rxgo.WithBufferedChannel(8)).Take(3)
		},
	} {
		pages, rep := pagesOut(t, viaRx[int](count(1<<40, 10), fn))
		require.NotEmpty(t, pages, name)
		require.EqualValues(t, 3, rep.Written, name)
		require.Equal(t, "Rx", rep.EndedBy, name)
		require.False(t, rep.Complete, name)
		require.Equal(t, rep.Pages, rep.PagesSettled, name)
		require.Zero(t, rep.BytesInFlight, name)
	}
}

func TestTheEndOfTheStreamAfterRxEndsRxgoAtOnce(t *testing.T) {
	s := operators.Take(viaRx[int](count(1<<40, 10), func(o rxgo.Observable) rxgo.Observable {
		return o.Map(doubleRx).Filter(func(any) bool { return true })
	}), 20)
	_, rep := pagesOut(t, s)
	require.EqualValues(t, 20, rep.Written)
	require.Equal(t, "Take", rep.EndedBy)
	require.Equal(t, rep.Pages, rep.PagesSettled)
}

func TestAnErrorItemEndsTheStreamWithThatErrorAtOnce(t *testing.T) {
	boom := errors.New("boom")
	s := viaRx[int](count(1<<40, 10), func(o rxgo.Observable) rxgo.Observable {
		return o.Map(func(_ context.Context, item any) (any, error) {
			if item.(int) == 42 {
				return nil, boom
			}
			return item, nil
		})
	})
	_, err := s.Count(context.Background())
	require.ErrorIs(t, err, boom)
	failedIn(t, "Rx", err)
}

func TestNoRxgoOperatorSwallowsAFailureOrMakesHalfAResultOfIt(t *testing.T) {
	boom := errors.New("boom")
	failing := operators.Tap(count(100, 10), func(n int) error {
		if n == 55 {
			return boom
		}
		return nil
	})
	for name, s := range map[string]rxcql.Stream[any]{
		"OnErrorReturn": viaRx[any](failing, func(o rxgo.Observable) rxgo.Observable {
			return o.OnErrorReturn(func(error) any { return 0 })
		}),
		"BufferWithCount": viaRx[any](failing, func(o rxgo.Observable) rxgo.Observable { return o.BufferWithCount(1000) }),
	} {
		sink := &gather[any]{}
		p, err := rxcql.New(s, sink)
		require.NoError(t, err)
		_, err = p.Run(context.Background())
		require.ErrorIs(t, err, boom, name)
		for _, row := range sink.rows() {
			require.IsType(t, 0, row, "half a buffer was handed on")
		}
	}
	ended := false
	sum := operators.Tap(operators.Reduce(viaRx[int](failing, func(o rxgo.Observable) rxgo.Observable { return o.Map(doubleRx) }), zero, add),
		func(int) error { ended = true; return nil })
	_, err := sum.Count(context.Background())
	require.ErrorIs(t, err, boom)
	require.False(t, ended, "a failed stream has no end")
}

func TestCancelReachesThroughRxgo(t *testing.T) {
	why := errors.New("why")
	ctx, cancel := context.WithCancelCause(context.Background())
	time.AfterFunc(5*time.Millisecond, func() { cancel(why) })
	s := operators.Reduce(viaRx[int](source.Chan(make(chan int)), func(o rxgo.Observable) rxgo.Observable { return o.Map(doubleRx) }), zero, add)
	rows, err := s.Collect(ctx)
	require.ErrorIs(t, err, why)
	require.Empty(t, rows)
}

func TestAnItemOfAnotherTypeIsAnError(t *testing.T) {
	_, err := viaRx[string](count(10, 3), func(o rxgo.Observable) rxgo.Observable { return o }).Count(context.Background())
	require.ErrorIs(t, err, rxcql.ErrItemType)
	_, err = viaRx[int](count(10, 3), func(rxgo.Observable) rxgo.Observable { return nil }).Count(context.Background())
	require.ErrorContains(t, err, "no Observable")
}

func TestAnotherObservableThanTheOneGivenEndsTheStream(t *testing.T) {
	taken := 0
	_, rep := pagesOut(t, viaRx[int](source.Seq(numbers(10, &taken)), func(rxgo.Observable) rxgo.Observable { return rxgo.Just(1, 2)() }))
	require.EqualValues(t, 2, rep.Written)
	require.Equal(t, "Rx", rep.EndedBy)
	require.Zero(t, taken)
}

func TestStopDrainsRxgo(t *testing.T) {
	var p *rxcql.Pipeline
	in := operators.Tap(count(1<<40, 10), func(n int) error {
		if n == 1000 {
			p.Stop()
		}
		return nil
	})
	sink := &gather[int]{}
	p, err := rxcql.New(viaRx[int](in, func(o rxgo.Observable) rxgo.Observable { return o.Map(doubleRx, rxgo.WithBufferedChannel(100)) }), sink)
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, "Stop", rep.EndedBy)
	require.Equal(t, rep.ReadRows, rep.Written, "no row is left in rxgo")
	require.Equal(t, rep.Pages, rep.PagesSettled)
}

func TestAFailureBeforeRxIsNotLostInAnEndAfterIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		boom := errors.New("boom")
		asked, failed := make(chan struct{}), make(chan struct{})
		in := operators.Tap(count(2, 1), func(n int) error {
			if n == 1 {
				<-asked
				close(failed)
				return boom
			}
			return nil
		})
		s := viaRx[int](in, func(o rxgo.Observable) rxgo.Observable { return o })
		_, err := run(t, operators.TakeWhile(s, func(int) bool {
			close(asked)
			<-failed
			time.Sleep(10 * time.Millisecond)
			return false
		}))
		require.ErrorIs(t, err, boom)
	})
}
