package cqlfake

import "time"

// found is a row that is read.
type found struct {
	partition *partition
	row       *row  // nil where the partition has static columns alone
	now       int64 // in seconds
	time      time.Time
}

// of is where the row has a column that is not of the key; nil for nowhere.
func (f found) of(c *column) *row {
	if c.static {
		return f.partition.static
	}
	return f.row
}

// cell is what the row has in a column that is not of the key, and is kept as a cell.
func (f found) cell(c *column) (cell, bool) {
	r := f.of(c)
	if r == nil {
		return cell{}, false
	}
	has, written := r.cells[c]
	return has, written && has.live(max(f.partition.deleted, r.deleted), f.now)
}

// value is what the row has in a column that is not of the key; nil for null.
func (f found) value(c *column) []byte {
	if r := f.of(c); c.parted && r != nil && r.parts[c] != nil {
		return r.parts[c].value(c.typ, max(f.partition.deleted, r.deleted), f.now)
	}
	if has, live := f.cell(c); live {
		return has.value
	}
	return nil
}
