package window

import (
	"slices"
	"unsafe"
)

// Side keeps the rows of one side of a join by time: each until no row of the other side that is
// still to come can be in its reach.
type Side[T any, K comparable] struct {
	cfg SideConfig[T, K]

	index    map[K]*keptRows[T, K]
	calendar calendar[*keptRows[T, K]] // a key may be in it earlier than it is due, never later
	number   int64                     // of keys so far
	free     []*keptRows[T, K]         // of keys that have gone, to be used again
	rows     int64
	bytes    int64
	slot     int64 // what a key takes besides its rows
	moving   []Kept[T]
}

// SideConfig says what a Side keeps.
type SideConfig[T any, K comparable] struct {
	// Reach is how much later than a row a row of the other side may be that is joined with it. It
	// is negative if all of these are earlier.
	Reach int64

	SizeRow func(*T) int
	SizeKey func(*K) int
	Keep    func(K) K // makes a key fit to be kept
}

// mostFree is how many keys without rows are kept for others to come, so that a key that comes and
// goes with each row costs no allocation, and mostPlaces how many rows these have room for.
const (
	mostFree   = 1024
	mostPlaces = 16
)

// NewSide returns a side without any rows.
func NewSide[T any, K comparable](cfg SideConfig[T, K]) *Side[T, K] {
	var key K
	place := 2 * (unsafe.Sizeof(key) + unsafe.Sizeof(uintptr(0))) // a map is half full at times
	slot := unsafe.Sizeof(keptRows[T, K]{}) - unsafe.Sizeof(key) + place + 2*unsafe.Sizeof(entry[*keptRows[T, K]]{})
	return &Side[T, K]{cfg: cfg, index: map[K]*keptRows[T, K]{}, slot: int64(slot)} //nolint:gosec // sizes of types
}

// Rows returns how many rows are kept.
func (s *Side[T, K]) Rows() int64 { return s.rows }

// Bytes returns how many bytes they take, with what is needed to find them.
func (s *Side[T, K]) Bytes() int64 { return s.bytes }

// Within returns the rows of a key that are kept and whose times are from one time to another, both
// included. They are valid until the next Add or Advance.
func (s *Side[T, K]) Within(key K, from, to int64) Matches[T] {
	k := s.index[key]
	if k == nil {
		return Matches[T]{}
	}
	s.order(k)
	m := Matches[T]{list: between(k.list[k.gone:], from, to)}
	if k.late != nil {
		m.late = between(k.late.rows, from, to)
	}
	return m
}

// Expires returns the time of the clock at which a row is dropped.
func (s *Side[T, K]) Expires(at int64) int64 { return at + s.cfg.Reach + 1 }

// Add keeps a row. A key that does not equal itself cannot be kept.
func (s *Side[T, K]) Add(at int64, key K, row T, paired bool) {
	k := s.index[key]
	if k == nil {
		k = s.add(key)
	}
	before := k.room()
	added := k.add(Kept[T]{at, row, paired})
	s.rows++
	s.bytes += int64(k.room()-before)*s.place() + s.size(&added.Row)
	if due := s.Expires(at); due < k.due {
		s.schedule(k, due)
	}
}

// place is what a row takes besides what it refers to.
func (s *Side[T, K]) place() int64 { return int64(unsafe.Sizeof(Kept[T]{})) } //nolint:gosec // size of a type

// size is what a row refers to.
func (s *Side[T, K]) size(row *T) int64 {
	return int64(s.cfg.SizeRow(row)) - int64(unsafe.Sizeof(*row)) //nolint:gosec // size of a type
}

// sizeOf is what a key takes, with room for rows.
func (s *Side[T, K]) sizeOf(k *keptRows[T, K]) int64 {
	return s.slot + int64(s.cfg.SizeKey(&k.key)) + int64(k.room())*s.place()
}

// add makes a key known.
func (s *Side[T, K]) add(key K) *keptRows[T, K] {
	var k *keptRows[T, K]
	if last := len(s.free) - 1; last >= 0 {
		k, s.free[last] = s.free[last], nil
		s.free = s.free[:last]
	} else {
		k = &keptRows[T, K]{}
	}
	s.number++
	k.key, k.number, k.due = s.cfg.Keep(key), s.number, Forever
	s.index[k.key] = k
	s.bytes += s.sizeOf(k)
	return k
}

// order puts the rows of a key in order that came out of it. See lateRows.
func (s *Side[T, K]) order(k *keptRows[T, K]) {
	if k.late == nil {
		return
	}
	before := k.room()
	k.order(&s.moving)
	s.bytes += int64(k.room()-before) * s.place()
}

func (s *Side[T, K]) schedule(k *keptRows[T, K], due int64) {
	k.due = due
	k.places++
	s.calendar.push(due, k.number, k)
}

// Advance moves the clock to t, before which no row of the other side comes any more, and drops the
// rows that none can reach. alone is how many of them were joined with no other.
func (s *Side[T, K]) Advance(t int64) (alone int) {
	for s.calendar.isDue(t) {
		e := s.calendar.pop()
		k := e.of
		k.places--
		if k.due == e.due {
			alone += s.drop(k, t)
		}
	}
	return alone
}

// drop drops rows of a key, and the key with the last of them.
func (s *Side[T, K]) drop(k *keptRows[T, K], t int64) (alone int) {
	s.order(k)
	k.gone += s.dropOf(k.list[k.gone:], t, &alone)
	if k.late != nil {
		gone := s.dropOf(k.late.rows, t, &alone)
		if k.late.rows = slices.Delete(k.late.rows, 0, gone); len(k.late.rows) == 0 {
			s.bytes -= int64(cap(k.late.rows)) * s.place()
			k.late = nil
		}
	}
	left := len(k.list) - k.gone
	if left == 0 { // and none is late: see lateRows
		s.bytes -= s.sizeOf(k)
		delete(s.index, k.key)
		s.forget(k)
		return alone
	}
	if k.gone >= left {
		before := k.room()
		k.closeUp(left)
		s.bytes -= int64(before-k.room()) * s.place()
	}
	s.schedule(k, s.Expires(k.first()))
	return alone
}

// dropOf clears the first of some rows that are in order, and returns how many.
func (s *Side[T, K]) dropOf(rows []Kept[T], t int64, alone *int) (gone int) {
	for gone < len(rows) && s.Expires(rows[gone].At) <= t {
		row := &rows[gone]
		if !row.Paired {
			*alone++
		}
		s.rows--
		s.bytes -= s.size(&row.Row)
		*row = Kept[T]{}
		gone++
	}
	return gone
}

// forget keeps a key that has gone for another, unless the calendar still knows it.
func (s *Side[T, K]) forget(k *keptRows[T, K]) {
	var none K
	k.key, k.due, k.list, k.gone = none, Never, k.list[:0], 0
	if k.places == 0 && cap(k.list) <= mostPlaces && len(s.free) < mostFree {
		s.free = append(s.free, k)
	}
}
