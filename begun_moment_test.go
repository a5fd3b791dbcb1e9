package rxcql_test

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

func TestWhereAllWaitEachInputIsLentAPageBeforeAnyGetsTwo(t *testing.T) {
	alone(t, "as rows of one are larger", func(t *testing.T) {
		second := mapped(heavy(2000), func([]byte) []byte { b := make([]byte, 5000); b[0] = 1; return b })
		light := mapped(heavyOf(2000, 200), func(b []byte) []byte { return b })
		_, err := paired(light, second).Count(context.Background(), rxcql.WithBudget(256*kib))
		require.NoError(t, err)
	})
}

// gate keeps rows that begin with 0 until one has come that begins with 1.
func gate(in rxcql.Stream[[]byte]) rxcql.Stream[[]byte] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "Gate", HoldsRows: true}, func(st *rxcql.Stage, out flow.Observer[[]byte]) flow.Observer[[]byte] {
		kept, open := st.Account(false).Reservation(), false
		return op[[]byte, []byte]{done: out.Done, next: func(_ context.Context, p *flow.Page[[]byte]) error {
			for _, row := range p.Rows {
				open = open || row[0] == 1
			}
			if !open {
				kept.Take(p.Reservation, p.Bytes())
				return nil
			}
			kept.Settle()
			return nil
		}}
	})
}

func marked(in rxcql.Stream[[]byte]) rxcql.Stream[[]byte] {
	return mapped(in, func(b []byte) []byte { b[0] = 1; return b })
}

// apart reads streams in turn, each in a Group of its own and after a pause.
func apart[T any](ins ...rxcql.Stream[T]) rxcql.Stream[T] {
	var up []rxcql.AnyStream
	for _, in := range ins {
		up = append(up, in)
	}
	return rxcql.NewStream(rxcql.StageInfo{Name: "Apart", MixesRows: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		for _, in := range ins {
			time.Sleep(time.Second)
			group, ctx := st.TaskGroup(ctx)
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
	return rxcql.NewStream(rxcql.StageInfo{Name: "Undeclared"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
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
			_, err := gate(in).Count(context.Background(), rxcql.WithBudget(64*kib*int64(sources(in))))
			require.NoError(t, err)
		})
	}
}

func TestOneOfTwoReadingsOfASourceMayEndWhileTheOtherWaits(t *testing.T) {
	alone(t, "and let go of what it keeps", func(t *testing.T) {
		var readings atomic.Int64
		in := rxcql.NewStream(rxcql.StageInfo{Name: "Own", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
			if readings.Add(1) == 2 {
				time.Sleep(time.Hour)
				return out.Done(ctx, false)
			}
			for range 100 {
				l, err := st.Input().Reserve(ctx, 1000)
				if err != nil {
					return err
				}
				l.Resize(1000)
				if err := out.Next(ctx, &flow.Page[int]{Reservation: l}); err != nil {
					return err
				}
				l.Release()
			}
			return out.Done(ctx, false)
		})
		split := rxcql.NewStream(rxcql.StageInfo{Name: "Split"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
			kept := st.Account(false).Reservation()
			var mu sync.Mutex
			keep := op[int, int]{
				next: func(_ context.Context, p *flow.Page[int]) error {
					mu.Lock()
					defer mu.Unlock()
					kept.Take(p.Reservation, p.Bytes())
					return nil
				},
				done: func(context.Context, bool) error {
					mu.Lock()
					defer mu.Unlock()
					kept.Settle()
					return nil
				},
			}
			group, groupCtx := st.TaskGroup(ctx)
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

// looking is a source that waits for room, in a budget of which it holds all, and has the
// budget look all the while whether it waits for ever. It tells looked of the first look, and
// once more when over has been closed and it has let go.
func looking(over <-chan struct{}, looked chan<- struct{}) rxcql.Stream[[]byte] {
	return rxcql.NewStream(rxcql.StageInfo{Name: "Looking", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[[]byte]) error {
		kept, free := st.Account(false).Reservation(), st.Account(true)
		all, err := st.Input().Reserve(ctx, 1)
		if err != nil {
			return err
		}
		all.Resize(st.Run().Budget())
		kept.Take(all, all.Bytes())
		all.Settle()
		go func() {
			for first := true; ; first = false {
				free.Reservation().Settle()
				if first {
					looked <- struct{}{}
				}
				select {
				case <-over:
					kept.Settle()
					looked <- struct{}{}
					return
				default:
				}
			}
		}()
		last, err := st.Input().Reserve(ctx, 1)
		if err != nil {
			return err
		}
		last.Settle()
		return out.Done(ctx, false)
	})
}

func TestNoMomentOfABeginningOrAnEndIsTakenForStuck(t *testing.T) {
	in := rxcql.NewStream(rxcql.StageInfo{Name: "Nothing", Source: true}, func(ctx context.Context, _ *rxcql.Stage, out flow.Observer[[]byte]) error {
		return out.Done(ctx, false)
	})
	for range 30 {
		in = mapped(in, func(b []byte) []byte { return b })
	}
	over, looked := make(chan struct{}), make(chan struct{}, 2)
	often := rxcql.NewStream(rxcql.StageInfo{Name: "Often"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[[]byte]) error {
		<-looked
		defer func() {
			close(over)
			<-looked
		}()
		for range 2000 {
			if err := in.Subscribe(ctx, st, op[[]byte, []byte]{next: out.Next, done: func(context.Context, bool) error { return nil }}); err != nil {
				return err
			}
		}
		return out.Done(ctx, false)
	}, in)
	_, err := operators.Merge(looking(over, looked), often).Count(context.Background())
	require.NoError(t, err)
}
