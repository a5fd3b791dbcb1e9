package verbs_test

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	lib "github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/verbs"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// Each way in which a run can end has the exit code that the help gives for it. Bad records are in
// TestBadRecordsAreKeptAndMakeTheExitCodeThree, wrong arguments in
// TestWrongArgumentsAreToldAtOnceWithExitCodeTwo; signals are in integration/command.
func TestTheExitCodesAreThoseOfTheHelp(t *testing.T) {
	server, host := shop(t)
	archive(server, "archive")
	archive(server, "other")
	server.Keyspace("hollow", "t (id int PRIMARY KEY)")
	server.Exec("INSERT INTO other.orders (id, v) VALUES (1, 'another')")
	out := t.TempDir()
	diff := func(name, table, to string) []string {
		return []string{"diff", table, "--to", to, "--pause", "0", "--out", filepath.Join(out, name)}
	}
	for _, c := range []struct {
		what string
		code int
		args []string
	}{
		{"all is copied", 0, []string{"copy", "shop", "--to", "archive"}},
		{"an empty table", 0, []string{"count", "hollow"}},
		{"each share", 0, []string{"count", "shop", "--shard", "1/3"}},
		{"equal", 0, diff("1", "shop", "archive")},
		{"one is not equal", 3, diff("2", "shop.orders", "other")},
		{"one of several fails", 1, []string{"copy", "shop", "--to", "nowhere"}},
		{"a table that the target does not have", 1, []string{"copy", "hollow", "--to", "archive"}},
		{"nothing matches", 2, []string{"count", "shop", "--except", `shop.orders,shop.stock,shop."Odd"`}},
		{"no such table", 2, []string{"count", "shop.none"}},
		{"no file matches", 1, []string{"load", filepath.Join(out, "*.none"), "--into", "archive.orders"}},
		{"nothing to repair", 0, []string{"repair", "--from", filepath.Join(out, "1"), "--to", "archive", "--out", filepath.Join(out, "r1")}},
		{"extra rows stay", 3, []string{"repair", "--from", filepath.Join(out, "2"), "--to", "other", "--out", filepath.Join(out, "r2")}},
	} {
		if c.what == "extra rows stay" { // which diff found as differing, and the source does not have now
			server.Exec("DELETE FROM shop.orders WHERE id = 1")
		}
		got := rxcql(t, append(c.args, "--hosts", host, "--progress", "none", "--retry-time", "0")...)
		require.Equal(t, c.code, got.code, "%s: %s%s", c.what, got.out, got.err)
	}
	for _, more := range [][]string{nil, {"--checkpoint", t.TempDir()}} { // refused before it began
		got := rxcql(t, append([]string{"copy", "hollow", "--to", "archive", "--hosts", host, "--progress", "none"}, more...)...)
		require.Equal(t, 1, got.code)
		require.NotContains(t, got.out+got.err, "begins anew")
		require.NotContains(t, got.out+got.err, "the run goes on")
	}
	help := rxcql(t, "copy", "--help").out
	for _, code := range []string{"\n  0  ", "\n  1  ", "\n  2  ", "\n  3  ", "\n  4  ", "\n  5  "} {
		require.Contains(t, help, code)
	}
}

func TestAFaultOfTheCommandHasAnExitCodeOfItsOwn(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.json")
	var out, errs bytes.Buffer
	p := &verbs.Program{
		Out: &out, Err: &errs, Args: []string{"count", "shop", "--json", file},
		Getenv: func(name string) string { panic("a value of " + name) },
	}
	require.Equal(t, 5, p.Run(t.Context(), nil))
	require.Contains(t, errs.String(), "a fault of rxcql itself")
	require.Contains(t, errs.String(), "exit_test.go:", "it says where")
	require.NotContains(t, errs.String(), "a value of")
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Contains(t, string(text), `"exit_code": 5`)
	require.Contains(t, string(text), "a fault of rxcql itself")
}

func TestAReportThatCannotBeWrittenIsNoSuccess(t *testing.T) {
	_, host := shop(t)
	folder := t.TempDir()
	file := filepath.Join(folder, "r.json")
	got := rxcql(t, "count", "shop", "--hosts", host, "--json", filepath.Join(folder, "none", "r.json"))
	require.Equal(t, 2, got.code, "it is found out before anything is done")
	require.Contains(t, got.err, "--json")

	require.NoError(t, os.WriteFile(file, []byte(`{"exit_code": 0}`), 0o600))
	server, host := shop(t)
	var once sync.Once
	server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if r.Reads("shop.orders") {
			once.Do(func() {
				info, err := os.Stat(file)
				if err != nil || info.Size() > 0 {
					t.Error("an older report is there, to be taken for that of a run that is killed")
				}
				if err := errors.Join(os.Remove(file), os.Mkdir(file, 0o700)); err != nil {
					t.Error(err)
				}
			})
		}
		return nil
	})
	got = rxcql(t, "count", "shop", "--hosts", host, "--json", file)
	require.Equal(t, 1, got.code, got.out)
	require.Contains(t, got.err, "--json")
}

func TestEachRowThatIsNotAccountedForIsSaid(t *testing.T) {
	require.Empty(t, verbs.LeftOut(lib.Report{Complete: true, ReadRows: 10, Written: 8, Filtered: 2}))
	for _, r := range []lib.Report{{Skipped: 1200}, {DeadLettered: 1200}, {Unknown: 1200}, {UnreadParts: 1200}} {
		left := verbs.LeftOut(r)
		require.Len(t, left, 1)
		require.Contains(t, left[0], "1,200 ")
	}
}
