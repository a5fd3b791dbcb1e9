package sink_test

import (
	"context"
	"math"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestSlowSinkHoldsNoMoreThanThePromise(t *testing.T) {
	const rows, budget = 40_000, 1 << 20
	session, ks := cassandra.Keyspace(t, cluster)
	require.NoError(t, session.Query("CREATE TABLE t (p bigint, c int, a text, b bigint, d double, PRIMARY KEY (p, c))").Exec())
	text := strings.Repeat("x", 1000)
	run(t, source.Seq(func(yield func(copied, error) bool) {
		for i := 0; i < rows && yield(copied{P: int64(i / 100), C: int32(i % 100), A: text, B: int64(i)}, nil); i++ {
		}
	}), sink.Table[copied](session, ks+".t"))

	var written atomic.Int64
	write := make(chan struct{})
	p, err := rxcql.New(source.Table[copied](session, ks+".t"), sink.Each(func(context.Context, copied) error {
		<-write
		written.Add(1)
		return nil
	}), rxcql.WithBudget(budget))
	require.NoError(t, err)
	before := alive()
	ended := make(chan error, 1)
	go func() {
		_, err := p.Run(context.Background())
		ended <- err
	}()
	var heap, flight int64
	const looks, eachTime = 50, 100
	for range looks {
		for range eachTime {
			select {
			case write <- struct{}{}:
			case err := <-ended:
				require.Fail(t, "the run has ended", "%v", err)
			}
		}
		time.Sleep(50 * time.Millisecond) // so that more is read, if anything lets it
		rep := p.Progress()
		most := rep.Budget + int64(rep.PeakFetches)*rep.LargestPage
		require.LessOrEqual(t, rep.BytesInFlight, most)
		require.LessOrEqual(t, rep.PeakBytes, most)
		heap, flight = max(heap, alive()-before), max(flight, rep.BytesInFlight)
	}
	require.LessOrEqual(t, written.Load(), int64(looks*eachTime), "it is still at work")
	p.Stop()
	close(write)
	require.NoError(t, <-ended)
	require.Less(t, heap, int64(8*budget), "what is in memory is not what is counted")
	t.Logf("%d rows written, at most %d bytes in flight of %d, heap grew by %d", written.Load(), flight, budget, heap)
}

// alive is how many bytes of the heap are in use: the least of several measures, as what has just
// become garbage may count in one of them.
func alive() int64 {
	least := int64(math.MaxInt64)
	for range 3 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		least = min(least, int64(m.HeapAlloc))
	}
	return least
}
