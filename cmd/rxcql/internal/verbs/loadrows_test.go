package verbs_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// bench is a server with one empty table, and a folder for files.
type bench struct {
	t            *testing.T
	server       *cqlfake.Server
	host, folder string
}

func newBench(t *testing.T, tables ...string) *bench {
	t.Helper()
	if len(tables) == 0 {
		tables = []string{"orders (id int PRIMARY KEY, v text, w text)"}
	}
	b := &bench{t: t, server: cqlfake.New(t, cqlfake.Loopback()), folder: t.TempDir()}
	b.server.Keyspace("shop", tables...)
	b.host = fmt.Sprintf("%s:%d", b.server.Cluster().Hosts[0], b.server.Cluster().Port)
	return b
}

// file writes a file.
func (b *bench) file(name, text string) string {
	b.t.Helper()
	path := filepath.Join(b.folder, name)
	require.NoError(b.t, os.MkdirAll(filepath.Dir(path), 0o700))
	require.NoError(b.t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func (b *bench) rxcql(args ...string) ended {
	b.t.Helper()
	return rxcql(b.t, append(args, "--hosts", b.host, "--progress", "none")...)
}

// load loads into shop.orders.
func (b *bench) load(path string, args ...string) ended {
	b.t.Helper()
	return b.rxcql(append([]string{"load", path, "--into", "shop.orders"}, args...)...)
}

// rows are those of shop.orders, as lines of CSV, sorted.
func (b *bench) rows() []string {
	b.t.Helper()
	got := b.rxcql("unload", "shop.orders", "--out", "-", "--header", "no")
	require.Zero(b.t, got.code, got.err)
	lines := strings.Split(strings.TrimSuffix(got.out, "\n"), "\n")
	slices.Sort(lines)
	return lines
}

func TestRecordsOfJSONKeepColumnsThatTheFirstDoesNotHave(t *testing.T) {
	for _, flags := range [][]string{{"--ttl-column", "ttl"}, {"--timestamp-column", "at"}, {"--ttl-column", "ttl", "--map", "x=v"}, nil} {
		b := newBench(t)
		path := b.file("in.ndjson", `{"id":1,"ttl":100,"at":1000}
{"id":2,"v":"two","ttl":100,"at":1000}
{"w":"three","ttl":0,"id":3,"at":1000}
`)
		want := []string{"1,,", "2,two,", "3,,three"}
		if slices.Contains(flags, "x=v") {
			text := `{"id":1,"ttl":100}` + "\n" + `{"id":2,"x":"two","ttl":100}` + "\n" + `{"w":"three","id":3}` + "\n"
			path = b.file("in.ndjson", text)
		}
		got := b.load(path, append(flags, "--ignore-columns")...)
		require.Zero(t, got.code, "%v: %s%s", flags, got.out, got.err)
		require.Equal(t, want, b.rows(), "%v", flags)
	}
}

func TestANameOfAColumnThatNoFileHasIsNotPassedOver(t *testing.T) {
	b := newBench(t)
	csv := b.file("in.csv", "id,v,ttl\n1,a,100\n")
	lines := b.file("in.ndjson", `{"id":1,"v":"a","ttl":100}`+"\n")
	for _, args := range [][]string{
		{csv, "--ttl-column", "tll", "--ignore-columns"},
		{csv, "--timestamp-column", "at", "--ignore-columns"},
		{csv, "--map", "vv=w", "--ignore-columns"},
		{lines, "--ttl-column", "tll", "--ignore-columns"},
	} {
		got := b.load(args[0], args[1:]...)
		require.Equal(t, 1, got.code, "%v: %s", args, got.out)
		require.Contains(t, got.out, "has", "%v", args)
		require.Contains(t, got.out, args[1], "the flag is named")
	}
}

func TestARecordWithoutItsKeyIsABadRecord(t *testing.T) {
	b := newBench(t)
	path, bad := b.file("in.ndjson", `{"v":"none"}
{"id":2,"v":"two"}
{}
{"id":null,"v":"null"}
`), filepath.Join(b.folder, "bad.ndjson")
	require.Equal(t, 1, b.load(path).code)
	got := b.load(path, "--bad", bad)
	require.Equal(t, 3, got.code, got.out+got.err)
	require.Equal(t, []string{"2,two,"}, b.rows())
	text, err := os.ReadFile(bad)
	require.NoError(t, err)
	require.Len(t, strings.Split(strings.TrimSpace(string(text)), "\n"), 3)
	require.Contains(t, string(text), "the record has no column \\\"id\\\"")
	require.Equal(t, 1, b.load(path, "--max-errors", "2").code)
}

func TestBadRecordsAreLoadedFromTheirFileOnceTheyAreCorrected(t *testing.T) {
	for name, c := range map[string]struct {
		text, wrong, right string
		flags              []string
	}{
		"in.csv":    {text: "w,v,id\nx,\"a,\nb\",one\ny,c,2\nz,d,three\n", wrong: "b\\\",one\"", right: "b\\\",1\""},
		"in.txt":    {text: "w;x;id;more\nx;'a;b';one;m\ny;c;2;m\n", wrong: ";one;m", right: ";1;m", flags: []string{"--format", "csv", "--delimiter", ";", "--quote", "'", "--map", "x=v", "--ignore-columns"}},
		"in.ndjson": {text: "{\"id\":\"one\",\"v\":\"a\"}\n{\"id\":2,\"v\":\"c\",\"w\":\"y\"}\n", wrong: `\"one\"`, right: `1`},
		"in.json":   {text: "[{\"id\":\"one\",\n\"v\":\"a\"},\n{\"id\":2,\"v\":\"c\",\"w\":\"y\"}]\n", wrong: `\"one\"`, right: `1`},
	} {
		b := newBench(t)
		bad := filepath.Join(b.folder, "out.bad")
		got := b.load(b.file(name, c.text), append(c.flags, "--bad", bad)...)
		require.Equal(t, 3, got.code, "%s: %s%s", name, got.out, got.err)
		require.Equal(t, []string{"2,c,y"}, b.rows(), name)
		text, err := os.ReadFile(bad)
		require.NoError(t, err)
		require.Contains(t, string(text), c.wrong, name)
		again := filepath.Join(b.folder, "again.bad")
		got = b.load(b.file("corrected", strings.ReplaceAll(string(text), c.wrong, c.right)), append(c.flags, "--bad", again)...)
		rows := strings.Join(b.rows(), "|")
		require.Contains(t, rows, "1,", "%s: %s%s", name, got.out, got.err)
		if name == "in.csv" { // one record is as bad as before, and can be corrected in turn
			require.Equal(t, 3, got.code, got.out)
			text, err := os.ReadFile(again)
			require.NoError(t, err)
			require.Zero(t, b.load(b.file("third", strings.ReplaceAll(string(text), "three", "3"))).code)
			require.Contains(t, b.rows(), "3,d,z")
			continue
		}
		require.Zero(t, got.code, "%s: %s%s", name, got.out, got.err)
	}
}

func TestValuesOfAFileWithoutAHeaderStayOutOfErrors(t *testing.T) {
	b := newBench(t)
	log := filepath.Join(b.folder, "log")
	for _, line := range []string{"id,secret,w\n", "v,secret,id,w\n", "secret,more secret,id\n", "v,secret\n"} {
		got := b.load(b.file("in.csv", line+"1,a,b\n"), "--log", log)
		require.Equal(t, 1, got.code, line)
		require.NotContains(t, got.out+got.err, "secret", line)
	}
	text, err := os.ReadFile(log)
	require.NoError(t, err)
	require.NotContains(t, string(text), "secret")
}

func TestErrorsOfFilesNameFlags(t *testing.T) {
	b := newBench(t)
	for _, c := range []struct {
		path  string
		flags []string
		want  string
	}{
		{b.file("a.csv", "id,more\n1,2\n"), nil, "--ignore-columns"},
		{b.file("b.csv", "id;v\n1;2\n"), nil, "--delimiter"},
		{b.file("c.ndjson", "[{\"id\":1}]\n"), nil, "--format json"},
		{b.file("d.csv", "id,v\n1,\"a\\\"b\"\n"), nil, "--dialect cqlsh"},
		{b.file("e.csv", "id,v\n1,a\n"), []string{"--columns", "id,nothing", "--header", "no"}, "--columns"},
		{b.file("f.csv", "id,v\n1,a\n"), []string{"--map", "v=nothing"}, "--map"},
		{b.file("Files/g.csv", "id,Into\n1,a\n"), nil, "Files/g.csv"},
	} {
		got := b.load(c.path, c.flags...)
		require.NotZero(t, got.code, c.path)
		require.Contains(t, got.out+got.err, c.want)
		for _, option := range []string{"IgnoreUnknown", "IgnoreColumns", "JSONArray", "Dialect", "FileColumns", "transfer."} {
			require.NotContains(t, got.out+got.err, option)
		}
	}
	out := b.file("there.csv", "something\n")
	got := b.rxcql("unload", "shop.orders", "--out", out)
	require.Contains(t, got.out+got.err, "--replace")
	require.NotContains(t, got.out+got.err, "Overwrite")
}
