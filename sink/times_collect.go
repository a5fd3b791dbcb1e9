package sink

import (
	"math"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/schema"
)

// collect finds the pieces of all values, and their moments.
func (e *timedEncoder) collect(u *timedUnit, side *timedSide, row *rxcql.Row) error {
	e.pieces, e.groups, e.runs = e.pieces[:0], e.groups[:0], e.runs[:0]
	clear(e.groupOf)
	e.newest, e.timed = moment{math.MinInt64, math.MinInt64}, false
	for i := range side.columns {
		t := &side.columns[i]
		if value := row.Bytes(t.value); value != nil {
			if err := e.column(u, t, value, row); err != nil {
				return inColumn(schema.Quote(t.Name), t.Type, err)
			}
		}
	}
	if !e.timed {
		e.newest = e.marker
	}
	for i := range e.pieces {
		if e.pieces[i].group == untimed {
			e.pieces[i].group = e.group(e.newest)
			u.tally.untimed += int64(e.pieces[i].values)
		}
	}
	for i := range e.runs {
		if e.runs[i].untimed {
			e.runs[i].moment = e.newest
			u.tally.untimed++
		}
	}
	return nil
}

// group returns the number of a moment among those of the row.
func (e *timedEncoder) group(m moment) int32 {
	if last := len(e.groups) - 1; last >= 0 && e.groups[last] == m {
		return int32(last)
	}
	n, known := e.groupOf[m]
	if !known {
		n = int32(len(e.groups))
		e.groups = append(e.groups, m)
		e.groupOf[m] = n
	}
	return n
}

// note notes that a value was written then.
func (e *timedEncoder) note(m moment) {
	e.newest.time, e.newest.expires, e.timed = max(e.newest.time, m.time), max(e.newest.expires, m.expires), true
}
