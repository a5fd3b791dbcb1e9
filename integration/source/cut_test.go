package source_test

import (
	"net"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/gocql/gocql"
	"github.com/rs/zerolog"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/source"
)

// proxied returns a session that reaches the cluster through a proxy only.
func proxied(t *testing.T) (*gocql.Session, *toxiproxy.Proxy) {
	server := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(server, "cassandra", "127.0.0.1:0", cluster.Hosts()[0])
	require.NoError(t, proxy.Start())
	t.Cleanup(proxy.Stop)

	host, port, err := net.SplitHostPort(proxy.Listen)
	require.NoError(t, err)
	return cassandra.Connect(t, func() *gocql.ClusterConfig {
		config := cluster.Config()
		config.Hosts = []string{net.JoinHostPort(host, port)}
		config.DisableInitialHostLookup = true
		config.Timeout = 5 * time.Minute // a connection that is cut ends its requests at once
		config.NumConns = 1
		config.Logger = silent{}
		return config
	}), proxy
}

// cutting fills a table with 800 rows, 16 MB in all, and returns a session on
// whose connections each breaks after 3 MB, which is inside a page.
func cutting(t *testing.T) (session *gocql.Session, table string) {
	direct, ks := cassandra.Keyspace(t, cluster)
	exec(t, direct, "CREATE TABLE %s.t (pk int, ck int, v text, PRIMARY KEY (pk, ck))", ks)
	for pk := range 40 {
		for ck := range 20 {
			require.NoError(t, direct.Query("INSERT INTO "+ks+".t (pk, ck, v) VALUES (?, ?, ?)", pk, ck, strings.Repeat("x", 20_000)).Exec())
		}
	}
	session, proxy := proxied(t)
	_, err := proxy.Toxics.AddToxicJson(strings.NewReader(
		`{"name":"cut","type":"limit_data","stream":"downstream","attributes":{"bytes":3000000}}`))
	require.NoError(t, err)
	return session, ks + ".t"
}

func TestAConnectionCutInTheMiddleOfAPageIsAnErrorWithItsRangeWithoutRetries(t *testing.T) {
	session, table := cutting(t)
	var rows atomic.Int64
	report, err := source.Table[rxcql.Row](session, table).ForEach(t.Context(), func(rxcql.Row) error {
		rows.Add(1)
		return nil
	}, rxcql.WithRetry(0, 0), rxcql.WithWorkers(1)) // one at a time, so that the page that was cut is the one that is named
	require.Error(t, err)
	require.NotErrorIs(t, err, gocql.ErrNoConnections)
	var at *rxcql.RowError
	require.ErrorAs(t, err, &at)
	require.Regexp(t, `^\(-?\d+, -?\d+\]$`, at.Range)
	require.False(t, report.Complete)
	require.Less(t, rows.Load(), int64(800))
	require.Less(t, report.RangesDone, report.Ranges)
	t.Logf("%d of 800 rows before: %v", rows.Load(), err)
}

func TestAConnectionCutInTheMiddleOfAPageCostsNoRow(t *testing.T) {
	session, table := cutting(t)
	type row struct {
		PK int    `cql:"pk"`
		CK int    `cql:"ck"`
		V  string `cql:"v"`
	}
	seen := map[[2]int]int{}
	report, err := source.Table[row](session, table).ForEach(t.Context(), func(r row) error {
		seen[[2]int{r.PK, r.CK}]++
		return nil
	})
	require.NoError(t, err)
	require.True(t, report.Complete)
	require.Positive(t, report.Retried)
	require.Len(t, seen, 800)
	for key, times := range seen {
		require.Equal(t, 1, times, "%v", key)
	}
	t.Logf("%d retried", report.Retried)
}
