package window

import (
	"cmp"
	"slices"
	"sort"
)

// Kept is a row that is kept.
type Kept[T any] struct {
	At     int64
	Row    T
	Paired bool // it has been joined with another
}

// keptRows are the rows of a key.
type keptRows[T any, K comparable] struct {
	key    K
	list   []Kept[T]    // by time, and those of one time as they came
	gone   int          // so many of them have been dropped
	late   *lateRows[T] // rows that came far out of order; nil if there are none
	number int64
	due    int64 // its place in the calendar
	places int   // how often it is there: once, or where it was due later before
}

// lateRows are rows of a key that came far out of order. To move all rows of the list behind their
// place, for each of them, would be quadratic where many rows of a key come in any order. So they
// are apart, at most mostLate of them where rows are asked for, and go into the list together.
//
// Each is earlier than the last row of the list, and came later than those of its time in the list.
type lateRows[T any] struct {
	rows   []Kept[T] // in the order of list, without the last ones
	fresh  int       // so many at the end are as they came, and are put in order when that is needed
	latest int64     // no row is later
}

// near is how far from the end of the list the place of a row may be, for the row to be moved there
// at once. mostMoving is for how many rows that are put in order there stays room.
const (
	near       = 32
	mostLate   = 1024
	mostMoving = 1024
)

// room is for how many rows there is room.
func (k *keptRows[T, K]) room() int {
	if k.late == nil {
		return cap(k.list)
	}
	return cap(k.list) + cap(k.late.rows)
}

// first is the time of the earliest row. There must be one, and the late ones must be in order.
func (k *keptRows[T, K]) first() int64 {
	if k.late == nil {
		return k.list[k.gone].At
	}
	return min(k.list[k.gone].At, k.late.rows[0].At)
}

// add keeps a row, and returns where it is until the next one is added or the rows are put in
// order.
func (k *keptRows[T, K]) add(row Kept[T]) *Kept[T] {
	end := len(k.list)
	switch {
	case end == k.gone || k.list[end-1].At <= row.At: // in order
		k.list = append(k.list, row)
		return &k.list[end]
	case k.isNear(row.At):
		place := k.gone + firstBehind(k.list[k.gone:], row.At)
		k.list = slices.Insert(k.list, place, row)
		return &k.list[place]
	case k.late == nil:
		k.late = &lateRows[T]{latest: row.At}
	}
	l := k.late
	last := len(l.rows)
	if l.fresh > 0 || last > 0 && l.rows[last-1].At > row.At {
		l.fresh++
	}
	l.rows, l.latest = append(l.rows, row), max(l.latest, row.At)
	return &l.rows[last]
}

// isNear reports whether the place of a row is near the end of the list, so that it is moved there
// at once.
func (k *keptRows[T, K]) isNear(at int64) bool {
	if k.late != nil && k.late.latest >= at {
		return false // it would be before one of its time that came earlier
	}
	first := max(k.gone, len(k.list)-near)
	return first == k.gone || k.list[first].At <= at
}

// order puts the late rows in order, and all of them into the list where they are many. There must
// be some.
func (k *keptRows[T, K]) order(moving *[]Kept[T]) {
	l := k.late
	if l.fresh > 0 {
		merge(l.rows, len(l.rows)-l.fresh, moving)
		l.fresh = 0
	}
	if len(l.rows) > mostLate {
		end := len(k.list) - k.gone
		k.list = append(k.list, l.rows...)
		merge(k.list[k.gone:], end, moving)
		k.late = nil
	}
}

// closeUp moves the rows of the list that are left to its beginning, or to a shorter one.
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

// merge puts rows in order of which those before end are so. The others go behind those of their
// time.
func merge[T any](rows []Kept[T], end int, moving *[]Kept[T]) {
	others := rows[end:]
	slices.SortStableFunc(others, func(a, b Kept[T]) int { return cmp.Compare(a.At, b.At) })
	move := append((*moving)[:0], others...)
	for n := len(move); n > 0; n-- { // the last one first, and what is behind it by n places
		place := firstBehind(rows[:end], move[n-1].At)
		copy(rows[place+n:], rows[place:end])
		rows[place+n-1] = move[n-1]
		end = place
	}
	clear(move)
	if *moving = move; cap(move) > mostMoving {
		*moving = nil
	}
}

// firstBehind is where the rows behind a time begin, in rows that are in order.
func firstBehind[T any](rows []Kept[T], at int64) int {
	return sort.Search(len(rows), func(i int) bool { return rows[i].At > at })
}

// between are the rows from one time to another, of rows that are in order.
func between[T any](rows []Kept[T], from, to int64) []Kept[T] {
	first := sort.Search(len(rows), func(i int) bool { return rows[i].At >= from })
	return rows[first : first+firstBehind(rows[first:], to)]
}

// Matches are rows by time, and those of one time as they came.
type Matches[T any] struct {
	list, late []Kept[T]
}

// Next takes the next row out. It returns nil if there is none.
func (m *Matches[T]) Next() *Kept[T] {
	from := &m.list
	if len(m.late) > 0 && (len(m.list) == 0 || m.late[0].At < m.list[0].At) {
		from = &m.late
	}
	if len(*from) == 0 {
		return nil
	}
	next := &(*from)[0]
	*from = (*from)[1:]
	return next
}
