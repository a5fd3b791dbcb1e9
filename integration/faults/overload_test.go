package faults_test

import (
	"context"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// narrow is a server that is slow, and for a while bears few writes at once.
type narrow struct {
	from, to int // of the writes that it answers well
	few      int

	mu    sync.Mutex
	out   int
	good  int   // answered well
	peaks []int // writes at once, by slots of those
}

// slot is how many writes answered well a peak is of.
const slot = 100

func (n *narrow) decide(r request) fate {
	if r.op != primitive.OpCodeExecute || r.read() {
		return fate{}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.out++
	for len(n.peaks) <= n.good/slot {
		n.peaks = append(n.peaks, 0)
	}
	n.peaks[n.good/slot] = max(n.peaks[n.good/slot], n.out)
	f := fate{delay: 60 * time.Millisecond, done: func() {
		n.mu.Lock()
		n.out--
		n.mu.Unlock()
	}}
	if n.good >= n.from && n.good < n.to && n.out > n.few {
		f.stop, f.answer = true, &message.Overloaded{ErrorMessage: "too much"}
	} else {
		n.good++
	}
	return f
}

func TestFaultsThroughputComesBackAfterOverload(t *testing.T) {
	direct, ks := cassandra.Keyspace(t, cluster)
	exec(t, direct, "CREATE TABLE "+ks+".t (p int PRIMARY KEY, v int)")
	n := &narrow{from: 3000, to: 3600, few: 4}
	session := through(t, stand(t, ks, n.decide), patient)
	type row struct {
		P int `cql:"p"`
		V int `cql:"v"`
	}
	const rows = 9000
	in := source.Seq(func(yield func(row, error) bool) {
		for i := 0; i < rows && yield(row{i, i}, nil); i++ {
		}
	})
	p, err := rxcql.New(in, sink.Table[row](session, ks+".t"))
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, []int64{rows, rows}, []int64{rep.ReadRows, rep.Written})
	n.mu.Lock()
	defer n.mu.Unlock()
	t.Logf("writes at once, by %d that were answered well: %v; %d retried", slot, n.peaks, rep.Retried)
	require.GreaterOrEqual(t, slices.Max(n.peaks[20:30]), 60, "before")
	require.LessOrEqual(t, slices.Max(n.peaks[32:36]), 12, "in the middle of it")
	require.GreaterOrEqual(t, slices.Max(n.peaks[70:]), 60, "after")
	require.Less(t, rep.Retried, int64(300), "as many again and again as before")
}
