package operators

import (
	"context"
	"errors"
	"fmt"
	"reflect"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/option"
)

// ErrGroupByFull is the kind of error of a GroupBy that has more groups, or larger ones, than it
// may keep.
var ErrGroupByFull = errors.New("rxcql: GroupBy has no room for its groups")

// GroupByOption bounds what GroupBy keeps.
type GroupByOption interface{ applyGroupBy(*groupByConfig) error }

type groupByConfig struct {
	groups int64
	bytes  int64
}

type (
	groupByGroups int64
	groupByBytes  int64
)

// GroupByGroups is how many groups GroupBy keeps at most.
func GroupByGroups(n int64) GroupByOption { return groupByGroups(n) }

// GroupByBytes is how many bytes the groups that GroupBy keeps take at most: their keys and states,
// with what it needs to find them.
func GroupByBytes(n int64) GroupByOption { return groupByBytes(n) }

func (n groupByGroups) applyGroupBy(c *groupByConfig) error {
	c.groups = int64(n)
	return atLeast("GroupByGroups", int64(n), 1)
}

func (n groupByBytes) applyGroupBy(c *groupByConfig) error {
	c.bytes = int64(n)
	return atLeast("GroupByBytes", int64(n), 1)
}

// GroupBy folds all rows with the same key into one Group, wherever they come in the stream, and
// hands the groups on when the stream has ended. Where rows of a key come one after the other, as
// those of a partition do, GroupAdjacent does it in flat memory. seed makes the state that a group
// begins with. It is called for each group, so a map or a pointer belongs to that group alone.
//
//	perType := operators.GroupBy(readings,
//		func(r Reading) string { return r.Type },
//		func() float64 { return 0 },
//		func(sum float64, r Reading) (float64, error) { return sum + r.Celsius, nil },
//		operators.GroupByGroups(10_000))
//
// Bounds: at least one of GroupByGroups and GroupByBytes must be given. At the bound the stream
// ends with ErrGroupByFull and no group is handed on: there is never a group of only some of its
// rows. A key that does not equal itself (NaN) makes a group of each of its rows.
//
// It cannot come to a deadlock, as groupBy of Reactor and of RxGo can: there each group is a stream
// of its own, and the groups wait for each other where they are not all read at once. To put
// operators behind each key use Lanes.
//
// Order and memory: groups come in the order of their first rows, in pages of up to 512, in the
// goroutine that brings the rows. It holds the groups, and the receipt of every page (about 50
// bytes each), which settles when all groups are durable. The groups are charged to the budget, and
// the run ends with flow.BudgetHeldError where that has no room for a page as well: give
// WithBudget more than the bound. States are measured with rxcql.SizeFunc: a new one at once, and
// all of them when the rows folded since the last time may have added a quarter to them. Where a
// fold suddenly adds much more to its state than the row has, that is seen only then. A string
// that is a key is copied; other keys, and what a state refers to, are kept as they are. A fold
// that keeps a rxcql.Row should Clone it.
//
// It is not resumable: no checkpoint has the groups. If reading is stopped (Pipeline.Stop), no
// group is handed on, since none is whole. An error of fold ends the stream, whatever
// rxcql.WithRowErrors says: without the row the state would be wrong.
func GroupBy[T any, K comparable, S any](in rxcql.Stream[T], key func(T) K, seed func() S, fold func(state S, row T) (S, error), opts ...GroupByOption) rxcql.Stream[Group[K, S]] {
	var cfg groupByConfig
	wrong := option.Apply(opts, &cfg, GroupByOption.applyGroupBy)
	if wrong == nil && cfg.groups == 0 && cfg.bytes == 0 {
		wrong = errors.New("no bound: give GroupByGroups or GroupByBytes")
	}
	info := rxcql.StageInfo{
		Name: "GroupBy", MixesRows: true, HoldsRows: true, NotResumable: true,
		NotResumableReason: "no checkpoint has its groups; fold rows that come together by GroupAdjacent, " +
			"or write the rows to a table with that key as its partition key and fold that",
		Err: errors.Join(required("the key function", key == nil), required("the seed function", seed == nil),
			required("the fold", fold == nil), wrong),
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[Group[K, S]]) error {
		g := &groupingBy[T, K, S]{st: st, out: out, key: key, seed: seed, fold: fold, size: rxcql.SizeFunc[T](), account: st.Account(false)}
		g.groups = newGroups[K, S](cfg, g.account)
		g.receipts = g.account.Reservation()
		return ending(func() error { return in.Subscribe(ctx, st, g) }, g.giveUp)
	}, in)
}

type groupingBy[T any, K comparable, S any] struct {
	st   *rxcql.Stage
	out  flow.Observer[Group[K, S]]
	key  func(T) K
	seed func() S
	fold func(S, T) (S, error)
	size func(*T) int

	account  *flow.Account
	groups   *groups[K, S]
	receipts *flow.Reservation // of all pages, without bytes; nil after Done
	behind   flow.Advances     // of all parts, held back until the groups have been handed on
}

func (g *groupingBy[T, K, S]) Next(_ context.Context, p *flow.Page[T]) error {
	g.behind.Add(p.Advance())
	if len(p.Rows) == 0 {
		return nil
	}
	groups, key, fold, grows := g.groups, g.key, g.fold, !g.groups.fixed
	var now *Group[K, S]
	for i := range p.Rows {
		of, isNew := key(p.Rows[i]), false
		if now == nil || of != now.Key {
			if now, isNew = groups.find(of); isNew {
				if now == nil {
					return g.full()
				}
				now.Value = g.seed()
			}
		}
		value, err := fold(now.Value, p.Rows[i])
		if err != nil {
			return g.st.FailUserFunc(err, p.Rows[i])
		}
		now.Value = value
		now.Rows++
		switch {
		case isNew && !groups.measureNew(now), !isNew && grows && !groups.grow(g.size(&p.Rows[i])):
			return g.full()
		}
	}
	groups.charge.to(groups.bytes, p.Reservation)
	g.receipts.Take(p.Reservation, 0)
	return nil
}

func (g *groupingBy[T, K, S]) full() error {
	return g.st.Fail(fmt.Errorf("%w: it keeps %d groups in %d bytes; give GroupByGroups or GroupByBytes more, "+
		"or fold rows that come together by GroupAdjacent", ErrGroupByFull, g.groups.n, g.groups.bytes))
}

func (g *groupingBy[T, K, S]) Done(ctx context.Context, stopped bool) error {
	held := g.receipts
	g.receipts = nil
	if stopped {
		g.groups.charge.reservation.Release()
		g.st.Abandon(held)
		return g.out.Done(ctx, true)
	}
	err := g.handOn(ctx, held)
	if err == nil {
		err = g.out.Done(ctx, false)
	}
	return err
}

// giveUp gives up the groups when the stream has ended with err.
func (g *groupingBy[T, K, S]) giveUp(err error) {
	g.groups.charge.reservation.Release()
	if g.receipts != nil {
		g.receipts.Finish(err)
	}
}

// handOn hands on all groups. Each page of them owes one receipt, which stands for those of all
// pages that were read: with a hold on each of these for each page there would be pages times
// pages.
func (g *groupingBy[T, K, S]) handOn(ctx context.Context, held *flow.Reservation) error {
	more := g.account.Reservation() // it moves while more follows
	more.AddReceipt(flow.NewReceipt(held.Settle))
	more.Emit()
	ended := errGone // stays if downstream does not return
	defer func() { more.Finish(ended) }()
	err := g.groups.each(func(rows []Group[K, S], bytes int64) error {
		p := &flow.Page[Group[K, S]]{Rows: rows, Reservation: g.account.Reservation()}
		p.Take(g.groups.charge.reservation, bytes)
		p.Take(more, 0)
		return flow.Emit(ctx, g.account, p, nil, g.out)
	})
	if err == nil {
		err = flow.Tell(ctx, g.account, &g.behind, g.out)
	}
	ended = err
	return err
}

// fixedSize reports whether values of a type refer to no memory, so that all have one size.
func fixedSize(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return fixedSize(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if !fixedSize(t.Field(i).Type) {
				return false
			}
		}
		return true
	case reflect.String, reflect.Interface, reflect.Pointer, reflect.Chan, reflect.UnsafePointer,
		reflect.Slice, reflect.Map, reflect.Func:
		return false
	}
	return true
}
