package sink

import (
	"encoding/binary"
	"hash/maphash"
	"math"
	"sync"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
)

// listRun is elements of a list, one behind the other, that expire together. The first run of a
// list is written as the list, and the others are appended to it.
type listRun struct {
	slot   int32
	bytes  []byte
	values int32
	moment
	untimed bool
}

// list adds the elements of a list.
func (e *timedEncoder) list(t *timedTarget, value []byte) error {
	c := cut{rest: value}
	n := c.count()
	if c.bad {
		return errMalformed
	}
	if n != len(e.scratch.times) {
		return errCounts
	}
	first := len(e.runs)
	newest := moment{}
	run := e.scratch.elements[:0]
	for i, at := range e.scratch.times {
		if !at.known {
			return errNoTime
		}
		e.note(at.moment)
		if i == 0 || at.time > newest.time {
			newest.time = at.time
		}
		if i > 0 && at.expires != newest.expires {
			e.run(t, value, run, newest.expires)
			run = run[:0]
		}
		newest.expires = at.expires
		start := len(value) - len(c.rest)
		c.value()
		run = append(run, element{start: int32(start), end: int32(len(value) - len(c.rest))})
	}
	e.scratch.elements = run
	if c.bad || len(c.rest) > 0 {
		return errMalformed
	}
	if n > 0 {
		e.run(t, value, run, newest.expires)
	}
	for i := first; i < len(e.runs); i++ {
		e.runs[i].time = newest.time
	}
	return nil
}

func (e *timedEncoder) run(t *timedTarget, value []byte, of []element, expires int64) {
	r := listRun{slot: int32(t.slot), bytes: value, values: int32(len(of)), moment: moment{expires: expires}}
	if whole := 4 + int(of[len(of)-1].end-of[0].start); whole != len(value) {
		r.bytes = e.gather(value, of)
	}
	e.runs = append(e.runs, r)
}

// writeLists makes the writes of the lists of a row, or of its static columns.
func (e *timedEncoder) writeLists(u *timedUnit, side *timedSide, sign string) (err error) {
	n, at := int32(0), int64(0)
	for i, r := range e.runs {
		if i == 0 || r.slot != e.runs[i-1].slot {
			n++
			u.tally.lists++
			at = e.lists.after(u.key, r.slot, r.time)
			u.reads = side.reading(sign)
		}
		w := timedWrite{
			first: int32(len(u.cells)), moment: moment{at, r.expires}, values: r.values,
			list: n, column: side.listOf(r.slot), newest: r.time, least: math.MinInt64,
		}
		of := []piece{{slot: r.slot, cell: codec.Cell{Bytes: r.bytes}}}
		if w.statement, u.cells, err = side.statement(kindSet, sign, of, u.cells); err != nil {
			return err
		}
		w.after = int32(len(u.cells))
		if w.more, _, err = side.statement(kindAppend, sign, of, u.cells[w.after:]); err != nil {
			return err
		}
		u.writes = append(u.writes, w)
	}
	return nil
}

// listTimes gives the lists that a run writes into one table their write times. Lists that are not
// frozen double if they are written twice at one time, see clock. So each write of a list has a
// time of its own, whether it is of this run or of another: the newest time of its elements, and
// later by 1 µs for each listAge that these are old. With attempts that are repeated it may take
// up to attemptsPerRow of them. What comes to this sink sooner than that again is put behind the
// write before, as far as that is known.
//
// The sum is before the time at which the row was read, unless the list was new then and the row
// had to wait, since listAge is far above 1 µs. So what was written to the table since is newer.
// What was written to it before is compared, see heldList.
type listTimes struct {
	mu    sync.Mutex
	seed  maphash.Seed
	last  map[uint64]listTime // by key and column
	swept time.Time
	free  time.Time // from when on no list gets a time that this run has given
}

type listTime struct {
	at     int64 // the latest one that was given
	newest int64 // of the elements then
	used   time.Time
}

const (
	// listAge must be shorter than it takes to start a process that reads the same row again.
	listAge = 20 * time.Millisecond
	// listsKnown is how long writes of lists are remembered, and listsMany from how many on older
	// ones are forgotten.
	listsKnown = 2 * time.Second
	listsMany  = 4096
)

// listTimesFor names the times of lists of a table, by its id, among what a run shares.
type listTimesFor string

func listTimesOf(r *rxcql.Execution, tableID string) *listTimes {
	return r.Shared(listTimesFor(tableID), func() any {
		return &listTimes{seed: maphash.MakeSeed(), last: map[uint64]listTime{}}
	}).(*listTimes)
}

// after returns the time at which a list is written whose newest element is of a time.
func (l *listTimes) after(key []codec.Cell, slot int32, newest int64) int64 {
	now := time.Now()
	at := newest
	if current := now.UnixMicro(); current > newest {
		age := uint64(current) - uint64(newest) //nolint:gosec // as unsigned the distance cannot overflow
		at += int64(age / uint64(listAge.Microseconds()))
	}
	hash := maphash.Hash{}
	hash.SetSeed(l.seed)
	var length [4]byte
	for _, c := range key {
		binary.BigEndian.PutUint32(length[:], uint32(len(c.Bytes)))
		hash.Write(length[:])
		hash.Write(c.Bytes)
	}
	binary.BigEndian.PutUint32(length[:], uint32(slot))
	hash.Write(length[:])
	id := hash.Sum64()

	l.mu.Lock()
	defer l.mu.Unlock()
	own := at
	last, known := l.last[id]
	if known && at < last.at+attemptsPerRow && (last.newest == newest || at > last.at-attemptsPerRow) {
		at = last.at + attemptsPerRow
	}
	if !known || at > last.at {
		last.at, last.newest = at, newest
	}
	last.used = now
	l.last[id] = last
	if free := now.Add(time.Duration(at-own+attemptsPerRow) * listAge); free.After(l.free) {
		l.free = free
	}
	l.sweep(now)
	return at
}

// sweep forgets what is old, when there is much.
func (l *listTimes) sweep(now time.Time) {
	if len(l.last) < listsMany || now.Sub(l.swept) < listsKnown {
		return
	}
	l.swept = now
	for id, last := range l.last {
		if now.Sub(last.used) > listsKnown {
			delete(l.last, id)
		}
	}
}

// longestWait bounds wait. Only the same row, many times within milliseconds, would need more.
const longestWait = 3 * time.Second

// wait returns when a run that begins then gives no list a time that this one has given.
func (l *listTimes) wait() {
	l.mu.Lock()
	free := l.free
	l.mu.Unlock()
	if !free.IsZero() {
		time.Sleep(min(longestWait, time.Until(free)))
	}
}
