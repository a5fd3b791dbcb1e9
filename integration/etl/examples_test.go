package etl_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// examples are the programs of one idea each, and what they say.
var examples = map[string]string{
	"stream": "reading 1001 of sensor kitchen is the first above 30: 30.01 degrees\n" +
		"1100 of 100000 rows came, in pages of 100\n",
	"copy": "first run: 5000 rows read, 5000 written, 0 done before; complete: true\n" +
		"second run: 0 rows read, 0 written, 5000 done before; complete: true\n" +
		"the archive has 5000 orders\n",
	"aggregate": "Central: 467 of 2000 trips begin after 7 o'clock\n" +
		"Harbour: 466 of 2000 trips begin after 8 o'clock\n" +
		"Market: 467 of 2000 trips begin after 9 o'clock\n",
	"enrich": "order 0 is for customer no. 0\n" +
		"order 1 is for customer no. 1\n" +
		"order 2 is for customer no. 2\n" +
		"900 orders have their customer's name, the customer of 100 is not there\n",
	"changes": "3000 changes of 100 orders, 86 of which are left\n",
}

// onOurs is the environment of an example that is to use the server of the tests, and the
// folder for its files.
func onOurs(t *testing.T) (env map[string]string, folder string) {
	t.Helper()
	folder = t.TempDir()
	return map[string]string{"CASSANDRA_HOSTS": strings.Join(cluster.Hosts(), ","), "RXCQL_CASSANDRA": "", "TMPDIR": folder}, folder
}

var keyspaceLine = regexp.MustCompile(`keyspace (example_[a-z]+_[0-9a-f]{8}) at`)

// requireCleanedUp fails if the example has left its keyspace or a file.
func requireCleanedUp(t *testing.T, stderr, folder string) {
	t.Helper()
	named := keyspaceLine.FindStringSubmatch(stderr)
	require.Len(t, named, 2, stderr)
	session, _ := cassandra.Keyspace(t, cluster)
	left := session.Query("SELECT keyspace_name FROM system_schema.keyspaces WHERE keyspace_name = ?", named[1]).Iter()
	require.Zero(t, left.NumRows(), "keyspace %s is left", named[1])
	require.NoError(t, left.Close())
	files, err := os.ReadDir(folder)
	require.NoError(t, err)
	require.Empty(t, files)
}

func TestExamplesSayWhatTheirDocCommentsPromise(t *testing.T) {
	for name, want := range examples {
		t.Run(name, func(t *testing.T) {
			env, folder := onOurs(t)
			got := start(t, env, build(t, name)).wait(t, testWait)
			require.Zero(t, got.code, got.stderr)
			require.Equal(t, want, got.stdout)
			requireCleanedUp(t, got.stderr, folder)
		})
	}
}

func TestTheExampleOfAKilledJobGoesOnWithIt(t *testing.T) {
	env, folder := onOurs(t)
	got := start(t, env, build(t, "resume")).wait(t, testWait)
	require.Zero(t, got.code, got.stderr)
	requireGoneOnWith(t, got.stdout)
	requireCleanedUp(t, got.stderr, folder)
}

// requireGoneOnWith fails unless the second run of the example did what was left, and only
// that.
func requireGoneOnWith(t *testing.T, stdout string) {
	t.Helper()
	counts := regexp.MustCompile(`^killed after it said: some of more than 5000 rows are saved as done\n` +
		`(\d+) rows were done before, (\d+) were read now, 20000 are in the copy\n$`).FindStringSubmatch(stdout)
	require.Len(t, counts, 3, stdout)
	before, err := strconv.Atoi(counts[1])
	require.NoError(t, err)
	now, err := strconv.Atoi(counts[2])
	require.NoError(t, err)
	require.Positive(t, before)
	require.Equal(t, 20_000, before+now)
}

func TestExamplesOfOneIdeaAreShortAndSayWhatToLookAt(t *testing.T) {
	mains, err := filepath.Glob("../../examples/*/main.go")
	require.NoError(t, err)
	checked := 0
	for _, path := range mains {
		name := filepath.Base(filepath.Dir(path))
		if name == "etl" || name == "quickstart" || name == "rollup" { // rollup: integration/rollup
			continue
		}
		program, err := os.ReadFile(path)
		require.NoError(t, err)
		require.Less(t, strings.Count(string(program), "\n"), 80, name)
		doc, _, _ := strings.Cut(string(program), "\npackage main")
		require.True(t, strings.HasPrefix(doc, fmt.Sprintf("// Command %s ", name)), name)
		require.Contains(t, doc, "Look at ", name)
		require.Contains(t, examplesAndResume(), name, "no test runs it")
		checked++
	}
	require.Equal(t, len(examplesAndResume()), checked)
}

func examplesAndResume() []string {
	names := []string{"resume"}
	for name := range examples {
		names = append(names, name)
	}
	return names
}
