package schema

import (
	"cmp"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
)

var (
	// ErrUnknownKeyspace says that the cluster has no such keyspace.
	ErrUnknownKeyspace = errors.New("no such keyspace")

	// ErrUnknownTable says that the keyspace has no such table or view.
	ErrUnknownTable = errors.New("no such table")
)

// Reader is what Load needs of a session; *driver.Session has it.
type Reader interface {
	Each(ctx context.Context, st driver.Statement, row func(host string, cells [][]byte) error) error
}

// Load reads the schema of one table, materialized view or virtual table. The
// names are exact, as ParseName gives them. For one that does not exist the
// error wraps ErrUnknownKeyspace or ErrUnknownTable and names what is near.
//
// It is several reads, one after another: of a schema that is being changed at
// that moment it may see parts from before and after.
func Load(ctx context.Context, q Reader, keyspace, table string) (*Table, error) {
	return load(ctx, q, keyspace, table, (*loader).columns)
}

// Find is Load without the columns: what the name stands for, and its ID. For a
// table that is one small read.
func Find(ctx context.Context, q Reader, keyspace, table string) (*Table, error) {
	return load(ctx, q, keyspace, table, func(*loader, context.Context, *Table) error { return nil })
}

func load(ctx context.Context, q Reader, keyspace, table string, rest func(*loader, context.Context, *Table) error) (*Table, error) {
	l := &loader{q: q, keyspace: keyspace}
	t, err := l.table(ctx, table)
	if err == nil {
		err = rest(l, ctx, t)
	}
	if err != nil {
		return nil, fmt.Errorf("schema of %s.%s: %w", Spell(keyspace), Spell(table), err)
	}
	return t, nil
}

type loader struct {
	q        Reader
	keyspace string
}

// each reads rows of a table that every node has for itself.
func (l *loader) each(ctx context.Context, row func(cells [][]byte) error, cql string, args ...any) error {
	one := gocql.One
	st := driver.Statement{CQL: cql, Args: args, Consistency: &one, Idempotent: true}
	return l.q.Each(ctx, st, func(_ string, cells [][]byte) error { return row(cells) })
}

// table finds what the name stands for.
func (l *loader) table(ctx context.Context, name string) (*Table, error) {
	var found *Table
	err := l.each(ctx, func(cells [][]byte) error {
		flags, err := driver.Texts(cells[1])
		found = &Table{ID: uuid(cells[0]), DefaultTTL: integer(cells[2])}
		found.Counter = slices.Contains(flags, "counter")
		found.Compact = len(flags) > 0 && !slices.Contains(flags, "compound") || slices.Contains(flags, "dense")
		return err
	}, "SELECT id, flags, default_time_to_live FROM system_schema.tables WHERE keyspace_name = ? AND table_name = ?",
		l.keyspace, name)
	if err == nil && found == nil {
		err = l.each(ctx, func(cells [][]byte) error {
			found = &Table{ID: uuid(cells[0]), View: true, BaseTable: string(cells[1]), DefaultTTL: integer(cells[2])}
			return nil
		}, "SELECT id, base_table_name, default_time_to_live FROM system_schema.views WHERE keyspace_name = ? AND view_name = ?",
			l.keyspace, name)
	}
	if err == nil && found == nil {
		err = l.virtual(ctx, func(cells [][]byte) error {
			found = &Table{Virtual: true}
			return nil
		}, "SELECT table_name FROM system_virtual_schema.tables WHERE keyspace_name = ? AND table_name = ?", l.keyspace, name)
	}
	if err == nil && found == nil {
		err = l.unknown(ctx, name)
	}
	if err != nil {
		return nil, err
	}
	found.Keyspace, found.Name = l.keyspace, name
	return found, nil
}

// virtual is each on the schema of virtual tables, which servers before
// Cassandra 4 and others do not have.
func (l *loader) virtual(ctx context.Context, row func(cells [][]byte) error, cql string, args ...any) error {
	err := l.each(ctx, row, cql, args...)
	if driver.Classify(err) == driver.Invalid {
		return nil
	}
	return err
}

func (l *loader) columns(ctx context.Context, t *Table) error {
	types := userTypes{loader: l}
	source := "system_schema.columns"
	if t.Virtual {
		source = "system_virtual_schema.columns"
	}
	var spelled []string
	err := l.each(ctx, func(cells [][]byte) error {
		kind, err := kindOf(string(cells[1]))
		t.Columns = append(t.Columns, Column{
			Name:       string(cells[0]),
			Kind:       kind,
			Position:   integer(cells[2]),
			Descending: string(cells[4]) == "desc",
			Type:       nil, // below: resolving it may read more
		})
		spelled = append(spelled, string(cells[3]))
		return err
	}, "SELECT column_name, kind, position, type, clustering_order FROM "+source+
		" WHERE keyspace_name = ? AND table_name = ?", t.Keyspace, t.Name)
	if err != nil {
		return err
	}
	for i := range t.Columns {
		typ, err := codec.Parse(spelled[i], func(name string) (*codec.Type, error) { return types.resolve(ctx, name) })
		if err != nil {
			return fmt.Errorf("column %s: %w", t.Columns[i].Name, err)
		}
		t.Columns[i].Type = typ
	}
	t.arrange()
	t.Dropped, err = l.dropped(ctx, t)
	return err
}

// dropsOf is for a table of which the columns are not needed, but those that it had once.
func (l *loader) dropsOf(ctx context.Context, t *Table) (err error) {
	t.Dropped, err = l.dropped(ctx, t)
	return err
}

// dropped are the times at which columns were dropped, as the server spells them.
func (l *loader) dropped(ctx context.Context, t *Table) (map[string]string, error) {
	if t.View || t.Virtual {
		return nil, nil //nolint:nilnil // none
	}
	times := map[string]string{}
	err := l.each(ctx, func(cells [][]byte) error {
		times[string(cells[0])] = string(cells[1])
		return nil
	}, "SELECT column_name, dropped_time FROM system_schema.dropped_columns WHERE keyspace_name = ? AND table_name = ?", t.Keyspace, t.Name)
	return times, err
}

// has reports whether the table has a column now.
func (l *loader) has(ctx context.Context, t *Table, column string) (found bool, err error) {
	err = l.each(ctx, func([][]byte) error {
		found = true
		return nil
	}, "SELECT column_name FROM system_schema.columns WHERE keyspace_name = ? AND table_name = ? AND column_name = ?", t.Keyspace, t.Name, column)
	return found, err
}

// arrange puts the columns into the order of a SELECT *, and the keys apart.
func (t *Table) arrange() {
	place := map[Kind]int{PartitionKey: 0, Clustering: 1, Static: 2, Regular: 3}
	slices.SortFunc(t.Columns, func(a, b Column) int {
		return cmp.Or(cmp.Compare(place[a.Kind], place[b.Kind]), cmp.Compare(a.Position, b.Position),
			cmp.Compare(a.Name, b.Name))
	})
	for _, c := range t.Columns {
		switch c.Kind {
		case PartitionKey:
			t.PartitionKey = append(t.PartitionKey, c)
		case Clustering:
			t.ClusteringKey = append(t.ClusteringKey, c)
		}
	}
}

func kindOf(s string) (Kind, error) {
	switch s {
	case "regular":
		return Regular, nil
	case "partition_key":
		return PartitionKey, nil
	case "clustering":
		return Clustering, nil
	case "static":
		return Static, nil
	}
	return 0, fmt.Errorf("the server has a kind of column that is not known here: %q", s)
}

func integer(cell []byte) int {
	if len(cell) != 4 {
		return 0
	}
	return int(int32(binary.BigEndian.Uint32(cell)))
}

func uuid(cell []byte) string {
	id, err := gocql.UUIDFromBytes(cell)
	if err != nil {
		return ""
	}
	return id.String()
}
