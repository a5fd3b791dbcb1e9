package ddl_test

import (
	"context"
	"encoding/binary"
	"math"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/ddl"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// tables has the rows of system tables, by a part of the statement that reads them.
type tables map[string][][][]byte

func (t tables) Each(_ context.Context, st driver.Statement, row func(string, [][]byte) error) error {
	for part, rows := range t {
		if !strings.Contains(st.CQL, part) {
			continue
		}
		for _, cells := range rows {
			if err := row("", cells); err != nil {
				return err
			}
		}
	}
	return nil
}

func row(cells ...string) (all [][]byte) {
	for _, c := range cells {
		all = append(all, []byte(c))
	}
	return all
}

func option(name, value string) ddl.Option { return ddl.Option{Name: name, Value: value} }

func textMap(pairs ...string) []byte {
	out := binary.BigEndian.AppendUint32(nil, uint32(len(pairs)/2))
	for _, text := range pairs {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(text))), text...)
	}
	return out
}

func TestATableIsMadeWithItsKeysStaticsOrderAndOptions(t *testing.T) {
	text, number := &codec.Type{Kind: codec.Text}, &codec.Type{Kind: codec.Int}
	key := schema.Column{Name: "Key", Kind: schema.PartitionKey, Type: text}
	at := schema.Column{Name: "select", Kind: schema.Clustering, Type: number, Descending: true}
	table := &schema.Table{
		Keyspace: "ks", Name: `a"b`, PartitionKey: []schema.Column{key}, ClusteringKey: []schema.Column{at},
		Columns: []schema.Column{key, at, {Name: "s", Kind: schema.Static, Type: text},
			{Name: "v", Type: &codec.Type{Kind: codec.Map, Elems: []*codec.Type{text, {Kind: codec.UDT, Name: "Addr", Frozen: true}}}}},
	}
	require.Equal(t, `CREATE TABLE IF NOT EXISTS "ks"."a""b" ("Key" text, "select" int, "s" text static, "v" map<text, frozen<"Addr">>, `+
		`PRIMARY KEY (("Key"), "select")) WITH CLUSTERING ORDER BY ("select" DESC) AND comment = 'it''s' AND cdc = true`,
		ddl.CreateTable(table, []ddl.Option{{Name: "comment", Value: "'it''s'"}, {Name: "cdc", Value: "true"}}))
}

func TestTypesComeBeforeThoseThatContainThem(t *testing.T) {
	text := &codec.Type{Kind: codec.Text}
	inner := &codec.Type{Kind: codec.UDT, Name: "inner", Frozen: true, Fields: []codec.Field{{Name: "Street", Type: text}}}
	outer := &codec.Type{Kind: codec.UDT, Name: "outer", Fields: []codec.Field{
		{Name: "all", Type: &codec.Type{Kind: codec.List, Frozen: true, Elems: []*codec.Type{inner}}}}}
	columns := []schema.Column{{Name: "a", Type: &codec.Type{Kind: codec.Set, Elems: []*codec.Type{outer}}}, {Name: "b", Type: inner}}
	types := ddl.Types(columns)
	require.Equal(t, []*codec.Type{inner, outer}, types)
	require.Equal(t, `CREATE TYPE IF NOT EXISTS "ks"."inner" ("Street" text)`, ddl.CreateType("ks", inner))
	require.Equal(t, `CREATE TYPE IF NOT EXISTS "ks"."outer" ("all" frozen<list<frozen<inner>>>)`, ddl.CreateType("ks", outer))
	require.True(t, ddl.UserType{Fields: []string{"Street"}, Types: []string{"text"}}.Like(inner))
	require.False(t, ddl.UserType{Fields: []string{"Street"}, Types: []string{"int"}}.Like(inner))
}

func TestOptionsAreReadByTheTypesThatTheServerGivesThem(t *testing.T) {
	server := tables{
		"system_schema.columns": {row("id", "uuid"), row("comment", "text"), row("cdc", "boolean"), row("gc_grace_seconds", "int"),
			row("crc_check_chance", "double"), row("compaction", "frozen<map<text, text>>"), row("extensions", "frozen<map<text, blob>>"), row("memtable", "text")},
		"system_schema.tables": {{{1}, []byte("it's"), textMap("class", "x", "a", "it's"), binary.BigEndian.AppendUint64(nil, math.Float64bits(0.5)), {0, 0, 0, 7}, nil}},
	}
	options, err := ddl.Options(context.Background(), server, &schema.Table{Keyspace: "ks", Name: "t"})
	require.NoError(t, err)
	require.Equal(t, []ddl.Option{option("cdc", "true"), option("comment", "'it''s'"), option("compaction", "{'a': 'it''s', 'class': 'x'}"),
		option("crc_check_chance", "0.5"), option("gc_grace_seconds", "7")}, options)
}

func TestOptionsThatAnotherServerDoesNotHaveAreToldApart(t *testing.T) {
	server := tables{"system_schema.columns": {row("comment", "text"), row("read_repair", "text"), row("read_repair_chance", "double")}}
	fit, unknown, err := ddl.Fit(context.Background(), server, []ddl.Option{option("comment", "''"), option("allow_auto_snapshot", "true"), option("read_repair_chance", "0")})
	require.NoError(t, err)
	require.Equal(t, []ddl.Option{option("comment", "''")}, fit)
	require.Equal(t, []ddl.Option{option("allow_auto_snapshot", "true")}, unknown)
}

func TestIndexesAreMadeAsTheyAre(t *testing.T) {
	server := tables{"system_schema.indexes": {
		{[]byte("plain"), textMap("target", "city")},
		{[]byte("Odd"), textMap("target", `values("Tags")`)},
		{[]byte("sai"), textMap("class_name", "StorageAttachedIndex", "target", "name", "case_sensitive", "false")},
	}}
	indexes, err := ddl.Indexes(context.Background(), server, "ks", "t")
	require.NoError(t, err)
	require.Len(t, indexes, 3)
	require.Equal(t, `CREATE INDEX IF NOT EXISTS "plain" ON "ks"."t" ("city")`, indexes[0].Create("ks", "t"))
	require.Equal(t, `CREATE INDEX IF NOT EXISTS "Odd" ON "ks"."t" (values("Tags"))`, indexes[1].Create("ks", "t"))
	require.Equal(t, `CREATE CUSTOM INDEX IF NOT EXISTS "sai" ON "ks"."t" ("name") USING 'StorageAttachedIndex' WITH OPTIONS = {'case_sensitive': 'false'}`,
		indexes[2].Create("ks", "t"))
	require.False(t, indexes[0].Has(indexes[1:]))
	require.True(t, ddl.Index{Name: "another", Column: "city"}.Has(indexes[:1]))
	require.False(t, ddl.Index{Name: "Odd", Of: "keys", Column: "Tags"}.Has(indexes), "that one is of the values")
}
