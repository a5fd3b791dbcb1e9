package operators

import (
	"context"
	"errors"
	"reflect"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Group is what GroupAdjacent makes of consecutive rows with the same key, and GroupBy of all rows
// with it.
type Group[K comparable, S any] struct {
	Key   K
	Value S
	Rows  int64 // how many rows went into it
}

// GroupAdjacent folds consecutive rows with the same key into one Group. Use it to aggregate by
// partition. A source reads a partition from its first row to its last before the next one; so only
// one group for each range being read is open at a time, however many groups there are and however
// large. The key must be determined by the partition key: with any other key there are several
// groups of one key, and nothing can check that (see GroupBy). seed makes the state that a group
// begins with. It is called for each group, so a map or a pointer belongs to that group alone.
//
//	perSensor := operators.GroupAdjacent(readings,
//		func(r Reading) string { return r.Sensor },
//		func() float64 { return 0 },
//		func(sum float64, r Reading) (float64, error) { return sum + r.Celsius, nil })
//
// Order and memory: a group ends when the key changes, or when its range has been read to the end.
// Groups go on in order; those that end in the same page go on together. For each range being read,
// GroupAdjacent holds one state, which is not charged to the budget, and the receipts of the pages
// that the group came from. These settle when the group is durable.
//
// Early ends: if an operator upstream ends the stream on purpose (Take), the open groups are handed
// on as they are. If reading is stopped (Pipeline.Stop), they are dropped and their pages are left
// unsettled, to be read again. An error of fold ends the stream, whatever rxcql.WithRowErrors says,
// since without the row the state would be wrong.
//
// In a job with a checkpoint:
//
//   - The key must be made of numbers, strings, arrays and structs. A time.Time has a pointer in
//     it: use its UnixMicro.
//   - It cannot stand before a sink that writes a file.
//   - key and fold may keep no state from row to row other than the state of the group (see Map).
//   - With the position in a range the checkpoint has a hash of the key of the group that was open
//     there. That group is durable as a whole, so rows of it that are read again are dropped, and
//     counted as filtered.
//   - A file may have grown since it was read to its end. The group that it ended with has been
//     handed on. If new rows belong to that group, the run fails with rxcql.ErrCheckpointForeign.
//     It also fails if rows of that group are read again in a page that has any new rows.
//
// rxcql.New refuses a stream in which rows of a partition do not arrive together.
func GroupAdjacent[T any, K comparable, S any](in rxcql.Stream[T], key func(T) K, seed func() S, fold func(state S, row T) (S, error)) rxcql.Stream[Group[K, S]] {
	info := rxcql.StageInfo{
		Name: "GroupAdjacent", HoldsRows: true, Adjacent: true,
		Err: errors.Join(required("the key function", key == nil),
			required("the seed function", seed == nil), required("the fold", fold == nil)),
	}
	info.NotResumable, info.NotResumableReason = unknownKeys(reflect.TypeFor[K]())
	if in.MixesRows() {
		info.Err = errors.Join(info.Err, errMixed(info.Name))
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[Group[K, S]]) error {
		g := &grouping[T, K, S]{
			st: st, out: out, account: st.Account(false),
			key: key, seed: seed, fold: fold, ranges: map[flow.PartID]*openGroup[K, S]{},
			times: map[flow.PartID]flow.Watermark{}, durable: map[flow.PartID][]byte{},
		}
		return ending(func() error { return in.Subscribe(ctx, st, g) }, g.giveUp)
	}, in)
}

type grouping[T any, K comparable, S any] struct {
	st      *rxcql.Stage
	out     flow.Observer[Group[K, S]]
	account *flow.Account
	key     func(T) K
	seed    func() S
	fold    func(S, T) (S, error)

	ranges map[flow.PartID]*openGroup[K, S]
	times  map[flow.PartID]flow.Watermark // the last watermark of each range that has one
	ended  []Group[K, S]                  // groups that ended in this page, reused

	durable map[flow.PartID][]byte // by range that an earlier run began: the snapshot of the group that it left; nil once its rows are past
}

// openGroup is the group of a range whose last row has not come yet.
type openGroup[K comparable, S any] struct {
	Group[K, S]
	reservation *flow.Reservation // receipts of the pages that it came from
	before      flow.Watermark    // watermark of the range before the page in which the group began
}

func (g *grouping[T, K, S]) Next(ctx context.Context, p *flow.Page[T]) error {
	if p.Range == flow.AllParts {
		return g.allParts(ctx, p)
	}
	open := g.ranges[p.PartID()]
	var before *flow.Reservation // of the group that was open before the page, if it ends
	var now Group[K, S]
	if open != nil {
		now = open.Group
	}
	rows, err := g.pastDurable(p)
	if err != nil {
		return err
	}
	for i := range rows {
		key := g.key(rows[i])
		if now.Rows == 0 || key != now.Key {
			if now.Rows > 0 {
				g.ended = append(g.ended, now)
			}
			now = Group[K, S]{Key: key, Value: g.seed()}
		}
		value, err := g.fold(now.Value, rows[i])
		if err != nil {
			return g.st.FailUserFunc(err, rows[i])
		}
		now.Value = value
		now.Rows++
	}
	if p.Last && now.Rows > 0 {
		g.ended = append(g.ended, now)
		now.Rows = 0
		if p.Grows() {
			snapshot := endSnapshot(p.Reservation, hashKey(now.Key))
			p.Snapshot(g.st.Name(), snapshot)
			if open != nil && len(g.ended) == 1 { // the pages before may be settled without this one
				open.reservation.Snapshot(g.st.Name(), snapshot)
			}
		}
	}
	if open != nil && len(g.ended) > 0 { // the first group that ended is the open one
		before, open = open.reservation, nil
		delete(g.ranges, p.PartID())
	}
	if now.Rows > 0 {
		open = g.hold(p, open, now)
	}
	said := p.Advance()
	defer p.Say(said)
	p.Watermark = g.watermark(p, open)
	if open != nil { // a group of earlier rows is still to come
		p.Idle = nil
	}
	if len(g.ended) == 0 && (open != nil || !p.Says()) {
		return nil
	}
	if before == nil {
		return g.handOn(ctx, p.Reservation)
	}
	// One page under one reservation: the group that was open is durable no earlier than the page
	// that it ended in.
	before.Take(p.Reservation, p.Bytes())
	before.Say(p.Advance())
	err = flow.Emit(ctx, g.account, &flow.Page[Group[K, S]]{Rows: g.ended, Reservation: before}, nil, g.out)
	g.gone()
	return err
}

// watermark returns how far the range has come, as far as downstream may know. open is the group
// that is open after the page, if any; its row may have an event time as early as its first row.
func (g *grouping[T, K, S]) watermark(p *flow.Page[T], open *openGroup[K, S]) flow.Watermark {
	now := p.Watermark
	if last := g.times[p.PartID()]; now.Before(last) {
		now = last
	}
	switch {
	case p.Last:
		delete(g.times, p.PartID())
	case now.Known():
		g.times[p.PartID()] = now
	}
	if open != nil {
		return open.before
	}
	return now
}

// hold keeps the group that is open at the end of a page, together with the page's receipt.
func (g *grouping[T, K, S]) hold(p *flow.Page[T], open *openGroup[K, S], now Group[K, S]) *openGroup[K, S] {
	if open == nil {
		open = &openGroup[K, S]{reservation: g.account.Reservation(), before: g.times[p.PartID()]}
		open.reservation.Position = p.Position
		g.ranges[p.PartID()] = open
	}
	open.Group = now
	if len(p.Rows) == 0 {
		return open // the page has the snapshot of the page before in any case
	}
	open.reservation.Take(p.Reservation, 0)
	if p.Tracked() {
		p.Snapshot(g.st.Name(), hashKey(now.Key))
	}
	return open
}

func (g *grouping[T, K, S]) handOn(ctx context.Context, reservation *flow.Reservation) error {
	err := g.out.Next(ctx, &flow.Page[Group[K, S]]{Rows: g.ended, Reservation: reservation})
	g.gone()
	return err
}

// gone notes that the groups that ended have been handed on.
func (g *grouping[T, K, S]) gone() {
	clear(g.ended)
	g.ended = g.ended[:0]
}
