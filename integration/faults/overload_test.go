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
	start    time.Time
	from, to time.Duration
	few      int

	mu    sync.Mutex
	out   int
	peaks []int // writes at once, by quarters of a second
	calls []int // likewise, those that were answered well
}

const slot = 250 * time.Millisecond

func (n *narrow) decide(r request) fate {
	if r.op != primitive.OpCodeExecute || r.read() {
		return fate{}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.out++
	now := time.Since(n.start)
	i := int(now / slot)
	for len(n.peaks) <= i {
		n.peaks, n.calls = append(n.peaks, 0), append(n.calls, 0)
	}
	n.peaks[i] = max(n.peaks[i], n.out)
	f := fate{delay: 20 * time.Millisecond, done: func() {
		n.mu.Lock()
		n.out--
		n.mu.Unlock()
	}}
	if now > n.from && now < n.to && n.out > n.few {
		f.stop, f.answer = true, &message.Overloaded{ErrorMessage: "too much"}
	} else {
		n.calls[i]++
	}
	return f
}

func TestFaultsThroughputComesBackAfterOverload(t *testing.T) {
	direct, ks := cassandra.Keyspace(t, cluster)
	exec(t, direct, "CREATE TABLE "+ks+".t (p int PRIMARY KEY, v int)")
	n := &narrow{start: time.Now(), from: 3 * time.Second, to: 6 * time.Second, few: 4}
	session := through(t, stand(t, ks, n.decide), patient)
	type row struct {
		P int `cql:"p"`
		V int `cql:"v"`
	}
	in := source.Seq(func(yield func(row, error) bool) {
		for i := 0; time.Since(n.start) < 11*time.Second; i++ {
			if !yield(row{i, i}, nil) {
				return
			}
		}
	})
	p, err := rxcql.New(in, sink.Table[row](session, ks+".t"))
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, rep.ReadRows, rep.Written)
	n.mu.Lock()
	defer n.mu.Unlock()
	t.Logf("writes at once, by quarters of a second: %v", n.peaks)
	t.Logf("writes done in them: %v; %d retried", n.calls, rep.Retried)
	require.GreaterOrEqual(t, slices.Max(n.peaks[8:12]), 60, "before")
	require.LessOrEqual(t, slices.Max(n.peaks[18:23]), 12, "in the middle of it")
	require.GreaterOrEqual(t, slices.Max(n.peaks[40:44]), 60, "after")
	require.Less(t, rep.Retried, int64(300), "as many again and again as before")
	before, after := n.calls[8:12], n.calls[40:44]
	require.Greater(t, 2*sum(after), sum(before))
}

func sum(all []int) (s int) {
	for _, n := range all {
		s += n
	}
	return s
}
