package parquet

import (
	"fmt"
	"sort"
	"strconv"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// part is what one worker reads in one piece: rows of one row group. Its range has the numbers of
// its rows, counted from 1 over all files.
type part struct {
	index    int
	span     flow.TokenRange
	track    *flow.Track // nil unless an earlier run began the part
	file     *file
	group    int
	from, to int64 // in the row group, counted from 0
}

// parts returns what is to be read: what has begun first, then the rest in its order.
func (d *dataset) parts(done []flow.TokenRange, begun []*flow.Track) ([]part, error) {
	var all []flow.TokenRange
	for _, f := range d.files {
		for g := range f.groups {
			if n := f.rowsIn(g); n > 0 {
				start := f.before + f.groups[g]
				all = append(all, flow.TokenRange{Start: start, End: start + n})
			}
		}
	}
	var parts []part
	add := func(span flow.TokenRange, track *flow.Track) error {
		p, err := d.part(span)
		if err != nil {
			return err
		}
		p.index, p.track = len(parts), track
		parts = append(parts, p)
		return nil
	}
	for _, t := range begun {
		if err := add(t.Range(), t); err != nil {
			return nil, err
		}
	}
	for _, span := range flow.Remaining(all, done, begun) {
		if err := add(span, nil); err != nil {
			return nil, err
		}
	}
	return parts, nil
}

// part finds the row group of a range of rows.
func (d *dataset) part(span flow.TokenRange) (part, error) {
	damaged := fmt.Errorf("%w: rows %v are not rows of one row group", rxcql.ErrCheckpointDamaged, span)
	i := sort.Search(len(d.files), func(i int) bool { return d.files[i].before > span.Start }) - 1
	for ; i >= 0 && d.files[i].rows == 0; i-- { // files without rows begin where the one before ends
	}
	if span.Start < 0 || span.Start >= d.rows || i < 0 {
		return part{}, damaged
	}
	f := d.files[i]
	row := span.Start - f.before
	g := f.groupOf(row)
	for ; g > 0 && f.rowsIn(g) == 0; g-- {
	}
	p := part{span: span, file: f, group: g, from: row - f.groups[g]}
	if p.to = p.from + span.End - span.Start; p.to <= p.from || p.to > f.rowsIn(g) {
		return part{}, damaged
	}
	return p, nil
}

// state is where a later run goes on: so many rows of the part have been read.
func state(rows int64) []byte { return strconv.AppendInt(nil, rows, 10) }

// rowOf reads a state.
func rowOf(state []byte) (int64, error) {
	if state == nil {
		return 0, nil
	}
	n, err := strconv.ParseInt(string(state), 10, 64)
	if err != nil || n < 0 {
		return 0, fmt.Errorf("%w: a position in a file cannot be read", rxcql.ErrCheckpointDamaged)
	}
	return n, nil
}
