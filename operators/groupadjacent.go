package operators

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// Group is what GroupAdjacent makes of rows that came one after the other with
// the same key.
type Group[K comparable, S any] struct {
	Key   K
	Value S
	Rows  int64 // how many rows went into it
}

// errMixed is the error of an operator that needs rows of one partition to arrive together.
func errMixed(name string) error {
	return fmt.Errorf("rows of one partition do not arrive together any more: "+
		"put %s before the operator that mixes them (Merge, Batch, Rx, MapConcurrent with Unordered), "+
		"or leave out Unordered", name)
}

// unknownKeys reports whether keys of a type cannot be found again in another run, and why.
func unknownKeys(t reflect.Type) (unknown bool, why string) {
	if hashable(t) {
		return false, ""
	}
	return true, fmt.Sprintf("keys of type %v hold pointers, or what is not known, so they cannot be found again in another run; "+
		"make the key of numbers, strings, arrays and structs (of a time.Time its UnixMicro)", t)
}

// GroupAdjacent folds rows that come one after the other with the same key into
// one row a key. It is how to aggregate by partition: a source reads a partition
// from its first row to its last before the next one, so that no more than one
// group a range is open at a time, however large the groups and however many. The
// key must follow from the partition key. seed makes the state that a group begins
// with, and is called once a group, so that a map or a pointer belongs to one group
// alone.
//
//	perSensor := operators.GroupAdjacent(readings,
//		func(r Reading) string { return r.Sensor },
//		func() float64 { return 0 },
//		func(sum float64, r Reading) (float64, error) { return sum + r.Celsius, nil })
//
// Groups go on in order, those that end in a page together; a group ends when
// the key changes or its range has been read to the end. For each range being
// read it holds one state, and the receipts of the pages that the group came
// from: they settle when the group is durable. The state is not charged to the
// budget. If the stream is ended on purpose upstream (Take), the open groups are
// handed on as they are; if reading is stopped (Pipeline.Stop) they are dropped
// and their pages left unsettled, to be read again. An error of fold ends the
// stream, whatever rxcql.WithRowErrors says: without the row the state would be
// wrong.
//
// It is resumable where the key is made of numbers, strings, arrays and structs,
// but not before a sink that writes a file. The state of a group is all that key and fold
// may keep from row to row (see Map). A time.Time has a pointer in it: give
// its UnixMicro.
// With the position of a range a checkpoint has a hash of the key of the group that
// was open there; rows of that group that are read again are dropped, since it
// is durable as a whole, and counted as filtered. Where a file has grown by more rows of
// the group that it had ended with, that is rxcql.ErrCheckpointForeign; and so it is,
// where rows of that group are read again, if it has grown by any in their page.
//
// A stream in which rows of a partition do not arrive together is refused by
// rxcql.New.
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
		err := in.Subscribe(ctx, st, g)
		for _, open := range g.ranges {
			open.reservation.Finish(err)
		}
		return err
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
	times  map[flow.PartID]flow.Watermark // the last of each range that has one
	ended  []Group[K, S]                  // groups that ended in this page, reused

	durable map[flow.PartID][]byte // by range that an earlier run began: the group that it left, nil when its rows are past
}

// openGroup is the group of a range whose last row has not come yet.
type openGroup[K comparable, S any] struct {
	Group[K, S]
	reservation *flow.Reservation // receipts of the pages that it came from
	before      flow.Watermark    // of the range before the page that it began in
}

func (g *grouping[T, K, S]) Next(ctx context.Context, p *flow.Page[T]) error {
	open := g.ranges[p.PartID()]
	var before *flow.Reservation // of the group that the page found open, if it ends
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
	if open != nil && len(g.ended) > 0 { // the first that ended is the open one
		before, open = open.reservation, nil
		delete(g.ranges, p.PartID())
	}
	if now.Rows > 0 {
		open = g.hold(p, open, now)
	}
	said := p.Advance()
	defer p.Say(said)
	p.Watermark = g.watermark(p, open)
	if len(g.ended) == 0 && !p.Last && (open != nil || !p.Watermark.Known()) {
		return nil
	}
	if before == nil {
		return g.handOn(ctx, p.Reservation)
	}
	// One page under one reservation: the open group is no more durable than the page
	// that it ended in.
	before.Take(p.Reservation, p.Bytes())
	before.Emit()
	before.Say(p.Advance())
	err = g.handOn(ctx, before)
	before.Finish(err)
	return err
}

// watermark is how far the range has come as far as downstream may know, where open is the
// group that is open after the page, if any: its row may have a time as early as its first.
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

// hold keeps the group that is open at the end of a page, and the page's receipt
// for it.
func (g *grouping[T, K, S]) hold(p *flow.Page[T], open *openGroup[K, S], now Group[K, S]) *openGroup[K, S] {
	if open == nil {
		open = &openGroup[K, S]{reservation: g.account.Reservation(), before: g.times[p.PartID()]}
		open.reservation.Position = p.Position
		g.ranges[p.PartID()] = open
	}
	open.Group = now
	if len(p.Rows) == 0 {
		return open // the page has the snapshot of the one before, whatever becomes of that
	}
	open.reservation.Take(p.Reservation, 0)
	if p.Tracked() {
		p.Snapshot(g.st.Name(), hashKey(now.Key))
	}
	return open
}

func (g *grouping[T, K, S]) handOn(ctx context.Context, reservation *flow.Reservation) error {
	err := g.out.Next(ctx, &flow.Page[Group[K, S]]{Rows: g.ended, Reservation: reservation})
	clear(g.ended)
	g.ended = g.ended[:0]
	return err
}

func (g *grouping[T, K, S]) Done(ctx context.Context, stopped bool) error {
	for _, part := range slices.SortedFunc(maps.Keys(g.ranges), inReport) {
		open := g.ranges[part]
		delete(g.ranges, part)
		if stopped {
			g.st.Abandon(open.reservation)
			continue
		}
		open.reservation.Emit()
		open.reservation.Watermark = g.times[part]
		err := g.out.Next(ctx, &flow.Page[Group[K, S]]{Rows: []Group[K, S]{open.Group}, Reservation: open.reservation})
		open.reservation.Finish(err)
		if err != nil {
			return err
		}
	}
	return g.out.Done(ctx, stopped)
}

// inReport orders parts by their source, as sources are in the report, and their range.
func inReport(a, b flow.PartID) int {
	number := func(o *flow.Origin) int {
		if o == nil {
			return -1
		}
		return o.Number
	}
	return cmp.Or(cmp.Compare(number(a.Source), number(b.Source)), cmp.Compare(a.Range, b.Range))
}
