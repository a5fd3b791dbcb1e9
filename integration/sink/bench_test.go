package sink_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"runtime/pprof"
	"syscall"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

var (
	copyRows    = flag.Int("copy.rows", 20_000, "rows of the table that the copy tests copy")
	copyUneven  = flag.Bool("copy.uneven", false, "partitions of 1 to 100 rows in place of 100")
	copyProfile = flag.String("copy.profile", "", "file for a CPU profile of the toolkit's copy")
)

const copyPartition = 100 // rows

type copied struct {
	P int64   `cql:"p"`
	C int32   `cql:"c"`
	A string  `cql:"a"`
	B int64   `cql:"b"`
	D float64 `cql:"d"`
}

const copyColumns = "(p bigint, c int, a text, b bigint, d double, PRIMARY KEY (p, c))"

func fill(t testing.TB, session *gocql.Session, table string, rows int) {
	t.Helper()
	seq := func(yield func(copied, error) bool) {
		left, p, c := copyPartition, 0, 0
		for i := range rows {
			if left == 0 {
				p, c, left = p+1, 0, copyPartition
				if *copyUneven {
					left = 1 + p*37%copyPartition
				}
			}
			if !yield(copied{int64(p), int32(c), fmt.Sprint("text of row ", i), int64(i), float64(i)}, nil) {
				return
			}
			c, left = c+1, left-1
		}
	}
	run(t, source.Seq(seq), sink.Table[copied](session, table))
}

func run[T any](t testing.TB, in rxcql.Stream[T], out rxcql.Sink[T], opts ...rxcql.Option) rxcql.Report {
	t.Helper()
	p, err := rxcql.New(in, out, opts...)
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	require.True(t, rep.Complete)
	return rep
}

func cpu() time.Duration {
	var u syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// measure gives the process's CPU a row.
func measure(t testing.TB, name string, rows int, fn func()) float64 {
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	used, start := cpu(), time.Now()
	fn()
	perRow := float64((cpu() - used).Nanoseconds()) / 1000 / float64(rows)
	runtime.ReadMemStats(&after)
	t.Logf("%-12s %.2f µs of CPU a row, %5.0f B and %.2f allocations a row, %3d collections, %.0f rows/s", name, perRow,
		float64(after.TotalAlloc-before.TotalAlloc)/float64(rows), float64(after.Mallocs-before.Mallocs)/float64(rows),
		after.NumGC-before.NumGC, float64(rows)/time.Since(start).Seconds())
	return perRow
}

// copyByHand is what people write: 8 workers over token ranges, unlogged
// batches of 100 rows of a partition, 64 in flight.
func copyByHand(ctx context.Context, session *gocql.Session, from, to string) error {
	const workers, inFlight = 8, 64
	write, ctx := errgroup.WithContext(ctx)
	read, ctx := errgroup.WithContext(ctx) // its end must not end the writes
	writes := context.WithoutCancel(ctx)
	write.SetLimit(inFlight)
	insert := "INSERT INTO " + to + " (p, c, a, b, d) VALUES (?, ?, ?, ?, ?)"
	step := ^uint64(0)/workers + 1
	for i := range workers {
		low := int64(-1<<63) + int64(uint64(i)*step)
		high := int64(-1<<63) + int64(uint64(i+1)*step-1)
		read.Go(func() error {
			iter := session.Query("SELECT p, c, a, b, d FROM "+from+" WHERE token(p) >= ? AND token(p) <= ?", low, high).
				WithContext(ctx).PageSize(5000).Iter()
			var row copied
			var last int64
			batch := session.NewBatch(gocql.UnloggedBatch).WithContext(writes)
			send := func() {
				if b := batch; b.Size() > 0 {
					write.Go(func() error { return session.ExecuteBatch(b) })
					batch = session.NewBatch(gocql.UnloggedBatch).WithContext(writes)
				}
			}
			for iter.Scan(&row.P, &row.C, &row.A, &row.B, &row.D) {
				if row.P != last || batch.Size() == copyPartition {
					send()
				}
				last = row.P
				batch.Query(insert, row.P, row.C, row.A, row.B, row.D)
			}
			send()
			return iter.Close()
		})
	}
	return errors.Join(read.Wait(), write.Wait())
}

// It is no assertion of speed, which belongs to a quiet machine: run it with
// -v and -copy.rows=1000000.
func TestCopyingATableCostsLessThanByHand(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	for _, name := range []string{"source", "hand", "structs", "raw"} {
		require.NoError(t, session.Query("CREATE TABLE "+name+" "+copyColumns).Exec())
	}
	measure(t, "filling", *copyRows, func() { fill(t, session, ks+".source", *copyRows) })
	rounds := 1
	if *copyRows > 100_000 {
		rounds = 2
	}
	for range rounds {
		hand := measure(t, "by hand", *copyRows, func() {
			require.NoError(t, copyByHand(context.Background(), session, ks+".source", ks+".hand"))
		})
		if *copyProfile != "" {
			f, err := os.Create(*copyProfile)
			require.NoError(t, err)
			require.NoError(t, pprof.StartCPUProfile(f))
		}
		structs := measure(t, "structs", *copyRows, func() {
			run(t, source.Table[copied](session, ks+".source"), sink.Table[copied](session, ks+".structs"))
		})
		pprof.StopCPUProfile()
		raw := measure(t, "rxcql.Row", *copyRows, func() {
			run(t, source.Table[rxcql.Row](session, ks+".source"), sink.Table[rxcql.Row](session, ks+".raw"))
		})
		t.Logf("of the hand's CPU: structs %.2f, rxcql.Row %.2f", structs/hand, raw/hand)
	}
	for _, name := range []string{"hand", "structs", "raw"} {
		n, err := source.Table[copied](session, ks+"."+name).Count(context.Background())
		require.NoError(t, err)
		require.EqualValues(t, *copyRows, n, name)
	}
}
