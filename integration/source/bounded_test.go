package source_test

import (
	"context"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

type blob struct {
	PK int    `cql:"pk"`
	V  []byte `cql:"v"`
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

	for _, budget := range []int64{rxcql.MinBudgetPerInput, 4 << 20, 32 << 20} {
		seen := make([]int, rows)
		slow := sink.Each(func(_ context.Context, b blob) error {
			time.Sleep(time.Millisecond)
			seen[b.PK]++
			return nil
		})
		p, err := rxcql.New(source.Table[blob](session, ks+".t"), slow, rxcql.WithBudget(budget))
		require.NoError(t, err)
		report, err := p.Run(t.Context())
		require.NoError(t, err)
		for pk, times := range seen {
			require.Equal(t, 1, times, "row %d", pk)
		}
		require.GreaterOrEqual(t, report.ReadBytes, all)
		require.Greater(t, report.LargestPage, largest)
		require.LessOrEqual(t, report.PeakBytes, budget+int64(report.PeakFetches)*report.LargestPage)
		require.Zero(t, report.BytesInFlight)
		t.Logf("budget %d: peak %d, largest page %d, fetches at once %d, of %d bytes in all",
			budget, report.PeakBytes, report.LargestPage, report.PeakFetches, all)
	}
}
