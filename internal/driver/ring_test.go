package driver_test

import (
	"context"
	"net"
	"strconv"
	"strings"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
)

var (
	aboutColumns = []*message.ColumnMetadata{
		column("partitioner", datatype.Varchar), column("release_version", datatype.Varchar),
		column("cluster_name", datatype.Varchar), column("data_center", datatype.Varchar),
		column("host_id", datatype.Uuid), column("tokens", datatype.NewSet(datatype.Varchar)),
	}
	peerColumns = []*message.ColumnMetadata{column("host_id", datatype.Uuid), column("tokens", datatype.NewSet(datatype.Varchar))}
)

func hostID(node int) []byte { return []byte("0123456789abcde" + strconv.Itoa(node)) }

func tokenSet(tokens ...string) []byte {
	cell := []byte{0, 0, 0, byte(len(tokens))}
	for _, token := range tokens {
		cell = append(append(cell, 0, 0, 0, byte(len(token))), token...)
	}
	return cell
}

// nodeOf plays one node of a cluster of n: it knows itself from system.local,
// and the others from system.peers.
func nodeOf(n, self int, partitioner string, token func(node int) string) *script {
	about := func(node int) message.Row {
		row := append(message.Row(nil), localRow...)
		row[4], row[5], row[7] = hostID(node), []byte{10, 0, 0, byte(node)}, []byte("3.11.0")
		row[6], row[9] = []byte(partitioner), tokenSet(token(node))
		return row
	}
	others := func(row func(int) message.Row) (all []message.Row) {
		for node := 1; node <= n; node++ {
			if node != self {
				all = append(all, row(node))
			}
		}
		return all
	}
	return &script{
		query: func(q *message.Query) message.Message {
			if strings.Contains(q.Query, "system.local") {
				return rows(localColumns, nil, about(self))
			}
			return rows(localColumns, nil, others(about)...)
		},
		execute: func(e *message.Execute) message.Message {
			switch cql := string(e.QueryId); {
			case strings.Contains(cql, "system.local"):
				return rows(aboutColumns, nil, message.Row{
					[]byte(partitioner), []byte("3.11.0"), []byte("scripted"), []byte("dc1"), hostID(self), tokenSet(token(self)),
				})
			case strings.Contains(cql, "peers_v2"):
				return &message.Invalid{ErrorMessage: "table peers_v2 does not exist"}
			}
			return rows(peerColumns, nil, others(func(node int) message.Row { return message.Row{hostID(node), tokenSet(token(node))} })...)
		},
	}
}

// byHost dials the listener of each node in place of its address.
type byHost map[string]int

func (b byHost) DialContext(ctx context.Context, network, address string) (net.Conn, error) {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return nil, err
	}
	var dialer net.Dialer
	return dialer.DialContext(ctx, network, net.JoinHostPort("127.0.0.1", strconv.Itoa(b[host])))
}

func clusterOf(t *testing.T, n int, partitioner string, token func(node int) string) *driver.Session {
	ports := make(byHost)
	for node := 1; node <= n; node++ {
		ports["10.0.0."+strconv.Itoa(node)] = nodeOf(n, node, partitioner, token).listen(t)
	}
	return connect(t, gocql.NewCluster("10.0.0.1"), func(c *gocql.ClusterConfig) { c.Dialer = ports })
}

const murmur = "org.apache.cassandra.dht.Murmur3Partitioner"

func TestTheRingHasTheTokensOfAllNodesWhicheverAnswers(t *testing.T) {
	for _, nodes := range []int{1, 2, 3, 5} {
		s := clusterOf(t, nodes, murmur, func(node int) string { return strconv.Itoa(node * 100) })
		for range 2 * nodes { // so that each node is the first to answer
			r, err := s.Ring(t.Context())
			require.NoError(t, err)
			require.Equal(t, nodes, r.Hosts)
			require.ElementsMatch(t, []int64{100, 200, 300, 400, 500}[:nodes], r.Tokens)
			require.Equal(t, "dc1", r.DC)
			require.Equal(t, "3.11.0", r.ReleaseVersion)
		}
	}
}

func TestTokensOfAnotherPartitionerAreLeftOut(t *testing.T) {
	s := clusterOf(t, 1, "org.apache.cassandra.dht.RandomPartitioner", func(int) string { return "85070591730234615865843651857942052864" })
	r, err := s.Ring(t.Context())
	require.NoError(t, err)
	require.False(t, r.Murmur3())
	require.Empty(t, r.Tokens)
	require.Equal(t, "org.apache.cassandra.dht.RandomPartitioner", r.Partitioner)
}

func TestATokenThatIsNoNumberIsAnError(t *testing.T) {
	s := clusterOf(t, 1, murmur, func(int) string { return "85070591730234615865843651857942052864" })
	_, err := s.Ring(t.Context())
	require.ErrorContains(t, err, "is not a 64-bit number")
}

func TestMalformedTextsAreAnError(t *testing.T) {
	whole := tokenSet("a", "")
	got, err := driver.Texts(whole)
	require.NoError(t, err)
	require.Equal(t, []string{"a", ""}, got)
	for n := 1; n < len(whole); n++ {
		_, err := driver.Texts(whole[:n])
		require.Error(t, err, "%d bytes", n)
	}
	for _, cell := range [][]byte{append(whole, 0), {0xff, 0xff, 0xff, 0xff}, {0x7f, 0xff, 0xff, 0xff}, {0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff}} {
		_, err := driver.Texts(cell)
		require.Error(t, err)
	}
}
