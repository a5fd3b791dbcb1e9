package flow_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/flow"
)

// zipped are two sources that a stage reads in step, each in a goroutine of the stage. Behind a
// there is an operator.
type zipped struct {
	t        *testing.T
	b        *flow.Budget
	one, two *flow.Task // the sources
	behind   *flow.Task // the operator
	group    *flow.TaskGroup
	step     *flow.InStep
	a, other *flow.Inlet
	inA, inB context.Context // of the readings
	leave    []func()
}

func newZipped(t *testing.T, limit int64) *zipped {
	z := &zipped{t: t, b: flow.NewBudget(limit)}
	z.one, z.two = z.b.Source("one"), z.b.Source("two")
	z.behind = z.b.Task(z.one)
	zip := z.b.Task(z.behind, z.two)
	ctx := z.enter(context.Background(), zip, nil)
	z.step = zip.InStep()
	z.group = zip.Group(ctx)
	z.group.Started()
	z.group.Started()
	z.group.Wait()
	var ctxA, ctxB context.Context
	ctxA, z.a = z.step.Inlet(ctx)
	ctxB, z.other = z.step.Inlet(ctx)
	z.inA = z.enter(z.enter(ctxA, z.behind, zip), z.one, z.behind)
	z.inB = z.enter(ctxB, z.two, zip)
	return z
}

func (z *zipped) enter(ctx context.Context, task, reader *flow.Task) context.Context {
	ctx, leave := task.Enter(ctx, reader, nil)
	z.leave = append(z.leave, leave)
	return ctx
}

func (z *zipped) end() {
	for i := range z.leave {
		z.leave[len(z.leave)-1-i]()
	}
}

// page is a page of a source on its way.
func (z *zipped) page(ctx context.Context, of *flow.Task, bytes int64) *flow.Reservation {
	z.t.Helper()
	p, err := of.Input().Reserve(ctx, bytes)
	require.NoError(z.t, err)
	p.Resize(bytes)
	return p
}

// hungry is a holder that takes pages of the second source until there are no more, and then tells
// why.
func (z *zipped) hungry() <-chan error {
	kept := z.b.Account("Batch", false).Reservation()
	held := make(chan error, 1)
	go func() {
		for {
			p, err := z.two.Input().Reserve(z.inB, 16*kib)
			if err != nil {
				held <- err
				return
			}
			p.Resize(16 * kib)
			kept.Take(p, 16*kib)
			p.Settle()
		}
	}()
	synctest.Wait()
	return held
}

func TestAPageThatWaitsForRowsOfAnotherInputDoesNotMove(t *testing.T) {
	alone(t, "so that a holder before the other input is found out", func(t *testing.T) {
		z := newZipped(t, 128*kib)
		defer z.end()
		p := z.page(z.inA, z.one, 16*kib)
		held := z.hungry()
		require.Empty(t, held, "the page may yet move")
		z.a.Waits()
		synctest.Wait()
		require.Empty(t, held, "the stage is at work")
		z.step.Starve()
		require.Equal(t, "Batch", isHeld(t, <-held).Stage)
		p.Settle()
	})
	alone(t, "nor do pages that are read ahead of it", func(t *testing.T) {
		z := newZipped(t, 128*kib)
		defer z.end()
		var pages []*flow.Reservation
		for range 3 {
			pages = append(pages, z.page(z.inA, z.one, 8*kib))
		}
		z.a.Waits()
		z.step.Starve()
		isHeld(t, <-z.hungry())
		for _, p := range pages {
			p.Settle()
		}
	})
	alone(t, "nor do rows in an operator before it, whether they would leave it by themselves or are on their way", func(t *testing.T) {
		for _, emitted := range []bool{false, true} {
			z := newZipped(t, 128*kib)
			account := z.behind.Account("MapConcurrent", true)
			rows := account.Reservation()
			p := z.page(z.inA, z.one, 16*kib)
			rows.Take(p, 16*kib)
			p.Settle()
			if emitted {
				rows.Emit()
			}
			z.a.Waits()
			z.step.Starve()
			held := z.hungry()
			isHeld(t, <-held)
			rows.Settle()
			z.end()
			require.Zero(t, account.Held())
		}
	})
	alone(t, "nor do those of an operator that has taken nothing from a page, as behind rxgo", func(t *testing.T) {
		z := newZipped(t, 128*kib)
		defer z.end()
		rows := z.behind.Account("Rx", true).Reservation()
		rows.Emit()
		z.a.Waits()
		z.step.Starve()
		isHeld(t, <-z.hungry())
		rows.Settle()
	})
	alone(t, "and a stage that reads in step before another is blocked with it", func(t *testing.T) {
		b := flow.NewBudget(192 * kib)
		one, two, three := b.Source("one"), b.Source("two"), b.Source("three")
		inner := b.Task(one, two)
		outer := b.Task(inner, three)
		ctx, leave := outer.Enter(context.Background(), nil, nil)
		defer leave()
		group := outer.Group(ctx)
		group.Started()
		group.Started()
		group.Wait()
		step := outer.InStep()
		toInner, a := step.Inlet(ctx)
		toThree, _ := step.Inlet(ctx)
		toInner, leaveInner := inner.Enter(toInner, outer, nil)
		defer leaveInner()
		innerStep := inner.InStep()
		toOne, _ := innerStep.Inlet(toInner)
		toOne, leaveOne := one.Enter(toOne, inner, nil)
		defer leaveOne()
		toThree, leaveThree := three.Enter(toThree, outer, nil)
		defer leaveThree()
		ahead, err := one.Input().Reserve(toOne, 8*kib)
		require.NoError(t, err)
		made := inner.Account("Zip", false).Reservation()
		made.Take(ahead, kib)
		made.Emit() // in Next of the outer one
		a.Waits()
		step.Starve()
		kept := b.Account("Batch", false).Reservation()
		for err == nil {
			var p *flow.Reservation
			if p, err = three.Input().Reserve(toThree, 16*kib); err == nil {
				p.Resize(16 * kib)
				kept.Take(p, 16*kib)
				p.Settle()
			}
		}
		isHeld(t, err)
		ahead.Settle()
		made.Settle()
	})
}

func TestAGoroutineThatIsBlockedBeginsNoSource(t *testing.T) {
	for name, ahead := range map[string]int{"of a stage": 0, "of a stage that is read twice": 1} {
		alone(t, name, func(t *testing.T) {
			b := flow.NewBudget(128 * kib)
			one, two := b.Source("one"), b.Source("two")
			merge := b.Task(one)
			zip := b.Task(merge, merge, two)
			ctx, leave := zip.Enter(context.Background(), nil, nil)
			defer leave()
			group := zip.Group(ctx)
			for range 2 + ahead {
				group.Started()
			}
			group.Wait()
			step := zip.InStep()
			toMerge, first := step.Inlet(ctx)
			toTwo, _ := step.Inlet(ctx)
			toMerge, leaveMerge := merge.Enter(toMerge, zip, nil)
			defer leaveMerge()
			inner := merge.Group(toMerge)
			inner.Started()
			inner.Wait()
			_, leaveOne := one.Enter(toMerge, merge, nil)
			leaveOne()
			inner.Ended() // and the stage hands on what it has kept, in the goroutine that waited
			kept := b.Account("Batch", false).Reservation()
			kept.Take(b.KeptReservation(), 128*kib)
			if ahead > 0 {
				toMerge, _ := step.Inlet(ctx)
				toMerge, leaveMerge := merge.Enter(toMerge, zip, nil)
				defer leaveMerge()
				toOne, leaveOne := one.Enter(toMerge, merge, nil)
				defer leaveOne()
				go func() { _, _ = one.Input().Reserve(toOne, 1) }()
			}
			toTwo, leaveTwo := two.Enter(toTwo, zip, nil)
			defer leaveTwo()
			held := make(chan error, 1)
			go func() {
				_, err := two.Input().Reserve(toTwo, 1)
				held <- err
			}()
			synctest.Wait()
			require.Empty(t, held, "it may read the source again")
			first.Waits()
			step.Starve()
			isHeld(t, <-held)
		})
	}
}

func TestNothingIsTakenForStuckWhileTheOtherInputMoves(t *testing.T) {
	alone(t, "or the page goes on", func(t *testing.T) {
		z := newZipped(t, 128*kib)
		defer z.end()
		p := z.page(z.inA, z.one, 16*kib)
		z.a.Waits()
		z.step.Starve()
		require.False(t, z.b.Stuck(), "two has not asked for room")
		kept := z.b.Account("Batch", false).Reservation()
		kept.Take(z.b.KeptReservation(), 100*kib)
		second := z.page(z.inB, z.two, kib)
		require.False(t, z.b.Stuck(), "it has a page on its way")
		z.other.Waits()
		z.a.GoesOn()
		ahead := make(chan error, 1)
		go func() {
			_, err := z.one.Input().Reserve(z.inA, 1<<30)
			ahead <- err
		}()
		synctest.Wait()
		require.Empty(t, ahead)
		second.Settle()
		synctest.Wait()
		require.Empty(t, ahead)
		require.False(t, z.b.Stuck())
		kept.Settle()
		require.NoError(t, <-ahead)
		p.Settle()
	})
	alone(t, "or its reading has failed", func(t *testing.T) {
		z := newZipped(t, 128*kib)
		defer z.end()
		p := z.page(z.inA, z.one, 16*kib)
		bad := z.page(z.inA, z.one, 1)
		z.a.Waits()
		z.step.Starve()
		bad.Finish(errTest)
		held := z.hungry()
		require.Empty(t, held, "the run is about to end with that error")
		p.Settle()
	})
	alone(t, "or an input has ended, until the stage has drawn its conclusions", func(t *testing.T) {
		z := newZipped(t, 128*kib)
		defer z.end()
		p := z.page(z.inA, z.one, 16*kib)
		z.a.Waits()
		z.step.Starve()
		z.step.Works()
		held := z.hungry()
		require.Empty(t, held)
		z.step.Starve()
		isHeld(t, <-held)
		p.Settle()
	})
}
