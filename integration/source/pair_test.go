package source_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/ringtest"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestConformanceOfTablePair(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	made := map[int]bool{}
	type row struct {
		N int `cql:"n"`
	}
	type pair = rxcql.Pair[row, row]
	// stream pairs two tables of so many rows in all: partitions of ten, of which rows are in one
	// of the tables or in both.
	stream := func(t testing.TB, rows int, opts ...source.PairOption) rxcql.Stream[pair] {
		left, right := fmt.Sprintf("%s.l%d", ks, rows), fmt.Sprintf("%s.r%d", ks, rows)
		if !made[rows] {
			made[rows] = true
			require.NoError(t, session.Query("CREATE TABLE "+left+" (p int, n int, PRIMARY KEY (p, n))").Exec())
			require.NoError(t, session.Query("CREATE TABLE "+right+" (id int, n int, PRIMARY KEY (id, n))").Exec())
			for n := range rows {
				if n%3 != 0 {
					require.NoError(t, session.Query("INSERT INTO "+left+" (p, n) VALUES (?, ?)", n/10, n).Exec())
				}
				if n%3 != 1 {
					require.NoError(t, session.Query("INSERT INTO "+right+" (id, n) VALUES (?, ?)", n/10, n).Exec())
				}
			}
		}
		return source.TablePair[row, row](session, left, session, right, opts...)
	}
	for name, opts := range map[string][]source.PairOption{
		"in pages of four":    {source.PageRows(4)},
		"in pages of its own": {source.PageRows(1), source.Right(source.PageRows(3)), source.Splits(2)},
	} {
		t.Run(name, func(t *testing.T) {
			rxcqltest.TestSource(t, func(t testing.TB) rxcqltest.SourcePlace[pair] {
				return rxcqltest.SourcePlace[pair]{
					Stream:    func(rows int) rxcql.Stream[pair] { return stream(t, rows, opts...) },
					Number:    func(p pair) int { return max(p.Left.N, p.Right.N) },
					Unordered: true, // by token
				}
			})
		})
	}
}

func TestADecimalWithMoreDigitsIsTheSameRowToAPair(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	for i, table := range []string{"l", "r"} {
		exec(t, session, "CREATE TABLE %s.%s (p int, c decimal, v int, PRIMARY KEY (p, c))", ks, table)
		for c, text := range []string{"1.0", "2", "-3"} {
			exec(t, session, "INSERT INTO %s.%s (p, c, v) VALUES (1, %s, %d)", ks, table, text+[]string{"", "e0"}[i], c)
		}
	}
	exec(t, session, "INSERT INTO %s.r (p, c, v) VALUES (2, 1.00, 7)", ks)
	exec(t, session, "INSERT INTO %s.l (p, c, v) VALUES (2, 1.000, 7)", ks)
	type row struct {
		V int `cql:"v"`
	}
	rows, err := source.TablePair[row, row](session, ks+".l", session, ks+".r").Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, rows, 4)
	for _, p := range rows {
		require.True(t, p.Both())
		require.Equal(t, p.Left, p.Right)
	}
}

func TestAPartitionOfStaticColumnsAloneIsARowOfItsOwnInAPair(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	for _, table := range []string{"l", "r"} {
		exec(t, session, "CREATE TABLE %s.%s (p int, c int, s text static, v int, PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (c DESC)", ks, table)
		exec(t, session, "INSERT INTO %s.%s (p, s) VALUES (1, 'both')", ks, table)
		exec(t, session, "INSERT INTO %s.%s (p, s) VALUES (2, 'with rows')", ks, table)
	}
	exec(t, session, "INSERT INTO %s.r (p, c, v) VALUES (2, 5, 6)", ks)
	exec(t, session, "INSERT INTO %s.l (p, s) VALUES (3, 'left')", ks)
	type row struct {
		P int    `cql:"p"`
		C *int   `cql:"c"`
		S string `cql:"s"`
	}
	rows, err := source.TablePair[row, row](session, ks+".l", session, ks+".r").Collect(t.Context())
	require.NoError(t, err)
	five := 5
	require.ElementsMatch(t, []rxcql.Pair[row, row]{
		{Left: row{1, nil, "both"}, Right: row{1, nil, "both"}, HasLeft: true, HasRight: true},
		{Left: row{2, nil, "with rows"}, HasLeft: true},
		{Right: row{2, &five, "with rows"}, HasRight: true},
		{Left: row{3, nil, "left"}, HasLeft: true},
	}, rows)
}

// pairOfBlobs is a table of blobs with a number a row, which is the same in both tables.
type pairOfBlobs struct {
	K []byte `cql:"k"`
	C int    `cql:"c"`
	N int    `cql:"n"`
}

// fillPair makes two tables with wide partitions, partitions of one token, and rows of one side
// only, and returns which rows are where.
func fillPair(t *testing.T, session *gocql.Session, ks string, seed uint64) (left, right map[int]bool) {
	random := rand.New(rand.NewPCG(seed, 11))
	left, right = map[int]bool{}, map[int]bool{}
	for _, table := range []string{"l", "r"} {
		exec(t, session, "CREATE TABLE IF NOT EXISTS %s.%s%d (k blob, c int, n int, pad blob, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c DESC)", ks, table, seed)
	}
	n := 0
	for p := range 25 {
		k, rows := ringtest.KeyOf(int64(p/4)<<61, uint64(p)), 1+random.IntN(8)
		if p%10 == 3 {
			rows = 400
		}
		for _, table := range []string{"l", "r"} {
			of, seen := session.NewBatch(gocql.UnloggedBatch), left
			if table == "r" {
				seen = right
			}
			for c := range rows {
				if random.IntN(4) > 0 {
					seen[n+c] = true
					of.Query(fmt.Sprintf("INSERT INTO %s.%s%d (k, c, n, pad) VALUES (?, ?, ?, ?)", ks, table, seed), k, c, n+c, make([]byte, random.IntN(300)))
				}
			}
			if of.Size() > 0 {
				require.NoError(t, session.ExecuteBatch(of))
			}
		}
		n += rows
	}
	return left, right
}

func TestPairsOfARealServerAreTheFullOuterJoinAlsoInJobsThatAreBrokenOff(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	for seed := range uint64(4) {
		random := rand.New(rand.NewPCG(seed, 12))
		left, right := fillPair(t, session, ks, seed)
		all := map[int]bool{}
		for n := range left {
			all[n] = true
		}
		for n := range right {
			all[n] = true
		}
		store, broken, given := &jobtest.Store{}, errors.New("broken off"), map[int]bool{}
		for run := 0; ; run++ {
			require.Less(t, run, 8)
			pairs := source.TablePair[pairOfBlobs, rxcql.Row](session, fmt.Sprintf("%s.l%d", ks, seed), session, fmt.Sprintf("%s.r%d", ks, seed),
				source.PageRows([]int{1, 7, 100, 10_000}[seed]), source.Right(source.PageRows(5)), source.Splits(1+int(seed)*5))
			ctx, cancel := context.WithCancelCause(t.Context())
			last := 1 + random.IntN(len(all)/2)
			p, err := rxcql.New(pairs, sink.Each(func(_ context.Context, p rxcql.Pair[pairOfBlobs, rxcql.Row]) error {
				n := p.Left.N
				if p.HasRight {
					right, err := rxcql.Value[int](p.Right, "n")
					require.NoError(t, err)
					require.True(t, !p.HasLeft || n == right)
					n = right
				}
				require.Equal(t, left[n], p.HasLeft)
				require.Equal(t, right[n], p.HasRight)
				given[n] = true
				if last--; last == 0 && run < 6 {
					cancel(broken)
				}
				return nil
			}, sink.Idempotent()), rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(20*time.Millisecond)),
				rxcql.WithBudget(rxcql.MinBudgetPerInput), rxcql.WithWorkers(8))
			require.NoError(t, err)
			report, err := p.Run(ctx)
			cancel(nil)
			require.Zero(t, report.BytesInFlight)
			if report.Complete {
				require.NoError(t, err)
				require.EqualValues(t, len(all), report.ReadRows+report.ResumedRows)
				break
			}
			require.ErrorIs(t, err, broken)
		}
		require.Equal(t, all, given)
	}
}
