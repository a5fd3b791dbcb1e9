package operators

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"reflect"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// DistinctAdjacent hands on the first of the rows that come one after the other with the same
// key; the others are counted as filtered in the report. A key that comes again later, behind
// another one, goes on again: that takes Distinct. Rx calls it distinctUntilChanged.
//
// Rows come one after the other where they do so within a part of a source (a token range, a
// file), across its pages. Parts that are read in parallel do not touch each other, however
// their pages interleave, nor does a part the one behind it. A stream in which rows of one
// partition do not arrive together is refused by rxcql.New.
//
// Order is kept, and rows go on a page at a time, in the goroutine that brings them. It holds
// no rows, only the last key of each part that is being read, which is not charged to the
// budget. A key that keeps memory alive (bytes of a page, say) does so until the next page.
//
// It is resumable where the key is made of numbers, strings, arrays and structs, also before a
// sink that writes a file: a checkpoint has a hash of the key of the last row. A time.Time has
// a pointer in it: give its UnixMicro. In a job it cannot stand before or behind a
// GroupAdjacent, or another DistinctAdjacent.
func DistinctAdjacent[T any, K comparable](in rxcql.Stream[T], key func(T) K) rxcql.Stream[T] {
	info := rxcql.StageInfo{
		Name: "DistinctAdjacent", Drops: true, Adjacent: true,
		Err: required("the key function", key == nil),
	}
	info.NotResumable, info.NotResumableReason = unknownKeys(reflect.TypeFor[K]())
	if in.MixesRows() {
		info.Err = errors.Join(info.Err, errMixed(info.Name))
	}
	return rxcql.Lift(in, info, func(st *rxcql.Stage, out flow.Observer[T]) flow.Observer[T] {
		return &changing[T, K]{st: st, out: out, key: key, parts: map[flow.PartID]*lastKey[K]{}}
	})
}

type changing[T any, K comparable] struct {
	st    *rxcql.Stage
	out   flow.Observer[T]
	key   func(T) K
	parts map[flow.PartID]*lastKey[K] // those being read
	rows  []T                         // reused from page to page
}

// lastKey is the key of the last row of a part.
type lastKey[K comparable] struct {
	key   K
	known bool
	hash  []byte // of the last key of an earlier run, until the first row of this one; or nil
}

func (c *changing[T, K]) Next(ctx context.Context, p *flow.Page[T]) error {
	if p.Range == flow.AllParts {
		if p.Last {
			maps.DeleteFunc(c.parts, func(part flow.PartID, _ *lastKey[K]) bool { return part.Source == p.Source })
		}
		return flow.HandOn(ctx, p, p.Rows, c.out)
	}
	part := p.PartID()
	last := c.parts[part]
	if last == nil {
		last = &lastKey[K]{hash: p.Restored(c.st.Name())}
		c.parts[part] = last
	}
	rows := c.changed(p.Rows, last)
	if p.Last {
		delete(c.parts, part)
	}
	if len(p.Rows) > 0 && p.Tracked() { // before rows go on: the page may be settled then
		p.Snapshot(c.st.Name(), hashKey(last.key))
	}
	if len(rows) == len(p.Rows) {
		return flow.HandOn(ctx, p, p.Rows, c.out)
	}
	return handOn(ctx, p, rows, c.out)
}

// changed are the rows whose key is not that of the row before: all of those given, if as many.
func (c *changing[T, K]) changed(rows []T, last *lastKey[K]) []T {
	if len(rows) == 0 {
		return nil
	}
	key := c.key
	now := key(rows[0])
	if last.hash != nil {
		last.key, last.known = now, bytes.Equal(hashKey(now), last.hash)
		last.hash = nil
	}
	same := 0
	if !last.known || now != last.key {
		for same = 1; same < len(rows); same++ {
			next := key(rows[same])
			if next == now {
				break
			}
			now = next
		}
	}
	if same == len(rows) {
		last.key, last.known = now, true
		return rows
	}
	if cap(c.rows) < len(rows) {
		c.rows = make([]T, len(rows))
	}
	kept := c.rows[:len(rows)]
	n := copy(kept, rows[:same])
	for i := same + 1; i < len(rows); i++ { // the row at same goes: its key is now
		if next := key(rows[i]); next != now {
			now = next
			kept[n] = rows[i]
			n++
		}
	}
	last.key, last.known = now, true
	return kept[:n]
}

func (c *changing[T, K]) Done(ctx context.Context, stopped bool) error {
	return c.out.Done(ctx, stopped)
}
