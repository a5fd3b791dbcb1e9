package driver_test

import (
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/ring"
)

var nodeColumns = []*message.ColumnMetadata{
	column("host_id", datatype.Uuid), column("data_center", datatype.Varchar), column("rack", datatype.Varchar),
	column("tokens", datatype.NewSet(datatype.Varchar)), column("partitioner", datatype.Varchar),
}

// racksOf is clusterOf where nodes tell their places too: node 1 is in rack r1 of
// datacenter d1, and so on. Node 9 has no tokens.
func racksOf(t *testing.T, n int, partitioner string) *driver.Session {
	t.Helper()
	token := func(node int) string { return strconv.Itoa(node * 100) }
	place := func(node int) message.Row {
		tokens := tokenSet(token(node))
		if node == 9 {
			tokens = nil
		}
		return message.Row{hostID(node), []byte("d" + strconv.Itoa(node)), []byte("r" + strconv.Itoa(node)), tokens, []byte(partitioner)}
	}
	ports := make(byHost)
	for self := 1; self <= n; self++ {
		s := nodeOf(n, self, partitioner, token)
		s.execute = func(e *message.Execute) message.Message {
			switch cql := string(e.QueryId); {
			case strings.Contains(cql, "system.local"):
				return rows(nodeColumns, nil, place(self))
			case strings.Contains(cql, "peers_v2"):
				return &message.Invalid{ErrorMessage: "table peers_v2 does not exist"}
			}
			all := []message.Row{place(9)[:4]}
			for node := 1; node <= n; node++ {
				if node != self {
					all = append(all, place(node)[:4])
				}
			}
			return rows(nodeColumns[:4], nil, all...)
		}
		ports["10.0.0."+strconv.Itoa(self)] = s.listen(t)
	}
	return connect(t, gocql.NewCluster("10.0.0.1"), func(c *gocql.ClusterConfig) { c.Dialer = ports })
}

func TestNodesAreToldWithTheirPlacesWhicheverAnswers(t *testing.T) {
	for _, n := range []int{1, 2, 4} {
		s := racksOf(t, n, murmur)
		for range 2 * n { // so that each node is the first to answer
			nodes, err := s.Nodes(t.Context())
			require.NoError(t, err)
			slices.SortFunc(nodes, func(a, b ring.Node) int { return strings.Compare(a.DC, b.DC) })
			require.Len(t, nodes, n)
			for i, node := range nodes {
				name := strconv.Itoa(i + 1)
				require.Equal(t, ring.Node{DC: "d" + name, Rack: "r" + name, Tokens: []int64{int64(100 * (i + 1))}}, node)
			}
		}
	}
}

func TestNodesOfAnotherPartitionerAreRefused(t *testing.T) {
	_, err := racksOf(t, 1, "org.apache.cassandra.dht.RandomPartitioner").Nodes(t.Context())
	require.ErrorIs(t, err, driver.ErrPartitioner)
	require.ErrorContains(t, err, "RandomPartitioner")
}

func TestAMapOfTextsIsRead(t *testing.T) {
	whole := []byte{0, 0, 0, 2, 0, 0, 0, 1, 'a', 0, 0, 0, 1, 'b', 0, 0, 0, 1, 'c', 0, 0, 0, 0}
	got, err := driver.TextMap(whole)
	require.NoError(t, err)
	require.Equal(t, map[string]string{"a": "b", "c": ""}, got)
	for n := range whole {
		_, err := driver.TextMap(whole[:n])
		require.Error(t, err, "%d bytes", n)
	}
	for _, count := range []byte{0x80, 0xff} { // more than there can be
		_, err := driver.TextMap([]byte{count, 0, 0, 1, 0, 0, 0, 1, 'a'})
		require.Error(t, err)
	}
}
