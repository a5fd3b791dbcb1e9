package driver_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
)

func TestATableIsReadWithAllItsTypes(t *testing.T) {
	session, s, keyspace := open(t)
	run(t, session,
		`CREATE TYPE street (name text, "No." int)`,
		`CREATE TYPE "Address" (street frozen<street>, zips set<text>, "at" tuple<double, double>)`,
		`CREATE TABLE "Select" (
			"Key" text, part uuid, c1 timestamp, c2 int, fixed text static,
			home frozen<"Address">, homes map<text, frozen<"Address">>, v vector<float, 3>, "a ""quoted"" name" inet,
			PRIMARY KEY (("Key", part), c1, c2)
		) WITH CLUSTERING ORDER BY (c1 DESC, c2 ASC) AND default_time_to_live = 60`)
	ks, name, err := schema.ParseName(keyspace + `."Select"`)
	require.NoError(t, err)
	table, err := schema.Load(t.Context(), s, ks, name)
	require.NoError(t, err)

	require.Equal(t, []string{"Key", "part", "c1", "c2", "fixed", `a "quoted" name`, "home", "homes", "v"}, table.ColumnNames())
	require.Equal(t, "Key", table.PartitionKey[0].Name)
	require.Len(t, table.PartitionKey, 2)
	require.True(t, table.ClusteringKey[0].Descending)
	require.False(t, table.ClusteringKey[1].Descending)
	require.Equal(t, 60, table.DefaultTTL)
	require.Len(t, table.ID, 36)
	require.False(t, table.Counter || table.View || table.Virtual || table.Compact)

	fixed, ok := table.Column("fixed")
	require.True(t, ok)
	require.Equal(t, schema.Static, fixed.Kind)
	home, _ := table.Column("home")
	require.Equal(t, codec.UDT, home.Type.Kind)
	require.Equal(t, "Address", home.Type.Name)
	require.True(t, home.Type.Frozen)
	require.Equal(t, "No.", home.Type.Fields[0].Type.Fields[1].Name)
	vector, _ := table.Column("v")
	require.Equal(t, 3, vector.Type.Dim)

	// The schema's types are those that come with a read, which does not say
	// that a user-defined type is frozen.
	d, err := s.Describe(t.Context(), "SELECT * FROM "+table.Quoted())
	require.NoError(t, err)
	require.Len(t, d.Results, len(table.Columns))
	for i, column := range d.Results {
		require.Equal(t, table.Columns[i].Name, column.Name)
		unfrozen := strings.NewReplacer("frozen<", "", ">", "")
		require.Equal(t, unfrozen.Replace(table.Columns[i].Type.String()), unfrozen.Replace(column.Type.String()), column.Name)
	}
}

func TestCountersViewsAndVirtualTablesAreTold(t *testing.T) {
	session, s, keyspace := open(t)
	run(t, session,
		"CREATE TABLE counts (k int PRIMARY KEY, n counter)",
		"CREATE TABLE base (k int PRIMARY KEY, v int)",
		"CREATE MATERIALIZED VIEW by_v AS SELECT k, v FROM base WHERE v IS NOT NULL AND k IS NOT NULL PRIMARY KEY (v, k)")
	counts, err := schema.Load(t.Context(), s, keyspace, "counts")
	require.NoError(t, err)
	require.True(t, counts.Counter)

	view, err := schema.Load(t.Context(), s, keyspace, "by_v")
	require.NoError(t, err)
	require.True(t, view.View)
	require.Equal(t, "base", view.BaseTable)
	require.Equal(t, "v", view.PartitionKey[0].Name)

	virtual, err := schema.Load(t.Context(), s, "system_views", "settings")
	require.NoError(t, err)
	require.True(t, virtual.Virtual)
	require.Equal(t, "name", virtual.PartitionKey[0].Name)
}

func TestUnknownNamesComeWithThoseThatAreNear(t *testing.T) {
	session, s, keyspace := open(t)
	run(t, session, `CREATE TABLE "Orders" (k int PRIMARY KEY)`, "CREATE TABLE customers (k int PRIMARY KEY)")
	_, err := schema.Load(t.Context(), s, keyspace, "orders")
	require.ErrorIs(t, err, schema.ErrUnknownTable)
	require.ErrorContains(t, err, `did you mean "Orders"?`)
	_, err = schema.Load(t.Context(), s, keyspace, "custmoers")
	require.ErrorContains(t, err, "did you mean customers?")
	_, err = schema.Load(t.Context(), s, keyspace+"x", "orders")
	require.ErrorIs(t, err, schema.ErrUnknownKeyspace)
	require.ErrorContains(t, err, "did you mean "+keyspace)
	_, err = schema.Load(t.Context(), s, "system_view", "settings")
	require.ErrorContains(t, err, "system_views")
}
