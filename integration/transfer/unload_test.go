package transfer_test

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

// unloaded unloads a table, and requires that all went well.
func unloaded(t testing.TB, session *gocql.Session, table, path string, opts ...transfer.UnloadOption) transfer.UnloadReport {
	t.Helper()
	job, err := transfer.Unload(transfer.Table{Session: session, Name: table}, path, opts...)
	require.NoError(t, err)
	rep, err := job.Run(context.Background())
	require.NoError(t, err)
	require.True(t, rep.Complete)
	return rep
}

// loaded loads files, and requires that all went well.
func loaded(t testing.TB, session *gocql.Session, path, table string, opts ...transfer.LoadOption) transfer.LoadReport {
	t.Helper()
	job, err := transfer.Load(path, transfer.Table{Session: session, Name: table}, opts...)
	require.NoError(t, err)
	rep, err := job.Run(context.Background())
	require.NoError(t, err)
	require.True(t, rep.Complete)
	return rep
}

// formats are all formats, each with every preset that it has.
func formats() map[string]transfer.Format {
	all := map[string]transfer.Format{"ndjson": transfer.NDJSON(), "array": transfer.JSONArray()}
	for _, name := range dialect.Names() {
		d, _ := dialect.Preset(name)
		all[name] = transfer.CSV(d)
	}
	semicolons := dialect.RFC4180()
	semicolons.Separator, semicolons.Quote, semicolons.Null, semicolons.Header = ';', '\'', `\N`, false
	semicolons.Name, semicolons.Decimals, semicolons.Collections = "semicolons", dialect.DecimalExponent, dialect.CollectionCQL
	all["semicolons"] = transfer.CSV(semicolons)
	return all
}

const everyColumn = `p text, "C" int, st text static, a ascii, b bigint, bl blob, bo boolean, d date, de decimal, dbl double,
	du duration, f float, i inet, n int, sm smallint, ti time, ts timestamp, tu timeuuid, ty tinyint, u uuid, v varint, "select" text,
	li list<int>, se set<text>, ma map<text, timestamp>, tup frozen<tuple<int, text>>, ad frozen<address>, nested map<int, frozen<list<frozen<address>>>>,
	vec vector<float, 3>, PRIMARY KEY (p, "C")`

// everyRow has values that files have been known to lose.
func everyRow(table string) (statements []string) {
	insert := func(columns, values string) {
		statements = append(statements, fmt.Sprintf("INSERT INTO %s (%s) VALUES (%s)", table, columns, values))
	}
	for i, text := range []string{"", "plain", "a,b;c|d", `say "x"`, "it''s", `back\slash`, `\N`, `\n`, "NULL", "line\nbreak", "\r\n", "tab\there",
		" blanks ", "ünïcödé 漢字 🚀", `both ", and \ and ''`, `\",`, "{}", "null", "#", "-"} {
		insert(`p, "C", "select", se, ma, tup, ad, nested`, fmt.Sprintf(
			`'p%d', %d, '%s', {'%[3]s', 'y'}, {'%[3]s': '2017-07-31T15:49:01.638Z', 'k': '1969-12-31T23:59:59.999Z'}, (%[2]d, '%[3]s'),
			{street: '%[3]s', zip: null, tags: {'%[3]s'}}, {1: [{street: '%[3]s', zip: 8001}], -2: []}`, i%3, i, text))
	}
	insert(`p, "C", st, a, b, bl, bo, d, de, dbl, du, f, i, n, sm, ti, ts, tu, ty, u, v, li, vec`,
		`'one', 1, 'static', 'ascii~', -9223372036854775808, 0x00ff10, true, '2017-07-31', 123.450, 1e-300, 1y2mo3d4h5m6s7ms8us9ns, 3.4e38, '127.0.0.1',
		-2147483648, 32767, '15:49:01.638000001', '2017-07-31T15:49:01.638Z', 13814000-1dd2-11b2-8080-808080808080, -128,
		00000000-0000-4000-8000-000000000000, 123456789012345678901234567890, [1, 2, 3], [0.857143, -6, 6e-09]`)
	insert(`p, "C", a, bl, bo, d, de, dbl, du, f, i, ti, ts, v, li, vec`,
		`'one', 2, '', 0x, false, '-5877641-06-23', 1E-100, NaN, -3d, -0.0, '2001:db8::8:800:200c:417a', '00:00:00', '9999-12-31T23:59:59.999Z', -1, [], [NaN, Infinity, -0.0]`)
	insert(`p, "C", de, dbl, f, ts, bl`, `'one', 3, 1.5E+30, Infinity, -Infinity, -62198755200000, 0xd31f8cd39b4d`)
	insert(`p, "C", de, ts`, `'one', 4, 5E+200, 253402300800000`)
	insert(`p, "C"`, `'keys alone', 0`)
	insert(`p, st`, `'statics only', 'of no row'`)
	return statements
}

func TestTransferUnloadAndLoadGiveTheSameTableInEachFormat(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	run(t, session, "CREATE TYPE "+ks+".address (street text, zip int, tags frozen<set<text>>)",
		"CREATE TABLE "+ks+".every ("+strings.ReplaceAll(everyColumn, "address", ks+".address")+")")
	run(t, session, everyRow(ks+".every")...)
	want := asJSON(t, session, ks+".every")
	run(t, session, "CREATE TABLE "+ks+".back ("+strings.ReplaceAll(everyColumn, "address", ks+".address")+")")
	for name, format := range formats() {
		t.Run(name, func(t *testing.T) {
			for _, how := range []transfer.Compression{transfer.NoCompression, transfer.Zstd} {
				run(t, session, "TRUNCATE "+ks+".back")
				dir := filepath.Join(t.TempDir(), "unloaded")
				rep := unloaded(t, session, ks+".every", dir, transfer.WithFormat(format), transfer.Compress(how), transfer.FileBytes(4096))
				back := loaded(t, session, dir, ks+".back", transfer.WithFormat(format))
				require.Equal(t, rep.Written, back.Written)
				require.NotEmpty(t, back.Files)
				require.Equal(t, want, asJSON(t, session, ks+".back"))
			}
		})
	}
}

func TestTransferUnloadToStandardOutputAndLoadFromStandardInput(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	run(t, session, "CREATE TABLE "+ks+".t (p int PRIMARY KEY, v text)", "CREATE TABLE "+ks+".back (p int PRIMARY KEY, v text)")
	for i := range 100 {
		require.NoError(t, session.Query("INSERT INTO "+ks+".t (p, v) VALUES (?, ?)", i, fmt.Sprint("v", i)).Exec())
	}
	var out bytes.Buffer
	unloaded(t, session, ks+".t", "-", transfer.WithStreams(nil, &out), transfer.Compress(transfer.Gzip))
	loaded(t, session, "-", ks+".back", transfer.WithStreams(&out, nil))
	require.Equal(t, asJSON(t, session, ks+".t"), asJSON(t, session, ks+".back"))
}

func TestTransferAnEmptyTableGoesThroughAFile(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	run(t, session, "CREATE TABLE "+ks+".t (p int PRIMARY KEY, v text)")
	for name, format := range formats() {
		dir := filepath.Join(t.TempDir(), name)
		unloaded(t, session, ks+".t", dir, transfer.WithFormat(format))
		rep := loaded(t, session, dir, ks+".t", transfer.WithFormat(format))
		require.Len(t, rep.Files, 1, name)
		require.Zero(t, rep.Written)
	}
}

func TestTransferAnUnloadGoesOnWhereItWasStopped(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	run(t, session, "CREATE TABLE "+ks+".t (p int PRIMARY KEY, v text)", "CREATE TABLE "+ks+".back (p int PRIMARY KEY, v text)")
	for i := range 500 {
		require.NoError(t, session.Query("INSERT INTO "+ks+".t (p, v) VALUES (?, ?)", i, strings.Repeat("x", i%90)).Exec())
	}
	dir, store := t.TempDir(), checkpointIn(t)
	opts := []transfer.UnloadOption{transfer.WithCheckpoint(store, "unload"), transfer.FileBytes(4096), transfer.Files(2)}
	job, err := transfer.Unload(transfer.Table{Session: session, Name: ks + ".t"}, dir, opts...)
	require.NoError(t, err)
	job.Stop()
	rep, err := job.Run(context.Background())
	require.NoError(t, err)
	require.False(t, rep.Complete)
	unloaded(t, session, ks+".t", dir, opts...)
	back := loaded(t, session, dir, ks+".back")
	require.EqualValues(t, 500, back.Written, "each row once")
	require.Equal(t, asJSON(t, session, ks+".t"), asJSON(t, session, ks+".back"))

	require.NoError(t, os.WriteFile(filepath.Join(dir, "t-99999.csv.part"), nil, 0o600))
	load, err := transfer.Load(dir, transfer.Table{Session: session, Name: ks + ".back"})
	require.NoError(t, err)
	_, err = load.Run(context.Background())
	require.ErrorContains(t, err, "t-99999.csv.part is not complete")
}
