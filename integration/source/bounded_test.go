package source_test

import (
	"context"
	"math/rand/v2"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

type blob struct {
	PK int    `cql:"pk"`
	V  []byte `cql:"v"`
}

// pieces is a pipeline between a table and a sink, both of blobs.
type pieces struct {
	name     string
	through  func(rxcql.Stream[blob]) rxcql.Stream[blob]
	sinks    int // that every row goes to, and that keep it while they write
	inFlight int
}

func holders() []pieces {
	call := func(_ context.Context, b blob) (blob, error) {
		time.Sleep(time.Duration(b.PK%7) * time.Millisecond)
		return b, nil
	}
	concurrent := func(n int, opts ...operators.MapConcurrentOption) func(rxcql.Stream[blob]) rxcql.Stream[blob] {
		return func(s rxcql.Stream[blob]) rxcql.Stream[blob] { return operators.MapConcurrent(s, n, call, opts...) }
	}
	nothing := func(s rxcql.Stream[blob]) rxcql.Stream[blob] { return s }
	return []pieces{
		{"nothing", nothing, 1, 1},
		{"calls in flight", nothing, 1, 16},
		{"MapConcurrent", concurrent(8), 1, 16},
		{"MapConcurrent Unordered", concurrent(8, operators.Unordered()), 1, 16},
		{"Batch and FlatMap", batched, 1, 16},
		{"GroupAdjacent", grouped, 1, 16},
		{"Tee", nothing, 3, 16},
	}
}

// batched gathers rows and takes them apart again.
func batched(s rxcql.Stream[blob]) rxcql.Stream[blob] {
	batches := operators.Batch(s, operators.BatchRows(10), operators.BatchLinger(10*time.Millisecond))
	return operators.FlatMap(batches, func(rows []blob, emit func(blob) bool) error {
		for _, row := range rows {
			emit(row)
		}
		return nil
	})
}

// grouped makes a group of every row and keeps the row in it.
func grouped(s rxcql.Stream[blob]) rxcql.Stream[blob] {
	groups := operators.GroupAdjacent(s, func(b blob) int { return b.PK }, func() blob { return blob{} },
		func(_ blob, b blob) (blob, error) { return b, nil })
	return operators.Map(groups, func(g operators.Group[int, blob]) (blob, error) { return g.Value, nil })
}

// slow is a sink that counts how often it got each row.
func slow(seen []atomic.Int64, inFlight int) rxcql.Sink[blob] {
	return sink.Each(func(_ context.Context, b blob) error {
		time.Sleep(time.Millisecond)
		seen[b.PK].Add(1)
		return nil
	}, sink.InFlight(inFlight))
}

func TestMemoryStaysBoundedWithASlowSinkAndRowsFromTenBytesToFiveMegabytes(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE %s.t (pk int PRIMARY KEY, v blob)", ks)
	random := rand.New(rand.NewPCG(1, 2))
	const rows = 400
	var all, largest int64
	for pk := range rows {
		size := 10
		switch {
		case pk%40 == 7:
			size = 5_000_000
		case pk%10 == 3:
			size = 100_000 + random.IntN(400_000)
		case pk%2 == 0:
			size = 10 + random.IntN(10_000)
		}
		require.NoError(t, session.Query("INSERT INTO "+ks+".t (pk, v) VALUES (?, ?)", pk, make([]byte, size)).Exec())
		all, largest = all+int64(size), max(largest, int64(size))
	}

	for _, hold := range holders() {
		for _, each := range []struct {
			budget  int64
			workers int
		}{{rxcql.MinBudgetPerInput, 1}, {4 << 20, 1}, {rxcql.MinBudgetPerInput, 4}, {32 << 20, 4}} {
			budget := each.budget
			seen := make([]atomic.Int64, rows)
			sinks := make([]rxcql.Sink[blob], hold.sinks)
			for i := range sinks {
				sinks[i] = slow(seen, hold.inFlight)
			}
			in := hold.through(source.Table[blob](session, ks+".t"))
			p, err := rxcql.New(in, sink.Tee(sinks...), rxcql.WithBudget(budget), rxcql.WithWorkers(each.workers))
			require.NoError(t, err, hold.name)
			report, err := p.Run(t.Context())
			require.NoError(t, err, hold.name)
			for pk := range seen {
				require.EqualValues(t, hold.sinks, seen[pk].Load(), "%s: row %d", hold.name, pk)
			}
			promised := budget + int64(report.PeakFetches)*report.LargestPage
			require.GreaterOrEqual(t, report.ReadBytes, all, hold.name)
			require.Greater(t, report.LargestPage, largest, hold.name)
			require.LessOrEqual(t, report.PeakBytes, int64(hold.sinks)*promised, hold.name)
			require.Zero(t, report.BytesInFlight, hold.name)
			t.Logf("%s, budget %d, %d workers: peak %d, %.2f of what is promised, largest page %d, fetches at once %d, of %d bytes in all",
				hold.name, budget, each.workers, report.PeakBytes, float64(report.PeakBytes)/float64(promised), report.LargestPage, report.PeakFetches, all)
		}
	}
}
