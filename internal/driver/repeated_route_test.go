package driver_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
)

// routing is a host policy that notes by which keys requests are routed.
type routing struct {
	gocql.HostSelectionPolicy
	mu   sync.Mutex
	keys [][]byte
}

func (r *routing) Pick(q gocql.ExecutableQuery) gocql.NextHost {
	if q != nil {
		if key, err := q.GetRoutingKey(); err == nil && key != nil {
			r.mu.Lock()
			r.keys = append(r.keys, slices.Clone(key))
			r.mu.Unlock()
		}
	}
	return r.HostSelectionPolicy.Pick(q)
}

func TestARepeatedStatementIsRoutedByThePartitionKeyThatComesWithIt(t *testing.T) {
	policy := &routing{HostSelectionPolicy: gocql.RoundRobinHostPolicy()}
	s := serve(t, &script{params: params[:1], results: one, keys: []uint16{0}, execute: func(*message.Execute) message.Message {
		return rows(one, nil, message.Row{[]byte("a")})
	}}, func(c *gocql.ClusterConfig) { c.PoolConfig.HostSelectionPolicy = policy })
	var r driver.Repeated
	for i, given := range [][]byte{nil, {8}, nil, {9}} { // not what is bound, so that the two are told apart
		st := driver.Statement{CQL: selectByKey, Args: driver.Bind(nil, []driver.Value{{Bytes: []byte{0, 0, 0, byte(i)}}}), PartitionKey: given}
		_, err := r.Fetch(t.Context(), s, &st, 2, nil)
		require.NoError(t, err)
	}
	require.Equal(t, [][]byte{{0, 0, 0, 0}, {8}, {0, 0, 0, 2}, {9}}, policy.keys)
}
