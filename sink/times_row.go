package sink

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
)

// moment is a write time in microseconds, and when what is written expires, in seconds since 1970.
type moment struct{ time, expires int64 }

// never is the expiry of what does not expire.
const never = math.MaxInt64

// piece is a value, or elements of one, that is written at one moment.
type piece struct {
	group  int32 // of timedEncoder.groups; untimed if it has no times
	slot   int32
	values int32 // how many values, or elements, it is
	cell   codec.Cell
}

const untimed = -1

// timedUnit is what is written of a row: its regular columns, or the static ones of its partition.
type timedUnit struct {
	key    []codec.Cell // the partition key, and the clustering columns unless they are static
	cells  []codec.Cell // bound ones: those of the key, then those of each write
	bound  int          // how many of the cells are the key's
	writes []timedWrite
	tally  timesTally
	reads  *statement // reads the lists that the table has; nil if it is not about to write one
	extra  bool       // static columns that came with a row, which is written by itself
}

// timedWrite is one statement, with its values.
type timedWrite struct {
	statement    *statement
	more         *statement // instead, if a write of the same list goes before
	first, after int32      // its cells, without those of the key
	moment
	values int32
	list   int32 // of a list: which one of its row, from 1
	column int32 // of a list: which one of its side's lists
	newest int64 // of a list: the newest time of its elements at the source
	least  int64 // of a list: it must not be written at an earlier time, see heldList
	left   bool  // of a list: it is not written
}

// timedEncoder turns rows with times into writes. It is used by one goroutine.
type timedEncoder struct {
	table   *schema.Table
	names   []string
	cfg     *timesConfig
	options planOptions
	lists   *listTimes
	marker  moment // of rows without values
	statics

	columns *rxcql.Columns // those that the plan is for
	plan    *timedPlan

	pieces  []piece
	groups  []moment
	groupOf map[moment]int32
	runs    []listRun
	newest  moment // the newest write time, and the latest expiry
	timed   bool   // there is one
	memory  []byte // of values that are put together
	scratch timesScratch

	units  []*timedUnit
	static timedUnit
	row    timedUnit
}

func newTimedEncoder(r *rxcql.Execution, table *schema.Table, names []string, cfg *timesConfig, o planOptions) *timedEncoder {
	e := &timedEncoder{table: table, names: names, cfg: cfg, options: o, lists: listTimesOf(r, table.ID), groupOf: map[moment]int32{}}
	e.marker = moment{cmp.Or(cfg.markerTime, time.Now().UnixMicro()), never}
	return e
}

// split returns the units of a row. They are valid until the next call.
func (e *timedEncoder) split(row *rxcql.Row) ([]*timedUnit, error) {
	if cols := row.Columns(); cols != e.columns {
		if err := e.prepare(cols); err != nil {
			return nil, err
		}
	}
	e.units, e.memory = e.units[:0], e.memory[:0]
	whole, err := e.key(row)
	if err != nil {
		return nil, err
	}
	if whole { // first: a row that fails must not count as one that has brought the static columns
		e.row.begin(false, e.row.key)
		if err := e.fill(&e.row, &e.plan.regular, row, false); err != nil {
			return nil, err
		}
		e.units = append(e.units, &e.row)
	}
	if len(e.plan.static.columns) > 0 && (!whole || e.fresh(e.plan, row)) {
		e.static.begin(whole, e.row.key[:e.plan.plan.parts])
		if err := e.fill(&e.static, &e.plan.static, row, true); err != nil {
			return nil, err
		}
		if whole {
			e.remember()
		}
		if len(e.static.writes) > 0 {
			e.units = append(e.units, &e.static)
		}
	}
	if len(e.units) == 0 {
		return nil, errors.New("the clustering columns are null, and there is no value of a static column to write")
	}
	return e.units, nil
}

func (e *timedEncoder) prepare(cols *rxcql.Columns) error {
	if cols == nil {
		return errors.New("the row is zero: it has no columns")
	}
	if e.columns == nil || !slices.EqualFunc(cols.List(), e.columns.List(), sameColumn) {
		plan, err := newTimedPlan(e.table, e.names, e.cfg, e.options, cols.List())
		if err != nil {
			return err
		}
		e.plan = plan
	}
	e.columns = cols
	return nil
}

// key reads the primary key. whole reports whether the row is more than static columns.
func (e *timedEncoder) key(row *rxcql.Row) (whole bool, err error) {
	p := e.plan
	nulls, missing := 0, 0
	e.row.key = e.row.key[:0]
	for i, at := range p.keys {
		b := row.Bytes(at)
		e.row.key = append(e.row.key, codec.Cell{Bytes: b, Null: b == nil})
		if b == nil {
			nulls, missing = nulls+1, i
		}
		if i < p.plan.parts && b == nil {
			break
		}
	}
	clustering := len(p.keys) - p.plan.parts
	switch {
	case nulls == 0:
		return p.whole, nil
	case missing >= p.plan.parts && nulls == clustering && len(p.static.columns) > 0:
		return false, nil
	}
	return false, fmt.Errorf("column %q is of the primary key and cannot be null", p.regular.keys[missing].Name)
}

func (u *timedUnit) begin(extra bool, key []codec.Cell) {
	u.key, u.extra, u.reads = key, extra, nil
	u.cells, u.writes, u.tally, u.bound = u.cells[:0], u.writes[:0], timesTally{}, 0
}

// fill makes the writes of the static columns, or of the regular ones.
func (e *timedEncoder) fill(u *timedUnit, side *timedSide, row *rxcql.Row, static bool) error {
	sign, cells, err := side.bindKeys(u.key, u.cells)
	if err != nil {
		return err
	}
	u.cells, u.bound = cells, len(cells)
	if err := e.collect(u, side, row); err != nil {
		return err
	}
	top, none := e.newest, len(e.pieces)+len(e.runs) == 0
	marks := !static && (none || e.cfg.markers == MarkersGuessed)
	slices.SortStableFunc(e.pieces, func(a, b piece) int { return cmp.Compare(a.group, b.group) })
	for from := 0; from < len(e.pieces) && err == nil; {
		to := from + 1
		for to < len(e.pieces) && e.pieces[to].group == e.pieces[from].group {
			to++
		}
		at, of := e.groups[e.pieces[from].group], e.pieces[from:to]
		from = to
		if marks && at == top {
			if whole := wholeFirst(of, side.slots); whole > 0 {
				marks = false
				u.tally.markers++
				if err = e.write(u, side, kindInsert, sign, of[:whole], at); err != nil {
					break
				}
				of = of[whole:]
			}
		}
		if len(of) > 0 {
			err = e.write(u, side, kindUpdate, sign, of, at)
		}
	}
	if err != nil {
		return err
	}
	if marks {
		if none {
			u.tally.keyOnly++
		} else {
			u.tally.markers++
		}
		if err := e.write(u, side, kindMarker, sign, nil, top); err != nil {
			return err
		}
	}
	return e.writeLists(u, side, sign)
}

// wholeFirst moves the pieces that an INSERT takes to the front, in their order, and returns how
// many these are.
func wholeFirst(pieces []piece, slots []slot) (n int) {
	slices.SortStableFunc(pieces, func(a, b piece) int {
		return cmp.Compare(min(1, slots[a.slot].form), min(1, slots[b.slot].form))
	})
	for n < len(pieces) && slots[pieces[n].slot].form == formWhole {
		n++
	}
	return n
}

func (e *timedEncoder) write(u *timedUnit, side *timedSide, kind byte, sign string, pieces []piece, at moment) (err error) {
	w := timedWrite{first: int32(len(u.cells)), moment: at}
	for _, p := range pieces {
		w.values += p.values
	}
	if w.statement, u.cells, err = side.statement(kind, sign, pieces, u.cells); err != nil {
		return err
	}
	w.after = int32(len(u.cells))
	u.writes = append(u.writes, w)
	return nil
}

// inColumn names a column, spelled as CQL. It has no values.
func inColumn(name string, t *codec.Type, err error) error {
	return fmt.Errorf("column %s (%s): %w", name, t, err)
}
