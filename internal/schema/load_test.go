package schema_test

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// tables answers reads by the table that they are of; a missing one is empty,
// and a row may be an error.
type tables map[string][]any

func (f tables) Each(_ context.Context, st driver.Statement, row func(string, [][]byte) error) error {
	_, from, _ := strings.Cut(st.CQL, " FROM ")
	for _, r := range f[strings.Fields(from)[0]] {
		if err, ok := r.(error); ok {
			return err
		}
		if err := row("host", r.([][]byte)); err != nil {
			return err
		}
	}
	return nil
}

func texts(all ...string) []byte {
	cell := binary.BigEndian.AppendUint32(nil, uint32(len(all)))
	for _, text := range all {
		cell = append(binary.BigEndian.AppendUint32(cell, uint32(len(text))), text...)
	}
	return cell
}

func number(n int32) []byte { return binary.BigEndian.AppendUint32(nil, uint32(n)) }

func column(name, kind string, position int32, typ string) [][]byte {
	return [][]byte{[]byte(name), []byte(kind), number(position), []byte(typ), []byte("none")}
}

func oneTable(columns ...any) tables {
	return tables{
		"system_schema.tables":  {[][]byte{[]byte("0123456789abcdef"), texts("compound"), number(0)}},
		"system_schema.columns": columns,
	}
}

func TestColumnsComeInTheOrderOfAStar(t *testing.T) {
	table, err := schema.Load(t.Context(), oneTable(
		column("z", "regular", -1, "int"), column("a", "regular", -1, "int"), column("s", "static", -1, "int"),
		column("p2", "partition_key", 1, "int"), column("c", "clustering", 0, "int"), column("p1", "partition_key", 0, "int"),
	), "ks", "t")
	require.NoError(t, err)
	require.Equal(t, []string{"p1", "p2", "c", "s", "a", "z"}, table.ColumnNames())
	require.Equal(t, "30313233-3435-3637-3839-616263646566", table.ID)
	require.Equal(t, `"ks"."t"`, table.Quoted())
	_, found := table.Column("nope")
	require.False(t, found)
}

func TestSchemasThatCannotBeAreErrorsAndNoLoops(t *testing.T) {
	f := oneTable(column("k", "partition_key", 0, "int"), column("v", "regular", -1, "frozen<a>"))
	f["system_schema.types"] = []any{
		[][]byte{[]byte("a"), texts("x"), texts("frozen<b>")},
		[][]byte{[]byte("b"), texts("x"), texts("list<frozen<a>>")},
	}
	_, err := schema.Load(t.Context(), f, "ks", "t")
	require.ErrorContains(t, err, "holds itself")

	f["system_schema.types"] = []any{[][]byte{[]byte("a"), texts("x", "y"), texts("int")}}
	_, err = schema.Load(t.Context(), f, "ks", "t")
	require.ErrorContains(t, err, "2 fields and 1 types")

	f["system_schema.types"] = nil
	_, err = schema.Load(t.Context(), f, "ks", "t")
	require.ErrorContains(t, err, "no user-defined type a in keyspace ks")

	_, err = schema.Load(t.Context(), oneTable(column("k", "compact_value", 0, "int")), "ks", "t")
	require.ErrorContains(t, err, `"compact_value"`)
}

func TestNamesInErrorsCanBeWrittenAsTheyAreShown(t *testing.T) {
	f := tables{"system_schema.keyspaces": {[][]byte{[]byte("MixedCase")}}}
	_, err := schema.Load(t.Context(), f, "mixedcase", "mytable")
	require.EqualError(t, err, `schema of mixedcase.mytable: no such keyspace: mixedcase; did you mean "MixedCase"?`)

	_, err = schema.Load(t.Context(), listing{f, "MyTable"}, "MixedCase", "mytable")
	require.EqualError(t, err, `schema of "MixedCase".mytable: no such table: mytable in keyspace "MixedCase"; did you mean "MyTable"?`)
}

// listing has one table, which is found by listing all only.
type listing struct {
	tables
	name string
}

func (l listing) Each(ctx context.Context, st driver.Statement, row func(string, [][]byte) error) error {
	if strings.HasPrefix(st.CQL, "SELECT table_name FROM system_schema.tables") {
		return row("host", [][]byte{[]byte(l.name)})
	}
	return l.tables.Each(ctx, st, row)
}

func TestAFailedReadIsNotAMissingTable(t *testing.T) {
	down := errors.New("no answer")
	for _, table := range []string{"system_schema.tables", "system_schema.views", "system_virtual_schema.tables", "system_schema.keyspaces"} {
		_, err := schema.Load(t.Context(), tables{table: {down}}, "ks", "t")
		require.ErrorIs(t, err, down, table)
		require.NotErrorIs(t, err, schema.ErrUnknownTable, table)
	}
}

func TestServersWithoutVirtualTablesAreServed(t *testing.T) {
	f := tables{"system_schema.keyspaces": {[][]byte{[]byte("ks")}}}
	for _, table := range []string{"tables", "keyspaces"} {
		f["system_virtual_schema."+table] = []any{refused{}}
	}
	_, err := schema.Load(t.Context(), f, "ks", "t")
	require.ErrorIs(t, err, schema.ErrUnknownTable)
}

// refused is a server's answer that a table does not exist.
type refused struct{}

func (refused) Error() string   { return "table does not exist" }
func (refused) Code() int       { return 0x2200 }
func (refused) Message() string { return "table does not exist" }
