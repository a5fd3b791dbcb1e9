package etl_test

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

func TestTheQuickstartRunsAsItStandsInTheReadme(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	require.NoError(t, err)
	program, err := os.ReadFile("../../examples/quickstart/main.go")
	require.NoError(t, err)
	_, code, found := strings.Cut(string(program), "\n)\n\n") // after the imports
	require.True(t, found)
	require.Contains(t, string(readme), "```go\n"+code+"```\n", "the README shows another program")

	session, _ := cassandra.Keyspace(t, cluster)
	exec := func(cql string, args ...any) {
		t.Helper()
		require.NoError(t, session.Query(cql, args...).Exec(), cql)
	}
	exec("CREATE KEYSPACE air WITH replication = {'class': 'SimpleStrategy', 'replication_factor': 1}")
	t.Cleanup(func() { exec("DROP KEYSPACE air") })
	exec("CREATE TABLE air.flights (id bigint PRIMARY KEY, route text, delay int)")
	exec("CREATE TABLE air.late (id bigint PRIMARY KEY, route text, delay int)")
	want := map[int64]int{}
	for id := range int64(500) {
		delay := int(id) - 100
		exec("INSERT INTO air.flights (id, route, delay) VALUES (?, 'LAS-PHL', ?)", id, delay)
		if delay > 60 {
			want[id] = delay / 60
		}
	}
	env := map[string]string{"CASSANDRA_HOSTS": strings.Join(cluster.Hosts(), ",")}
	got := start(t, env, "go", "run", "../../examples/quickstart").wait(t, testWait)
	require.Zero(t, got.code, got.stderr)
	require.Contains(t, got.stdout, "complete in")
	require.Contains(t, got.stdout, "500 rows read, 339 written, 161 filtered")

	have := map[int64]int{}
	var id int64
	var delay int
	rows := session.Query("SELECT id, delay FROM air.late").Iter()
	for rows.Scan(&id, &delay) {
		have[id] = delay
	}
	require.NoError(t, rows.Close())
	require.Equal(t, want, have)
}
