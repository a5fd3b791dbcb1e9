//go:build cqlsh && unix

// This test needs Python, and PyPI once. So go test ./... does not build it, and CI does (-tags
// cqlsh).

package command_test

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/gofrs/flock"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

const (
	cqlshVersion = "6.2.2"       // of PyPI
	cqlshVar     = "RXCQL_CQLSH" // names a program to take instead
)

// cqlsh returns the program cqlsh. It is installed once, into a virtualenv in the user's cache
// folder. Where that is not possible the test fails and says what it needs.
func cqlsh(t *testing.T) string {
	t.Helper()
	if given := os.Getenv(cqlshVar); given != "" {
		return given
	}
	cache, err := os.UserCacheDir()
	require.NoError(t, err)
	dir := filepath.Join(cache, "rxcql", "cqlsh-"+cqlshVersion)
	require.NoError(t, os.MkdirAll(filepath.Dir(dir), 0o755))
	lock := flock.New(dir + ".lock")
	ctx, cancel := context.WithTimeout(t.Context(), testWait)
	defer cancel()
	_, err = lock.TryLockContext(ctx, 100*time.Millisecond) // another process may be installing it
	require.NoError(t, err)
	defer func() { require.NoError(t, lock.Close()) }()
	program, complete := filepath.Join(dir, "bin", "cqlsh"), filepath.Join(dir, ".complete")
	if _, err := os.Stat(complete); err == nil {
		return program
	}
	err = installCqlsh(ctx, dir)
	require.NoError(t, err, "this test needs cqlsh %s: install Python 3.10 to 3.14 with venv and pip (apt-get install python3-venv), from which it installs that, or name a cqlsh in %s",
		cqlshVersion, cqlshVar)
	require.NoError(t, os.WriteFile(complete, nil, 0o600))
	return program
}

// installCqlsh makes a virtualenv of the first Python that is able to.
func installCqlsh(ctx context.Context, dir string) (err error) {
	for _, python := range []string{"python3.11", "python3.12", "python3.13", "python3.10", "python3"} {
		if wrong := os.RemoveAll(dir); wrong != nil {
			return wrong
		}
		said, wrong := exec.CommandContext(ctx, python, "-m", "venv", dir).CombinedOutput()
		if wrong == nil {
			said, wrong = exec.CommandContext(ctx, filepath.Join(dir, "bin", "python"), "-m", "pip", "install", "--disable-pip-version-check", "cqlsh=="+cqlshVersion).CombinedOutput()
		}
		if wrong == nil {
			return nil
		}
		err = errors.Join(err, fmt.Errorf("%s: %w\n%s", python, wrong, said))
	}
	return err
}

// The types that COPY FROM takes: it has no way to read a duration.
const cqlshColumns = `p text, "C" int, st text static, a ascii, b bigint, bl blob, bo boolean, d date, de decimal, dbl double, f float, i inet, n int,
	sm smallint, ti time, ts timestamp, tu timeuuid, ty tinyint, u uuid, v varint, "select" text, li list<int>, se set<text>, ma map<text, timestamp>,
	tup frozen<tuple<int, text>>, ad frozen<address>, vec vector<float, 3>, PRIMARY KEY (p, "C")`

// cqlshRows are rows that COPY FROM is able to take: empty text is null to it, a carriage return a
// line feed, and at a line feed it does not come to an end.
func cqlshRows() (rows []string) {
	for i, text := range []string{"plain", "a,b;c|d", `say "x"`, "it''s", `back\slash`, `\N`, `\n`, "NULL", "tab\there",
		" blanks ", "ünïcödé 漢字 🚀", `both ", and \ and ''`, `\",`, "{}", "[a: (b)", "null", "#", "-"} {
		rows = append(rows, fmt.Sprintf(`(p, "C", "select", se, ma, tup, ad) VALUES ('p%d', %d, '%s', {'%[3]s', 'y'}, {'%[3]s': '2017-07-31T15:49:01.638Z', 'k': '1969-12-31T23:59:59.999Z'},
			(%[2]d, '%[3]s'), {street: '%[3]s', zip: null, tags: {'%[3]s'}})`, i%3, i, text))
	}
	return append(rows,
		`(p, "C", st, a, b, bl, bo, d, de, dbl, f, i, n, sm, ti, ts, tu, ty, u, v, li, vec) VALUES ('one', 1, 'static', 'ascii~', -9223372036854775808, 0x00ff10, true,
			'2017-07-31', 123.450, 1e-300, 3.4e38, '127.0.0.1', -2147483648, 32767, '15:49:01.638000001', '2017-07-31T15:49:01.638Z', 13814000-1dd2-11b2-8080-808080808080, -128,
			00000000-0000-4000-8000-000000000000, 123456789012345678901234567890, [1, 2, 3], [0.857143, -6, 6e-09])`,
		`(p, "C", bo, d, de, dbl, f, i, ti, ts, v, li) VALUES ('one', 2, false, '1969-12-31', -1E-100, NaN, -0.5, '2001:db8::8:800:200c:417a', '00:00:00', '1969-12-31T23:59:59.001Z', -1, [7])`,
		`(p, "C", dbl, f, ts) VALUES ('one', 3, Infinity, -Infinity, '9999-12-31T23:59:59.999Z')`,
		`(p, "C") VALUES ('keys alone', 0)`)
}

func TestTransferCqlshLoadsWhatWasUnloadedInFullAndCutsNoTimes(t *testing.T) {
	program := cqlsh(t)
	session, ks := cassandra.Keyspace(t, cluster)
	execute := func(cql string) { t.Helper(); require.NoError(t, session.Query(cql).Exec(), cql) }
	execute("CREATE TYPE " + ks + ".address (street text, zip int, tags frozen<set<text>>)")
	for _, table := range []string{"t", "back"} {
		execute("CREATE TABLE " + ks + "." + table + " (" + strings.ReplaceAll(cqlshColumns, "address", ks+".address") + ")")
	}
	for _, row := range cqlshRows() {
		execute("INSERT INTO " + ks + ".t " + row)
	}
	folder := t.TempDir()
	file := filepath.Join(folder, "t.csv")
	code, _, stderr := run(t, "unload", ks+".t", "--out", file, "--dialect", "cqlsh", "--progress", "none")
	require.Zero(t, code, stderr)

	text, err := os.ReadFile(file)
	require.NoError(t, err)
	first, _, _ := strings.Cut(string(text), "\n")
	header := strings.Split(strings.TrimSuffix(first, "\r"), ",") // cqlsh goes by the order of columns, not by the header

	host, port, err := net.SplitHostPort(cluster.Hosts()[0])
	require.NoError(t, err)
	cmd := exec.Command(program, host, port, "--request-timeout", "300", "--connect-timeout", "300", "-e",
		fmt.Sprintf(`COPY %s.back ("%s") FROM '%s' WITH HEADER = TRUE AND NUMPROCESSES = 1`, ks, strings.Join(header, `", "`), file))
	cmd.Dir = folder // it writes there what it cannot load
	cmd.Env = append(os.Environ(), "HOME="+folder)
	said, err := cmd.CombinedOutput()
	require.NoError(t, err, string(said))
	same(t, session, ks+".t", ks+".back")
	require.NotContains(t, string(said), "Failed", "it says so where it leaves a row out")
	require.Contains(t, string(said), fmt.Sprintf("%d rows imported", len(cqlshRows())))
}
