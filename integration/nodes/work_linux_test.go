package nodes_test

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/sink"
)

// nodeTime is the CPU time that the nodes have used.
func nodeTime(t testing.TB) (all time.Duration) {
	t.Helper()
	for _, node := range cluster.Nodes() {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", node.Pid()))
		require.NoError(t, err)
		fields := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
		for _, field := range fields[11:13] { // utime and stime, in hundredths of a second
			ticks, err := strconv.ParseInt(field, 10, 64)
			require.NoError(t, err)
			all += time.Duration(ticks) * 10 * time.Millisecond
		}
	}
	return all
}

// BenchmarkLoad says what the nodes do for rows in an order that spreads partitions.
func BenchmarkLoad(b *testing.B) {
	const rows = 40_000
	for _, way := range []struct {
		name string
		opts []sink.TableOption
	}{
		{"single rows", nil},
		{"by replica set", []sink.TableOption{sink.BatchByReplicaSet(0, 0)}},
		{"by replica set, 100 partitions", []sink.TableOption{sink.BatchByReplicaSet(100, 48<<10)}},
	} {
		b.Run(way.name, func(b *testing.B) {
			used, n := nodeTime(b), 0
			for b.Loop() {
				load(b, rows, way.opts...)
				n += rows
			}
			b.ReportMetric(float64((nodeTime(b)-used).Microseconds())/float64(n), "node-µs/row")
			b.ReportMetric(float64(n)/b.Elapsed().Seconds(), "rows/s")
		})
	}
}
