package transfer

import (
	"context"
	"encoding/binary"
	"fmt"
	"strings"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// repairWrite is a statement, or some, of a Repair.
type repairWrite struct {
	kind   writeKind
	row    rxcql.Row // for writeRow and writeValues
	key    [][]byte  // for deleteAt, encoded for the target
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
func (j *RepairJob) writeAll(ctx context.Context, rows *rowPair, m *rowMaker) (rxcql.Report, error) {
	items := source.NDJSON[repairItem](j.folder.file(plannedName), source.MaxLine(1<<30))
	todo := operators.Filter(items, func(i repairItem) bool { return i.Planned })
	decided := operators.MapConcurrent(throttled(todo, &j.cfg.config), rereadsInFlight,
		func(ctx context.Context, i repairItem) ([]repairWrite, error) { return j.writes(ctx, rows, m, i) })
	writes := operators.FlatMap(decided, func(all []repairWrite, emit func(repairWrite) bool) error {
		for _, w := range all {
			if !emit(w) {
				break
			}
		}
		return nil
	})
	p, err := rxcql.New(writes, j.writers(m), append(j.cfg.unsaved(), j.folder.step("write"))...)
	if err != nil {
		return rxcql.Report{}, err
	}
	return j.run(ctx, p)
}

// writers returns the sink that takes writes of all kinds.
func (j *RepairJob) writers(m *rowMaker) rxcql.Sink[repairWrite] {
	table := func(opts ...sink.TimesOption) rxcql.Sink[repairWrite] {
		opts = append(opts, sink.CountTimes(&j.counts))
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
	remove := sink.Each(func(ctx context.Context, w repairWrite) error { return j.delete(ctx, m.c, w) },
		sink.InFlight(16), sink.Idempotent())
	return sink.Route(func(w repairWrite) int { return int(w.kind) },
		table(), table(sink.Markers(sink.MarkersNone)), remove)
}

// writes looks at an item once more and says what is to be written.
func (j *RepairJob) writes(ctx context.Context, rows *rowPair, m *rowMaker, item repairItem) (all []repairWrite, err error) {
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
		key, err := m.key(item.Key)
		if err != nil {
			return nil, err
		}
		all = append(all, repairWrite{kind: deleteAt, key: key, static: item.Static, del: d})
	}
	return all, nil
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

// delete deletes at the time that was read. To do it again does no harm.
func (j *RepairJob) delete(ctx context.Context, c *comparison, w repairWrite) error {
	pairs := c.regular
	if w.static {
		pairs = c.static
	}
	what, args := "", []any(nil)
	if w.del.pair >= 0 {
		column := pairs[w.del.pair].right
		what = schema.Quote(column.Name) + " "
		switch {
		case w.del.element == nil:
		case column.Type.Kind == codec.UDT:
			what = schema.Quote(column.Name) + "." + schema.Quote(string(w.del.element)) + " "
		default:
			what = schema.Quote(column.Name) + "[?] "
			args = append(args, &driver.Value{Bytes: w.del.element})
		}
	}
	// The element's marker comes first in the text, then the time, then the key.
	args = append(args, &driver.Value{Bytes: binary.BigEndian.AppendUint64(nil, uint64(w.del.time))}) //nolint:gosec // its bits
	where := make([]string, len(w.key))
	for i, cell := range w.key {
		where[i] = schema.Quote(c.key[i].right.Name) + " = ?"
		args = append(args, &driver.Value{Bytes: cell})
	}
	st := driver.Statement{
		CQL:  fmt.Sprintf("DELETE %sFROM %s USING TIMESTAMP ? WHERE %s", what, c.right.Quoted(), strings.Join(where, " AND ")),
		Args: args, Consistency: j.consistency(), Idempotent: true,
	}
	return rxcql.Retry(ctx, rxcql.MayPass, func() error { return j.right.session.Exec(ctx, st) })
}

// consistency returns that of writes.
func (j *RepairJob) consistency() *gocql.Consistency { return j.cfg.write }
