package operators_test

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/source"
)

// What the seam to rxgo guards against.

func TestAStreamThroughRxIsBuiltLazilyAndRunsAsOftenAsYouLike(t *testing.T) {
	for name, fn := range map[string]func(rxgo.Observable) rxgo.Observable{ // each has one channel, and panics when it is observed twice
		"FlatMap": func(o rxgo.Observable) rxgo.Observable {
			return o.FlatMap(func(item rxgo.Item) rxgo.Observable { return rxgo.Just(item.V)() })
		},
		"BufferWithTimeOrCount": func(o rxgo.Observable) rxgo.Observable {
			return o.BufferWithTimeOrCount(rxgo.WithDuration(time.Minute), 100)
		},
		"WindowWithTime": func(o rxgo.Observable) rxgo.Observable {
			return o.WindowWithTime(rxgo.WithDuration(time.Minute)).FlatMap(inside)
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			taken, calls := 0, 0
			s := viaRx[any](source.Seq(numbers(5, &taken)), func(o rxgo.Observable) rxgo.Observable {
				calls++
				return fn(o)
			})
			p, err := rxcql.New(s, &gather[any]{})
			require.NoError(t, err, name)
			require.Zero(t, calls+taken, name)
			for range 3 {
				rep, err := p.Run(t.Context())
				require.NoError(t, err, name)
				require.True(t, rep.Complete, name)
				require.Positive(t, rep.Written, name)
			}
			require.Equal(t, 3, calls, name)
		})
	}
}

func TestEachObserverOfTheRowsGivenToRxgoGetsAllOfThem(t *testing.T) {
	s := viaRx[int](count(50, 7), func(o rxgo.Observable) rxgo.Observable {
		return rxgo.Merge([]rxgo.Observable{o.Map(doubleRx), o})
	})
	got := collect(t, s)
	slices.Sort(got)
	want := upTo(50)
	for _, n := range upTo(50) {
		want = append(want, 2*n)
	}
	slices.Sort(want)
	require.Equal(t, want, got)
}

func TestAnErrorEndsTheStreamAlsoInAPoolOfRxgoWhichGoesOn(t *testing.T) {
	boom := errors.New("boom")
	s := viaRx[int](count(1<<40, 10), func(o rxgo.Observable) rxgo.Observable {
		return o.Map(func(_ context.Context, item any) (any, error) {
			if item.(int) == 42 {
				return nil, boom
			}
			return item, nil
		}, rxgo.WithPool(4))
	})
	rep, err := run(t, s)
	require.ErrorIs(t, err, boom)
	require.Zero(t, rep.BytesInFlight)
}

func TestAContextThatTheFunctionGivesToRxgoLeavesNothingBehind(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // which fails if a goroutine is left
		living, end := context.WithCancel(t.Context())
		fn := func(o rxgo.Observable) rxgo.Observable {
			return o.Map(doubleRx, rxgo.WithContext(living)).Filter(func(any) bool { return true }, rxgo.WithContext(living))
		}
		require.Len(t, collect(t, viaRx[int](count(50, 7), fn)), 50)
		why := errors.New("why")
		ctx, cancel := context.WithCancelCause(t.Context())
		time.AfterFunc(time.Hour, func() { cancel(why) })
		_, err := viaRx[int](rxcqltest.NewScript[int]().Page(1).Delay(24*time.Hour).Stream(), fn).Count(ctx)
		require.ErrorIs(t, err, why)
		synctest.Wait()
		require.NoError(t, living.Err())
		end()
	})
}

// What it cannot guard against.

func TestOptionsOfAnRxgoOperatorTravelToThoseBeforeIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var now, most atomic.Int64
		slow := func(_ context.Context, item any) (any, error) {
			n := now.Add(1)
			for seen := most.Load(); n > seen && !most.CompareAndSwap(seen, n); seen = most.Load() {
			}
			time.Sleep(time.Second)
			now.Add(-1)
			return item, nil
		}
		got := collect(t, viaRx[int](count(100, 10), func(o rxgo.Observable) rxgo.Observable {
			return o.Map(slow, rxgo.WithPool(2)).Map(doubleRx, rxgo.WithPool(8))
		}))
		require.Len(t, got, 100)
		require.EqualValues(t, 8, most.Load(), "and not 2")

		most.Store(0)
		first := viaRx[int](count(100, 10), func(o rxgo.Observable) rxgo.Observable { return o.Map(slow, rxgo.WithPool(2)) })
		got = collect(t, viaRx[int](first, func(o rxgo.Observable) rxgo.Observable { return o.Map(doubleRx, rxgo.WithPool(8)) }))
		require.Len(t, got, 100)
		require.EqualValues(t, 2, most.Load(), "of an Rx of its own")
	})
}

func TestSerializeOfRxgoDropsWhatComesBehindAGapInTheNumbers(t *testing.T) {
	evens := source.Seq(func(yield func(int, error) bool) {
		_ = yield(0, nil) && yield(1, nil) && yield(3, nil) && yield(4, nil)
	})
	_, rep := pagesOut(t, viaRx[int](evens, func(o rxgo.Observable) rxgo.Observable {
		return o.Serialize(0, func(item any) int { return item.(int) })
	}))
	require.EqualValues(t, 2, rep.Written)
	require.True(t, rep.Complete, "nobody knows of it")
}
