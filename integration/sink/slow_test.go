package sink_test

import (
	"context"
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

	table := source.Table[copied](session, ks+".t")
	begin := time.Now()
	n, err := table.Count(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, rows, n)
	slow := 100 * time.Since(begin) / rows // for one row
	t.Logf("a row is read in %v and written in %v", slow/100, slow)

	var written atomic.Int64
	p, err := rxcql.New(table, sink.Each(func(context.Context, copied) error {
		written.Add(1)
		time.Sleep(slow)
		return nil
	}), rxcql.WithBudget(budget))
	require.NoError(t, err)
	var before, now runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	ended := make(chan error, 1)
	go func() {
		_, err := p.Run(context.Background())
		ended <- err
	}()
	var heap, flight int64
	for range 50 {
		time.Sleep(100 * time.Millisecond)
		rep := p.Progress()
		most := rep.Budget + int64(rep.PeakFetches)*rep.LargestPage
		require.LessOrEqual(t, rep.BytesInFlight, most)
		require.LessOrEqual(t, rep.PeakBytes, most)
		runtime.GC()
		runtime.ReadMemStats(&now)
		heap, flight = max(heap, int64(now.HeapAlloc)-int64(before.HeapAlloc)), max(flight, rep.BytesInFlight)
	}
	require.Positive(t, written.Load())
	require.Less(t, written.Load(), int64(rows/2), "it is still at work")
	p.Stop()
	require.NoError(t, <-ended)
	require.Less(t, heap, int64(8*budget), "what is in memory is not what is counted")
	t.Logf("in 5 s: %d rows written, at most %d bytes in flight of %d, heap grew by %d", written.Load(), flight, budget, heap)
}
