package transfer

import (
	"context"
	"fmt"
	"slices"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// repairWrite is a statement, or some, of a Repair.
type repairWrite struct {
	kind   writeKind
	row    rxcql.Row // for writeRow and writeValues
	key    [][]byte  // for deleteAt, encoded for the target
	from   [][]byte  // the same key, encoded as the source has it
	static bool
	del    deletion
}

type writeKind int

const (
	writeRow    writeKind = iota // a row that the target does not have
	writeValues                  // values of a row that it has
	deleteAt
)

// writeAll writes what differs of all items, as it is now.
//
// Lists come in a step of their own, into rows that can be read then. A list has to be written
// later than the source has it (sink.Times), and so would come back, alone, in a row that was
// deleted between these two times.
func (j *RepairJob) writeAll(ctx context.Context, rows *rowPair, m *rowMaker, lists bool) (rxcql.Report, error) {
	if lists && !m.hasLists() {
		return rxcql.Report{Complete: true}, nil
	}
	step := "write"
	if lists {
		step = "lists"
	}
	items := source.NDJSON[repairItem](j.folder.file(plannedName), source.MaxLine(1<<30))
	todo := operators.Filter(items, func(i repairItem) bool { return i.Planned })
	decided := operators.MapConcurrent(throttled(todo, &j.cfg.config), rereadsInFlight,
		func(ctx context.Context, i repairItem) ([]repairWrite, error) {
			return j.writes(ctx, rows, m, i, lists)
		})
	writes := operators.FlatMap(decided, func(all []repairWrite, emit func(repairWrite) bool) error {
		for _, w := range all {
			if !emit(w) {
				break
			}
		}
		return nil
	})
	p, err := rxcql.New(writes, j.writers(rows, m), append(j.cfg.unsaved(), j.folder.step(step))...)
	if err != nil {
		return rxcql.Report{}, err
	}
	return j.run(ctx, p)
}

// writers returns the sink that takes writes of all kinds.
func (j *RepairJob) writers(rows *rowPair, m *rowMaker) rxcql.Sink[repairWrite] {
	table := func(opts ...sink.TimesOption) rxcql.Sink[repairWrite] {
		opts = slices.Concat(j.cfg.timesOptions, opts, []sink.TimesOption{sink.CountTimes(&j.counts)})
		if j.cfg.lossy {
			opts = append(opts, sink.Lossy())
		}
		var all []sink.TableOption
		for _, opt := range j.cfg.writes() {
			all = append(all, opt)
		}
		return sink.Through(func(in rxcql.Stream[repairWrite]) rxcql.Stream[rxcql.Row] {
			return operators.Map(in, func(w repairWrite) (rxcql.Row, error) { return w.row, nil })
		}, sink.Table[rxcql.Row](j.right.Session, j.right.quoted(), append(all, sink.Times(opts...))...))
	}
	remove := sink.Each(func(ctx context.Context, w repairWrite) error { return j.remove(ctx, rows, w) },
		sink.InFlight(16), sink.Idempotent())
	return sink.Route(func(w repairWrite) int { return int(w.kind) },
		table(), table(sink.Markers(sink.MarkersNone)), remove)
}

// writes looks at an item once more and says what is to be written: lists, or all else.
func (j *RepairJob) writes(ctx context.Context, rows *rowPair, m *rowMaker, item repairItem, lists bool) (all []repairWrite, err error) {
	s, err := rows.look(ctx, item.Key, item.Static)
	if err != nil {
		if _, unread := unreadable(err); unread {
			return nil, nil // the outcome will say so
		}
		return nil, err
	}
	var r remedy
	rows.with(&s, func(v *viewPair) {
		if r = m.c.decide(v, s, item.Static, &j.cfg); r.insert {
			r.writes = m.all(v.left, s.left, item.Static)
		}
	})
	m.divide(&r, item.Static, lists)
	if r.insert || len(r.writes) > 0 {
		kind := writeValues
		if r.insert && !item.Static {
			kind = writeRow
		}
		row, err := m.make(item.Key, item.Static, r.writes)
		if err != nil {
			return nil, err
		}
		all = append(all, repairWrite{kind: kind, row: row})
	}
	for _, d := range r.deletions {
		if item.Until == nil || d.time > *item.Until {
			continue // written since it was planned: it may be on its way to the source too
		}
		key, err := m.key(item.Key)
		if err != nil {
			return nil, err
		}
		all = append(all, repairWrite{kind: deleteAt, key: key, from: item.Key, static: item.Static, del: d})
	}
	return all, nil
}

// divide leaves of what is to be done the lists, or all else. A row that has nothing but lists is
// written at once.
func (m *rowMaker) divide(r *remedy, static, lists bool) {
	pairs := m.c.regular
	if static {
		pairs = m.c.static
	}
	list := func(w valueWrite) bool { return isList(pairs[w.pair].left.Type) }
	only := len(r.writes) > 0 && !slices.ContainsFunc(r.writes, func(w valueWrite) bool { return !list(w) })
	switch {
	case lists && r.insert: // it could not be read after it was written
		*r = remedy{}
	case lists:
		r.writes = slices.DeleteFunc(r.writes, func(w valueWrite) bool { return !list(w) })
		r.deletions = nil
	case !r.insert || !only:
		r.writes = slices.DeleteFunc(r.writes, list)
	}
}

func (m *rowMaker) hasLists() bool {
	return slices.ContainsFunc(slices.Concat(m.c.static, m.c.regular), func(p columnPair) bool { return isList(p.left.Type) })
}

// key encodes a key for the target.
func (m *rowMaker) key(key [][]byte) ([][]byte, error) {
	to := make([][]byte, len(key))
	for i, cell := range key {
		var err error
		if to[i], err = widened(m.row.keys[i], cell); err != nil {
			return nil, fmt.Errorf("key column %q: %w", m.c.key[i].left.Name, err)
		}
	}
	return to, nil
}

// consistency returns that of writes.
func (j *RepairJob) consistency() *gocql.Consistency { return j.cfg.write }
