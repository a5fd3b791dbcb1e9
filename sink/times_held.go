package sink

import (
	"bytes"
	"encoding/binary"
	"math"
)

// heldList is what the table has of a list. A list that is copied is written later than its source
// has it (see listTimes), and so could replace one that is newer. So the table is asked first, and
// the two are compared by their own times. What is written between the two requests, by a writer
// with a true clock, is newer than any list that is copied.
type heldList struct {
	elements [][]byte
	newest   int64 // write time; noList if there is none
}

// noList is earlier than any write time.
const noList = math.MinInt64

// listRuns are the elements of a list that is copied, run by run: see listRun.
type listRuns [][][]byte

// verdict says whether a list is written whose newest element is of a time, and otherwise whether
// the table has another one, which stays. divided says that an earlier attempt may have written
// some of its runs alone. If not, a list that has some of them alone was made so by a writer.
func (h heldList) verdict(runs listRuns, newest int64, divided bool) (write, other bool) {
	if h.newest < newest {
		return true, false
	}
	same, part := h.compare(runs)
	switch {
	case same: // it was copied before
		return false, false
	case part && divided: // an earlier attempt ended in the middle
		return true, false
	}
	return false, true
}

// compare reports whether the table has the same elements, or some runs of several and nothing
// else.
func (h heldList) compare(runs listRuns) (same, part bool) {
	rest := h.elements
	for i, run := range runs {
		if len(rest) == 0 {
			return false, i > 0
		}
		if len(rest) < len(run) {
			return false, false
		}
		for k, element := range run {
			if !bytes.Equal(element, rest[k]) {
				return false, false
			}
		}
		rest = rest[len(run):]
	}
	return len(rest) == 0, false
}

// readHeld reads a list and its write times, as the server gives them.
func readHeld(value, times []byte) (heldList, error) {
	h := heldList{newest: noList}
	if value == nil {
		return h, nil
	}
	var err error
	if h.elements, err = elementsOf(value); err != nil {
		return h, err
	}
	all, err := elementsOf(times)
	if err != nil {
		return h, err
	}
	for _, t := range all {
		if len(t) != 8 {
			return h, errMalformed
		}
		h.newest = max(h.newest, int64(binary.BigEndian.Uint64(t)))
	}
	return h, nil
}

// elementsOf returns the elements of a list.
func elementsOf(value []byte) (all [][]byte, err error) {
	c := cut{rest: value}
	for range c.count() {
		all = append(all, c.value())
	}
	if c.bad {
		return nil, errMalformed
	}
	return all, nil
}

// weighLists decides which lists of a row are written, by what the table has. gone says that the
// row is not there, although other parts of it were written: it was deleted later.
func (b *batch) weighLists(row int, held []heldList, gone bool, now int64) error {
	t := &b.timed
	r := &t.rows[row]
	r.left = 0
	writes := t.writes[t.first(row):r.after]
	divided := b.mayBeDivided(row)
	for from := 0; from < len(writes); {
		to := from + 1
		if writes[from].list == 0 {
			from = to
			continue
		}
		for to < len(writes) && writes[to].list == writes[from].list {
			to++
		}
		list := writes[from:to]
		from = to
		runs, err := b.runsOf(list, now)
		if err != nil {
			return err
		}
		h := held[list[0].column]
		write, other := h.verdict(runs, list[0].newest, divided)
		if gone {
			write, other = false, true
		}
		if other && len(runs) > 0 {
			r.left++
		}
		for i := range list {
			list[i].left = !write
			if h.newest != noList && h.newest < math.MaxInt64 {
				list[i].least = h.newest + 1
			}
		}
	}
	return nil
}

// mayBeDivided reports whether the lists of a row may have been sent in several requests, also by
// an attempt that had somewhat less to send. A single request is written as a whole or not at all.
func (b *batch) mayBeDivided(row int) bool {
	t := &b.timed
	first, _ := b.cells(row)
	key := b.startOf(int32(first)+t.rows[row].bound) - b.startOf(int32(first))
	runs, bytes := 0, 0
	for _, w := range t.writes[t.first(row):t.rows[row].after] {
		if w.list > 0 {
			runs++
			bytes += int(key + b.startOf(w.after) - b.startOf(w.first))
		}
	}
	return runs > maxTimedStatements/2 || bytes > maxTimedBytes/2
}

// startOf returns where the bytes of a cell begin, which is where those of the one before end.
func (b *batch) startOf(cell int32) int32 {
	if cell == 0 {
		return 0
	}
	return b.ends[cell-1].at
}

// runsOf returns the elements of the writes of a list that have not expired.
func (b *batch) runsOf(list []timedWrite, now int64) (runs listRuns, err error) {
	for i := range list {
		if list[i].expires != never && list[i].expires <= now {
			continue
		}
		run, err := elementsOf(b.buf[b.startOf(list[i].first):b.ends[list[i].first].at])
		if err != nil {
			return nil, err
		}
		runs = append(runs, run)
	}
	return runs, nil
}
