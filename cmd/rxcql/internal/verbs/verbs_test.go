package verbs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/connect"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/verbs"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// ended is how a command ended, and what it said.
type ended struct {
	code     int
	out, err string
}

// rxcql runs a command line against no server in particular.
func rxcql(t *testing.T, args ...string) ended {
	t.Helper()
	return rxcqlWith(t, nil, args...)
}

// rxcqlWith runs a command line with variables of its environment.
func rxcqlWith(t *testing.T, env map[string]string, args ...string) ended {
	t.Helper()
	t.Setenv("HOME", t.TempDir()) // no cqlshrc of who runs the tests
	var out, errs bytes.Buffer
	p := &verbs.Program{
		In: strings.NewReader(""), Out: &out, Err: &errs, Args: args,
		Getenv: func(name string) string { return env[name] },
		Ask:    func(string) (string, error) { return "", connect.ErrNoTerminal },
	}
	code := p.Run(context.Background(), nil)
	return ended{code, out.String(), errs.String()}
}

// write writes a file of a test.
func write(t *testing.T, name, text string) (path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

// shop is a server with three tables of 100 rows each.
func shop(t *testing.T) (server *cqlfake.Server, host string) {
	t.Helper()
	server = cqlfake.New(t, cqlfake.Loopback())
	server.Keyspace("shop", "orders (id int PRIMARY KEY, v text)", "stock (id int PRIMARY KEY, v text)", `"Odd" (id int PRIMARY KEY, v text)`)
	for i := range 100 {
		for _, table := range []string{"orders", "stock", `"Odd"`} {
			server.Exec(fmt.Sprintf("INSERT INTO shop.%s (id, v) VALUES (%d, 'x')", table, i))
		}
	}
	cluster := server.Cluster()
	return server, fmt.Sprintf("%s:%d", cluster.Hosts[0], cluster.Port)
}

type report struct {
	Verb     string
	ExitCode int `json:"exit_code"`
	Error    string
	Read     int64  `json:"rows_read"`
	GoOn     string `json:"go_on"`
	Tables   []struct {
		Table, Status, Error string
		Earlier              bool
		Anew                 string `json:"begun_anew"`
		Report               struct{ Rows, Partitions int64 }
	}
}

func parsed(t *testing.T, text string) (r report) {
	t.Helper()
	require.NoError(t, json.Unmarshal([]byte(text), &r), text)
	return r
}

func TestAKeyspaceIsCountedInOneRun(t *testing.T) {
	_, host := shop(t)
	got := rxcql(t, "count", "shop", "--hosts", host, "--progress", "none", "--json", "-", "--except", "shop.stock")
	require.Zero(t, got.code, got.err)
	r := parsed(t, got.out)
	require.Equal(t, "count", r.Verb)
	require.EqualValues(t, 200, r.Read)
	require.Len(t, r.Tables, 2)
	for i, name := range []string{`shop."Odd"`, "shop.orders"} {
		require.Equal(t, name, r.Tables[i].Table)
		require.Equal(t, "done", r.Tables[i].Status)
		require.EqualValues(t, 100, r.Tables[i].Report.Rows)
	}
	require.Contains(t, got.err, "shop.orders: 100 rows in 100 partitions", "the text makes room for JSON on standard output")
}

func TestATableThatFailsIsNamedAndTheOthersAreDone(t *testing.T) {
	server, host := shop(t)
	server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if r.Reads("shop.orders") {
			return cqlfake.Fail(&message.Invalid{ErrorMessage: "not this one"})
		}
		return nil
	})
	folder := t.TempDir()
	args := []string{"count", "shop", "--hosts", host, "--progress", "plain", "--json", filepath.Join(folder, "r.json"), "--checkpoint", folder, "--retry-time", "0"}
	got := rxcql(t, args...)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "3 tables: 2 done, 1 failed")
	require.Contains(t, got.out, "not this one")
	require.Contains(t, got.out, "the run goes on with the same command: rxcql count shop")
	text, err := os.ReadFile(filepath.Join(folder, "r.json"))
	require.NoError(t, err)
	require.Equal(t, 1, parsed(t, string(text)).ExitCode)

	server.Exec("INSERT INTO shop.stock (id, v) VALUES (1000, 'later')")
	got = rxcql(t, args...)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "shop.stock: done by an earlier run")
	require.Contains(t, got.out, "shop.stock: 100 rows")
	got = rxcql(t, append(args, "--restart")...)
	require.Contains(t, got.out, "shop.stock: 101 rows")
}

func TestWrongArgumentsAreToldAtOnceWithExitCodeTwo(t *testing.T) {
	_, host := shop(t)
	for _, c := range []struct {
		args []string
		want []string
	}{
		{[]string{"count"}, []string{"at least 1 arg"}},
		{[]string{"count", "shop", "--hosts", host, "--rate", "fast", "--shard", "4/4", "--budget", "1", "--workers", "0", "--progress", "loud", "--consistency", "SOME"},
			[]string{"--rate", "--shard", "--budget", "--workers", "--progress", "--consistency"}},
		{[]string{"count", "nowhere", "shop.nothing", "--hosts", host}, []string{"no keyspace nowhere", "no table shop.nothing"}},
		{[]string{"count", "shop", "--hosts", "127.0.0.1:1", "--connect-timeout", "1s"}, []string{"no connection to Cassandra at 127.0.0.1:1", "--hosts"}},
		{[]string{"count", "shop", "--nope"}, []string{"--nope", "rxcql count --help"}},
		{[]string{"count", "shop", "--hosts", host, "--restart"}, []string{"--checkpoint"}},
		{[]string{"count", "shop"}, []string{"no hosts"}},
		{[]string{"nothing"}, []string{"unknown command"}},
	} {
		got := rxcql(t, c.args...)
		require.Equal(t, 2, got.code, "%v: %s", c.args, got.err)
		for _, text := range c.want {
			require.Contains(t, got.err, text, c.args)
		}
	}
}

func TestNoFlagTakesAPassword(t *testing.T) {
	for _, args := range [][]string{
		{"count", "shop", "--password", "hunter2"}, {"count", "shop", "--password=hunter2"}, {"copy", "shop", "--source-password=hunter2"},
		{"count", "shop", "-p", "hunter2"}, {"count", "shop", "-phunter2"}, {"copy", "shop", "--target-password", "hunter2"},
	} {
		got := rxcql(t, args...)
		require.Equal(t, 2, got.code)
		require.Contains(t, got.err, "--password-file")
		require.NotContains(t, got.err+got.out, "hunter2")
	}
}

func TestAWrongRunHasAReportToo(t *testing.T) {
	file := filepath.Join(t.TempDir(), "r.json")
	got := rxcql(t, "count", "shop", "--json", file)
	require.Equal(t, 2, got.code)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, 2, parsed(t, string(text)).ExitCode)
	require.Contains(t, parsed(t, string(text)).Error, "no hosts")
}

func TestTheHelpHasTheFlagsInGroupsExamplesAndTheExitCodes(t *testing.T) {
	for _, verb := range []string{"copy", "count", "diff", "repair"} {
		got := rxcql(t, verb, "--help")
		require.Zero(t, got.code)
		for _, text := range []string{"Examples:", "What " + verb + " does:", "How it runs:", "Connection", "--hosts", "--dry-run", "Exit codes:", "SIGINT"} {
			require.Contains(t, got.out, text)
		}
		require.NotContains(t, got.out, "--password ")
		require.Equal(t, verb == "copy" || verb == "count", strings.Contains(got.out, "--checkpoint folder"), "what a verb refuses is not in its help")
	}
	require.NotContains(t, rxcql(t, "load", "--help").out, "--shard i/n")
	require.Contains(t, rxcql(t, "--help").out, "completion")
	require.Contains(t, rxcql(t, "version").out, "rxcql ")
	require.Contains(t, rxcql(t, "completion", "bash").out, "__start_rxcql")
}
