package rxcql_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

func TestAnInputKeepsWhatASmallPageLeavesOfItsCredit(t *testing.T) {
	for name, bytes := range map[string]int64{"a small one": 100, "one without rows": 0} {
		alone(t, name, func(t *testing.T) {
			b := rxcql.NewBudget(128 * kib)
			fast, slow := b.NewInput("fast"), b.NewInput("slow")
			kept := b.NewAccount("Zip", false).Lease()
			small, err := slow.Reserve(context.Background(), 1<<30)
			require.NoError(t, err)
			small.Correct(bytes)
			held := make(chan error, 1)
			go func() { held <- holdAll(t, fast, kept) }()
			synctest.Wait()
			small.End()
			next, err := slow.Reserve(context.Background(), 1<<30)
			require.NoError(t, err)
			next.End()
			slow.Done()
			isHeld(t, <-held)
		})
	}
}

func TestWhereAllWaitEachInputIsLentAPageBeforeAnyGetsTwo(t *testing.T) {
	alone(t, "as rows of one are larger", func(t *testing.T) {
		second := mapped(heavy(2000), func([]byte) []byte { b := make([]byte, 5000); b[0] = 1; return b })
		light := mapped(heavyOf(2000, 200), func(b []byte) []byte { return b })
		_, err := paired(light, second).Count(context.Background(), rxcql.WithBudget(256*kib))
		require.NoError(t, err)
	})
	alone(t, "also where hardly any room is left", func(t *testing.T) {
		b := rxcql.NewBudget(128 * kib)
		one, two := b.NewInput("one"), b.NewInput("two")
		kept := b.NewAccount("Zip", false).Lease()
		l, err := one.Reserve(context.Background(), 1<<30)
		require.NoError(t, err)
		l.Correct(128*kib - 1)
		kept.Take(l, l.Bytes())
		l.End()
		errs := make(chan error, 2)
		for _, in := range []*rxcql.Input{one, two} {
			go func() {
				l, err := in.Reserve(context.Background(), 1<<30)
				if err == nil {
					require.EqualValues(t, 1, l.Bytes())
					l.Release()
					in.Done()
				}
				errs <- err
			}()
		}
		require.NoError(t, <-errs)
		require.NoError(t, <-errs)
		kept.End()
	})
}

func TestAPageThatAHolderHandsOnMovesUntilItsDeliveryReturns(t *testing.T) {
	alone(t, "be all its bytes taken", func(t *testing.T) {
		b := rxcql.NewBudget(64 * kib)
		in := b.NewInput("in")
		first, second := b.NewAccount("Concurrent", true).Lease(), b.NewAccount("Batch", false).Lease()
		require.NoError(t, hold(t, in, first))
		first.Emit()
		second.Take(first, first.Bytes()) // the batch is full, and about to go on
		got := make(chan error, 1)
		go func() {
			got <- holdAll(t, in, second)
		}()
		synctest.Wait()
		require.Empty(t, got)
		first.End()
		isHeld(t, <-got)
	})
}

// gate keeps rows that begin with 0 until one has come that begins with 1.
func gate(in rxcql.Stream[[]byte]) rxcql.Stream[[]byte] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "Gate", Holds: true}, func(st *rxcql.Stage, out rxcql.Observer[[]byte]) rxcql.Observer[[]byte] {
		kept, open := st.Account(false).Lease(), false
		return op[[]byte, []byte]{done: out.Done, next: func(_ context.Context, p *rxcql.Page[[]byte]) error {
			for _, row := range p.Rows {
				open = open || row[0] == 1
			}
			if !open {
				kept.Take(p.Lease, p.Bytes())
				return nil
			}
			kept.End()
			return nil
		}}
	})
}

func marked(in rxcql.Stream[[]byte]) rxcql.Stream[[]byte] {
	return mapped(in, func(b []byte) []byte { b[0] = 1; return b })
}

// apart reads streams in turn, each in a Group of its own and after a pause.
func apart[T any](ins ...rxcql.Stream[T]) rxcql.Stream[T] {
	var up []rxcql.Upstream
	for _, in := range ins {
		up = append(up, in)
	}
	return rxcql.NewStream(rxcql.StageInfo{Name: "Apart", Scatters: true}, func(ctx context.Context, st *rxcql.Stage, out rxcql.Observer[T]) error {
		for _, in := range ins {
			time.Sleep(time.Second)
			group, ctx := st.Group(ctx)
			group.Go(func() error {
				return in.Subscribe(ctx, st, op[T, T]{next: out.Next, done: func(context.Context, bool) error { return nil }})
			})
			if err := group.Wait(); err != nil {
				return err
			}
		}
		return out.Done(ctx, false)
	}, up...)
}

// undeclared reads streams in turn, with pauses, and has not said so.
func undeclared[T any](ins ...rxcql.Stream[T]) rxcql.Stream[T] {
	return rxcql.NewStream(rxcql.StageInfo{Name: "Undeclared"}, func(ctx context.Context, st *rxcql.Stage, out rxcql.Observer[T]) error {
		for _, in := range ins {
			if err := in.Subscribe(ctx, st, op[T, T]{next: out.Next, done: func(context.Context, bool) error { return nil }}); err != nil {
				return err
			}
			time.Sleep(time.Hour)
		}
		return out.Done(ctx, false)
	})
}

func TestAWaitEndsInRowsWhereverTheyAreStillToComeFrom(t *testing.T) {
	nothing, both := heavy(0), oneAfterOther(0, false, heavy(10), heavy(1000))
	var groups []rxcql.Stream[[]byte]
	for range 40 {
		groups = append(groups, nothing)
	}
	for name, in := range map[string]rxcql.Stream[[]byte]{
		"the next Group of a stage": operators.Merge(heavy(1000),
			apart(append(groups, marked(heavy(1)))...)),
		"a stage that is read once more, meanwhile": operators.Merge(both, oneAfterOther(time.Hour, false, marked(both))),
		"a stream that is no input of the stage":    operators.Merge(oneAfterOther(time.Minute, false, heavy(1000)), undeclared(nothing, nothing, marked(heavy(1)))),
	} {
		alone(t, name, func(t *testing.T) {
			_, err := gate(in).Count(context.Background(), rxcql.WithBudget(64*kib*int64(len(in.Sources()))))
			require.NoError(t, err)
		})
	}
}

func TestOneOfTwoReadingsOfASourceMayEndWhileTheOtherWaits(t *testing.T) {
	alone(t, "and let go of what it keeps", func(t *testing.T) {
		var readings atomic.Int64
		in := rxcql.NewStream(rxcql.StageInfo{Name: "Own", Source: true}, func(ctx context.Context, st *rxcql.Stage, out rxcql.Observer[int]) error {
			if readings.Add(1) == 2 {
				time.Sleep(time.Hour)
				return out.Done(ctx, false)
			}
			for range 100 {
				l, err := st.Input().Reserve(ctx, 1000)
				if err != nil {
					return err
				}
				l.Correct(1000)
				if err := out.Next(ctx, &rxcql.Page[int]{Lease: l}); err != nil {
					return err
				}
				l.Release()
			}
			return out.Done(ctx, false)
		})
		split := rxcql.NewStream(rxcql.StageInfo{Name: "Split"}, func(ctx context.Context, st *rxcql.Stage, out rxcql.Observer[int]) error {
			kept := st.Account(false).Lease()
			var mu sync.Mutex
			keep := op[int, int]{
				next: func(_ context.Context, p *rxcql.Page[int]) error {
					mu.Lock()
					defer mu.Unlock()
					kept.Take(p.Lease, p.Bytes())
					return nil
				},
				done: func(context.Context, bool) error {
					mu.Lock()
					defer mu.Unlock()
					kept.End()
					return nil
				},
			}
			group, groupCtx := st.Group(ctx)
			for range 2 {
				group.Go(func() error { return in.Subscribe(groupCtx, st, keep) })
			}
			if err := group.Wait(); err != nil {
				return err
			}
			return out.Done(ctx, false)
		}, in, in)
		_, err := split.Count(context.Background(), rxcql.WithBudget(64*kib))
		require.NoError(t, err)
	})
}

func TestAFailureIsNotTakenForABudgetThatIsHeld(t *testing.T) {
	alone(t, "of a stream beside one that waits", func(t *testing.T) {
		fails := rxcql.NewStream(rxcql.StageInfo{Name: "Fails", Source: true}, func(context.Context, *rxcql.Stage, rxcql.Observer[[]byte]) error {
			time.Sleep(time.Hour)
			return errTest
		})
		_, err := gate(operators.Merge(heavyOf(10, 200_000), fails)).Count(context.Background(), rxcql.WithBudget(128*kib))
		require.ErrorIs(t, err, errTest)
		require.NotErrorIs(t, err, rxcql.ErrBudgetHeld)
	})
}

func TestNoMomentOfABeginningOrAnEndIsTakenForStuck(t *testing.T) {
	in := heavy(0)
	for range 30 {
		in = mapped(in, func(b []byte) []byte { return b })
	}
	var stuck, looks int
	twice := rxcql.NewStream(rxcql.StageInfo{Name: "Twice"}, func(ctx context.Context, st *rxcql.Stage, out rxcql.Observer[[]byte]) error {
		var over atomic.Bool
		var looking sync.WaitGroup
		first := make(chan struct{})
		looking.Go(func() {
			for !over.Load() {
				if st.Stuck() {
					stuck++
				}
				if looks++; looks == 1 {
					close(first)
				}
			}
		})
		<-first
		for range 20_000 {
			if err := in.Subscribe(ctx, st, op[[]byte, []byte]{next: out.Next, done: func(context.Context, bool) error { return nil }}); err != nil {
				return err
			}
		}
		over.Store(true)
		looking.Wait()
		return out.Done(ctx, false)
	}, in)
	_, err := twice.Count(context.Background())
	require.NoError(t, err)
	require.Positive(t, looks)
	require.Zero(t, stuck, "of %d", looks)
}
