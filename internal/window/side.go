package window

import (
	"cmp"
	"slices"
	"sort"
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

// Kept is a row that is kept.
type Kept[T any] struct {
	At     int64
	Row    T
	Paired bool // it has been joined with another
}

// keptRows are the rows of a key.
type keptRows[T any, K comparable] struct {
	key    K
	list   []Kept[T] // by time, and those of one time as they came
	gone   int       // so many of them have been dropped
	late   int       // so many at the end are as they came, and are put in order when that is needed
	number int64
	due    int64 // its place in the calendar
	places int   // how often it is there: once, or where it was due later before
}

// mostFree is how many keys without rows are kept for others to come, so that a key that comes and
// goes with each row costs no allocation, and mostPlaces how many rows these have room for.
// mostMoving is for how many rows that are put in order there stays room. A row is near its place
// if that is among the last so many.
const (
	mostFree   = 1024
	mostPlaces = 16
	mostMoving = 1024
	near       = 32
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
// included: by time, and those of one time as they came. The slice is valid until the next Add or
// Advance.
func (s *Side[T, K]) Within(key K, from, to int64) []Kept[T] {
	k := s.index[key]
	if k == nil {
		return nil
	}
	s.order(k)
	list := k.list[k.gone:]
	first := sort.Search(len(list), func(i int) bool { return list[i].At >= from })
	last := first + sort.Search(len(list)-first, func(i int) bool { return list[first+i].At > to })
	return list[first:last]
}

// Expires returns the time of the clock at which a row is dropped.
func (s *Side[T, K]) Expires(at int64) int64 { return at + s.cfg.Reach + 1 }

// Add keeps a row. A key that does not equal itself cannot be kept.
func (s *Side[T, K]) Add(at int64, key K, row T, paired bool) {
	k := s.index[key]
	if k == nil {
		k = s.add(key)
	}
	before := cap(k.list)
	k.list = append(k.list, Kept[T]{at, row, paired})
	last := len(k.list) - 1
	s.rows++
	s.bytes += int64(cap(k.list)-before)*s.place() + s.size(&k.list[last].Row)
	switch {
	case k.late > 0:
		k.late++
	case last == k.gone || k.list[last-1].At <= at: // in order
	case k.isNear(last, at):
		k.insert(last, k.list[last])
	default:
		k.late = 1
	}
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
	return s.slot + int64(s.cfg.SizeKey(&k.key)) + int64(cap(k.list))*s.place()
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

// isNear reports whether the place of a row that comes at the end of the list is so near that it is
// moved there at once.
func (k *keptRows[T, K]) isNear(end int, at int64) bool {
	first := max(k.gone, end-near)
	return first == k.gone || k.list[first].At <= at
}

// insert puts a row into its place among those before end, behind others of its time. There is room
// for it at end.
func (k *keptRows[T, K]) insert(end int, row Kept[T]) {
	place := k.place(end, row.At)
	copy(k.list[place+1:], k.list[place:end])
	k.list[place] = row
}

// place is where a row of a time belongs among those before end, which are in order.
func (k *keptRows[T, K]) place(end int, at int64) int {
	return k.gone + sort.Search(end-k.gone, func(i int) bool { return k.list[k.gone+i].At > at })
}

// order puts the rows of a key in order. To do so for each row, as it comes, would be to move the
// rows behind its place each time: that is quadratic where many rows of a key come in any order. So
// it is done once for all that have come since, which are a page or more where others ask for them.
func (s *Side[T, K]) order(k *keptRows[T, K]) {
	if k.late == 0 {
		return
	}
	end := len(k.list) - k.late
	late := k.list[end:]
	slices.SortStableFunc(late, func(a, b Kept[T]) int { return cmp.Compare(a.At, b.At) })
	s.moving = append(s.moving[:0], late...)
	for n := k.late; n > 0; n-- { // the last one first, and what is behind it by n places
		row := s.moving[n-1]
		place := k.place(end, row.At)
		copy(k.list[place+n:], k.list[place:end])
		k.list[place+n-1] = row
		end = place
	}
	k.late = 0
	clear(s.moving)
	if cap(s.moving) > mostMoving {
		s.moving = nil
	}
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
	var none Kept[T]
	for k.gone < len(k.list) && s.Expires(k.list[k.gone].At) <= t {
		row := &k.list[k.gone]
		if !row.Paired {
			alone++
		}
		s.rows--
		s.bytes -= s.size(&row.Row)
		*row = none
		k.gone++
	}
	left := len(k.list) - k.gone
	if left == 0 {
		s.bytes -= s.sizeOf(k)
		delete(s.index, k.key)
		s.forget(k)
		return alone
	}
	if k.gone >= left {
		before := cap(k.list)
		k.closeUp(left)
		s.bytes -= int64(before-cap(k.list)) * s.place()
	}
	s.schedule(k, s.Expires(k.list[k.gone].At))
	return alone
}

// forget keeps a key that has gone for another, unless the calendar still knows it.
func (s *Side[T, K]) forget(k *keptRows[T, K]) {
	var none K
	k.key, k.due, k.list, k.gone = none, Never, k.list[:0], 0
	if k.places == 0 && cap(k.list) <= mostPlaces && len(s.free) < mostFree {
		s.free = append(s.free, k)
	}
}

// closeUp moves the rows that are left to the beginning of the list, or of a shorter one.
func (k *keptRows[T, K]) closeUp(left int) {
	rows := k.list[k.gone:]
	if 4*left <= cap(k.list) {
		k.list, k.gone = append(make([]Kept[T], 0, 2*left), rows...), 0
		return
	}
	copy(k.list, rows)
	clear(k.list[left:])
	k.list, k.gone = k.list[:left], 0
}
