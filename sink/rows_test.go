package sink_test

import (
	"database/sql"
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/sink"
)

type nullable struct {
	P int64            `cql:"p"`
	C *int32           `cql:"c"`
	V sql.Null[string] `cql:"v"`
}

func TestANullIsUnsetUnlessNullsDelete(t *testing.T) {
	c := int32(1)
	for _, nulls := range []any{sink.Unset{}, sink.Null{}} {
		var opts []sink.TableOption
		if nulls == any(sink.Null{}) {
			opts = append(opts, sink.NullsDelete())
		}
		server := &recorder{}
		_, err := run(t, sequence(nullable{P: 1, C: &c}), sink.TableOn[nullable](server.send, events(), opts...))
		require.NoError(t, err)
		require.Equal(t, nulls, server.rows()[0].Values[2])
	}
}

func TestANullPrimaryKeyIsThatRowsError(t *testing.T) {
	c := int32(1)
	server := &recorder{}
	_, err := run(t, sequence(nullable{P: 1, C: &c}, nullable{P: 2}), sink.TableOn[nullable](server.send, events()))
	var row *rxcql.RowError
	require.ErrorAs(t, err, &row)
	require.Equal(t, 1, row.Row)
	require.ErrorContains(t, err, `column "c" is of the primary key and cannot be null`)
}

func TestTTLAndTimestampComeFromTheRow(t *testing.T) {
	server := &recorder{}
	_, err := run(t, sequence(event{P: 1, C: 7}, event{P: 1, C: 0}), sink.TableOn[event](server.send, events(),
		sink.TTLOf(func(e event) time.Duration { return time.Duration(e.C) * time.Second }),
		sink.TimestampOf(func(e event) int64 { return 1000 + int64(e.C) })))
	require.NoError(t, err)
	rows := server.rows()
	require.Equal(t, `INSERT INTO "ks"."t" ("p","c","v") VALUES (?,?,?) USING TIMESTAMP ? AND TTL ?`, rows[0].CQL)
	require.EqualValues(t, 7, rows[0].TTL)
	require.EqualValues(t, 0, rows[1].TTL)
	require.EqualValues(t, 1007, rows[0].Timestamp)
	require.EqualValues(t, 1000, rows[1].Timestamp)
}

func TestWhatTTLOfAndTimestampMayNotReturnIsTheRowsError(t *testing.T) {
	for name, opt := range map[string]sink.TableOption{
		"TTLOf: a time to live must be whole seconds": sink.TTLOf(func(event) time.Duration { return time.Millisecond }),
		"must not be negative":                        sink.TTLOf(func(event) time.Duration { return -time.Second }),
		"at most 20 years":                            sink.TTLOf(func(event) time.Duration { return 200_000 * time.Hour }),
		"TimestampOf must return a number above 0":    sink.TimestampOf(func(event) int64 { return 0 }),
	} {
		_, err := run(t, sequence(event{}), sink.TableOn[event]((&recorder{}).send, events(), opt))
		var row *rxcql.RowError
		require.ErrorAs(t, err, &row, name)
		require.ErrorContains(t, err, name)
	}
}

func TestAPanicInAnOptionsFunctionIsTheSinks(t *testing.T) {
	_, err := run(t, sequence(event{}), sink.TableOn[event]((&recorder{}).send, events(),
		sink.TimestampOf(func(event) int64 { panic("no") })))
	var stage *rxcql.StageError
	require.ErrorAs(t, err, &stage)
	require.ErrorIs(t, err, rxcql.ErrPanic)
	require.Equal(t, "Table ks.t", stage.Stage)
	require.NotEmpty(t, stage.Stack)
}

func TestDeleteBindsTheTimestampAndTheKey(t *testing.T) {
	server := &recorder{}
	_, err := run(t, sequence(event{P: 1, C: 2, V: "not looked at"}), sink.TableOn[event](server.send, events(), sink.Delete()))
	require.NoError(t, err)
	row := server.rows()[0]
	require.Equal(t, `DELETE FROM "ks"."t" USING TIMESTAMP ? WHERE "p"=? AND "c"=?`, row.CQL)
	require.Equal(t, []any{[]byte{0, 0, 0, 0, 0, 0, 0, 1}, []byte{0, 0, 0, 2}}, row.Values)
}

func TestRowsAreCopiedByteForByteByName(t *testing.T) {
	cols := rxcql.NewColumns([]rxcql.Column{{Name: "v", Type: typ("text")}, {Name: "c", Type: typ("int")}, {Name: "p", Type: typ("bigint")}})
	row := rxcql.NewRow(cols, [][]byte{{'x'}, {1, 2, 3, 4}, {1, 2, 3, 4, 5, 6, 7, 8}})
	null := rxcql.NewRow(cols, [][]byte{nil, {1, 2, 3, 5}, {1, 2, 3, 4, 5, 6, 7, 8}})
	server := &recorder{}
	_, err := run(t, sequence(row, null), sink.TableOn[rxcql.Row](server.send, events()))
	require.NoError(t, err)
	rows := server.rows()
	require.Equal(t, []any{[]byte{1, 2, 3, 4, 5, 6, 7, 8}, []byte{1, 2, 3, 4}, []byte{'x'}}, rows[0].Values)
	require.Equal(t, sink.Unset{}, rows[1].Values[2])
}

func TestRowsWithOtherColumnsThanTheTableAreRefused(t *testing.T) {
	cols := rxcql.NewColumns([]rxcql.Column{{Name: "p", Type: typ("bigint")}, {Name: "V", Type: typ("text")}, {Name: "v", Type: typ("blob")}})
	row := rxcql.NewRow(cols, [][]byte{{1}, {1}, {1}})
	_, err := run(t, sequence(row), sink.TableOn[rxcql.Row]((&recorder{}).send, events()))
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.ErrorContains(t, err, `no column "V"; did you mean "v"`)
	require.ErrorContains(t, err, `column "c" (int) is of the primary key, and the rows do not have it`)
	require.ErrorContains(t, err, `column "v" (text) and the row's column (blob)`)
}

func TestAPartitionWithStaticColumnsOnlyIsWritten(t *testing.T) {
	about := tableOf(column("p", schema.PartitionKey, "bigint"), column("c", schema.Clustering, "int"),
		column("s", schema.Static, "text"), column("v", schema.Regular, "text"))
	type row struct {
		P int64   `cql:"p"`
		C *int32  `cql:"c"`
		S *string `cql:"s"`
		V *string `cql:"v"`
	}
	s, c := "s", int32(1)
	server := &recorder{}
	_, err := run(t, sequence(row{P: 1, S: &s}, row{P: 1, S: &s, C: &c}), sink.TableOn[row](server.send, about))
	require.NoError(t, err)
	require.Equal(t, `INSERT INTO "ks"."t" ("p","s") VALUES (?,?) USING TIMESTAMP ?`, server.rows()[0].CQL)
	require.Equal(t, `INSERT INTO "ks"."t" ("p","c","s","v") VALUES (?,?,?,?) USING TIMESTAMP ?`, server.rows()[1].CQL)
}

func TestTuplesAreWrittenElementByElement(t *testing.T) {
	about := tableOf(column("p", schema.PartitionKey, "bigint"), column("c", schema.Clustering, "int"),
		column("v", schema.Regular, "tuple<int, tuple<int, text>>"))
	cols := rxcql.NewColumns([]rxcql.Column{{Name: "p", Type: typ("bigint")}, {Name: "c", Type: typ("int")},
		{Name: "v", Type: typ("tuple<int, tuple<int, text>>")}})
	one := []byte{0, 0, 0, 1}
	whole := tuple(one, tuple(nil, []byte("t")))
	for _, c := range []struct {
		bytes []byte
		opts  []sink.TableOption
		terms string
		want  []any
	}{
		{whole, nil, `"c","v") VALUES (?,?,(?,(?,?)))`, []any{one, sink.Null{}, []byte("t")}},
		{whole, []sink.TableOption{sink.NullsDelete()}, `"c","v") VALUES (?,?,(?,(?,?)))`, []any{one, sink.Null{}, []byte("t")}},
		{tuple(one, nil), nil, `"c","v") VALUES (?,?,(?,null))`, []any{one}},
		{tuple(one), nil, `"c","v") VALUES (?,?,(?,null))`, []any{one}}, // as written before the type grew
		{nil, nil, `"c") VALUES (?,?)`, nil},
		{nil, []sink.TableOption{sink.NullsDelete()}, `"c","v") VALUES (?,?,null)`, nil},
	} {
		server := &recorder{}
		row := rxcql.NewRow(cols, [][]byte{make([]byte, 8), one, c.bytes})
		_, err := run(t, sequence(row), sink.TableOn[rxcql.Row](server.send, about, c.opts...))
		require.NoError(t, err)
		require.Contains(t, server.rows()[0].CQL, c.terms)
		require.Equal(t, c.want, append([]any(nil), server.rows()[0].Values[2:]...))
	}
	for _, bad := range [][]byte{{}, {1}, {0, 0, 0, 9, 1}, append(tuple(one, nil), 0, 0, 0, 0)} {
		row := rxcql.NewRow(cols, [][]byte{make([]byte, 8), one, bad})
		_, err := run(t, sequence(row), sink.TableOn[rxcql.Row]((&recorder{}).send, about))
		var where *rxcql.RowError
		require.ErrorAs(t, err, &where)
		require.ErrorContains(t, err, `column "v" (tuple<int, `)
	}
}

func TestTheAttemptsOfARowWithAListStayBelowTheNextRow(t *testing.T) {
	about := tableOf(column("p", schema.PartitionKey, "bigint"), column("c", schema.Clustering, "int"),
		column("v", schema.Regular, "list<text>"))
	type row struct {
		P int64    `cql:"p"`
		C int32    `cql:"c"`
		V []string `cql:"v"`
	}
	server := &recorder{}
	_, err := run(t, sequence(row{V: []string{"a"}}, row{V: []string{"b"}}), sink.TableOn[row](server.send, about))
	require.NoError(t, err)
	rows := server.rows()
	require.EqualValues(t, sink.AttemptsPerRow, rows[1].Timestamp-rows[0].Timestamp)
}

func TestATextForManyRowsIsPreparedForSizesThatComeAgain(t *testing.T) {
	require.Empty(t, sink.ManifoldText("INSERT", 6, 100, 4))
	require.Equal(t, "BEGIN UNLOGGED BATCH INSERT;INSERT; APPLY BATCH", sink.ManifoldText("INSERT", 6, 2, 5))
	require.Empty(t, sink.ManifoldText("INSERT", 50, 100, 50), "it would crowd the server's cache")
}

func typ(cql string) *rxcql.ColumnType {
	t, err := codec.Parse(cql, nil)
	if err != nil {
		panic(err)
	}
	return t
}

func tuple(elems ...[]byte) []byte {
	b := []byte{}
	for _, e := range elems {
		if e == nil {
			b = binary.BigEndian.AppendUint32(b, 1<<32-1)
			continue
		}
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(e))), e...)
	}
	return b
}

func TestPartitionsOfACompositeKeyAreToldApart(t *testing.T) {
	about := tableOf(column("a", schema.PartitionKey, "text"), column("b", schema.PartitionKey, "text"),
		column("c", schema.Clustering, "int"))
	type row struct {
		A string `cql:"a"`
		B string `cql:"b"`
		C int32  `cql:"c"`
	}
	server := &recorder{}
	_, err := run(t, sequence(row{A: "x", B: "yz"}, row{A: "xy", B: "z"}, row{A: "x", B: "yz", C: 1}, row{A: "x", B: "z"}),
		sink.TableOn[row](server.send, about))
	require.NoError(t, err)
	require.Len(t, server.sent, 3)
}
