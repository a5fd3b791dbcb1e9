//go:build unix

package command_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

const tripColumns = `(p text, c int, s text static, v text, b blob, l list<text>, m map<text, int>, se set<text>, fl frozen<list<int>>,
	tup frozen<tuple<int, text>>, u frozen<address>, ts timestamp, d date, ti time, de decimal, bo boolean, vec vector<float, 2>, "Q,x;" int, PRIMARY KEY (p, c))`

// tripRows have what files have been known to lose.
var tripRows = []string{
	`(p, c, v, l, se, tup, u) VALUES ('p', 1, '', [''], {''}, (1, ''), {street: '', zip: 1})`,
	`(p, c, v, l, se, tup, u) VALUES ('p', 2, 'NULL', ['NULL', '1'], {'NULL'}, (1, 'NULL'), {street: 'NULL', zip: null})`,
	`(p, c, v, l, m, tup, u) VALUES ('p', 3, '1', ['1'], {'1': 1}, (1, '1'), {street: '1', zip: 1})`,
	`(p, c, v, l, m, tup) VALUES ('p', 4, 'a,b;c|d''"\\', ['a,b;c|d''"\\'], {'k''': 2}, (null, 'a'',"b'))`,
	"(p, c, v, l) VALUES ('p', 5, 'line\nbreak\r\nand\ttab', ['\n', '\r'])",
	`(p, c, v, l, m, se, fl) VALUES ('p', 6, ' blanks ', [], {}, {}, [])`,
	`(p, c, ts, d, ti, de, bo, vec, b, "Q,x;") VALUES ('p', 7, '1869-12-31T23:59:59.987Z', '1869-12-31', '23:59:59.999999999', 1E-100, true, [1, NaN], 0x00ff, 1)`,
	`(p, c, ts, de, bo, vec, b, fl) VALUES ('p', 8, '2021-10-31T00:30:00.123Z', -123.4500, false, [0.1, -0.0], 0x, [1, 1])`,
	`(p, c, v) VALUES ('PAR1', 1, 'first of a file')`, `(p, c, v) VALUES ('BZh9', 1, '\N')`, `(p, c) VALUES ('keys alone', 0)`,
	`(p, s) VALUES ('statics only', 'of no row')`, `(p, c, s, v) VALUES ('é', 1, 'ü', 'ÿþ')`,
}

// What unload has written, load reads by the same flags.
func TestTransferATableComesBackThroughFilesOfEachKind(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	do := func(cql string) { require.NoError(t, session.Query(cql).Exec(), cql) }
	do("CREATE TYPE " + ks + ".address (street text, zip int)")
	for _, name := range []string{".t", ".back"} {
		do("CREATE TABLE " + ks + name + " " + strings.ReplaceAll(tripColumns, "address", ks+".address"))
	}
	for _, row := range tripRows {
		do("INSERT INTO " + ks + ".t " + strings.ReplaceAll(row, `\\`, `\`))
	}
	do("INSERT INTO " + ks + ".t (p, c, v) VALUES ('\ufeffx', 1, '\x00nul')")
	path, err := binary()
	require.NoError(t, err, path)
	folder := t.TempDir()
	for _, c := range []struct{ out, flags, only string }{
		{out: "plain"},
		{out: "gzip", flags: "--compress gzip --header no"},
		{out: "small", flags: "--compress zstd", only: "--file-bytes 4KiB --files 3"},
		{out: "cqlsh", flags: "--dialect cqlsh --header no"},
		{out: "cqlsh-1", flags: "--dialect cqlsh --null 1"},
		{out: "dsbulk", flags: "--dialect dsbulk"},
		{out: "dsbulk-no", flags: "--dialect dsbulk --header no --booleans yes,no --decimals exponent"},
		{out: "odd", flags: `--delimiter ; --quote ' --null NULL`},
		{out: "zone", flags: "--zone Europe/Berlin"},
		{out: "layout", flags: "--zone UTC --timestamps 02.01.2006_15:04:05.000"},
		{out: "ndjson", flags: "--format ndjson"},
		{out: "array.json.gz"},
		{out: "parquet", only: "--format parquet"},
		{out: "one.parquet"},
		{out: "part-%05d.csv.zst"},
		{out: "-", flags: "--format ndjson"},
	} {
		do("TRUNCATE " + ks + ".back")
		out := c.out
		if out != "-" {
			out = filepath.Join(folder, out)
		}
		unload := strings.Fields("unload " + ks + ".t --progress none --out " + out + " " + c.flags + " " + c.only)
		var into []string
		for _, arg := range strings.Fields("load " + out + " --into " + ks + ".back --progress none " + c.flags) {
			if arg != "--compress" && arg != "gzip" && arg != "zstd" {
				into = append(into, arg)
			}
		}
		if c.out == "-" {
			piped(t, path, unload, into)
		} else {
			code, stdout, stderr := run(t, unload...)
			require.Zero(t, code, "%v\n%s%s", unload, stdout, stderr)
			code, stdout, stderr = run(t, into...)
			require.Zero(t, code, "%v\n%s%s", into, stdout, stderr)
		}
		code, stdout, stderr := run(t, "diff", ks+".t", "--to", ks+".back", "--out", filepath.Join(folder, "diff-"+filepath.Base(out)), "--progress", "none")
		require.Zero(t, code, "%s %s\n%s%s", c.out, c.flags, stdout, stderr)
	}

	// A table without rows, and its times.
	do("CREATE TABLE " + ks + ".empty (p int PRIMARY KEY, v text)")
	for _, flags := range []string{"", "--times", "--times --format ndjson", "--times --format parquet"} {
		out := filepath.Join(folder, "empty"+strings.ReplaceAll(flags, " ", ""))
		code, stdout, stderr := run(t, append([]string{"unload", ks + ".empty", "--out", out}, strings.Fields(flags)...)...)
		require.Zero(t, code, "%s\n%s%s", flags, stdout, stderr)
		code, stdout, stderr = run(t, append([]string{"load", out, "--into", ks + ".empty"}, strings.Fields(flags)...)...)
		require.Zero(t, code, "%s\n%s%s", flags, stdout, stderr)
	}
}

// piped runs a command whose output is the input of another.
func piped(t *testing.T, path string, from, to []string) {
	t.Helper()
	line := func(args []string) string {
		all := path
		for _, arg := range args {
			all += " '" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		return all
	}
	cmd := exec.CommandContext(t.Context(), "sh", "-c", line(from)+" | "+line(to))
	cmd.Env = append(os.Environ(), "RXCQL_HOSTS="+strings.Join(cluster.Hosts(), ","), "HOME="+t.TempDir())
	out, err := cmd.CombinedOutput()
	require.NoError(t, err, "%s", out)
}
