package faults_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

type original struct {
	P int    `cql:"p"`
	C int    `cql:"c"`
	V string `cql:"v"`
}

type plain struct {
	Seed int `cql:"seed"`
	original
}

type listed struct {
	Seed int `cql:"seed"`
	original
	L []int `cql:"l"`
}

const perPartition = 37

// originals fills a table with 1480 rows of 40 partitions.
func originals(t *testing.T, session *gocql.Session, table string) map[[2]int]string {
	exec(t, session, "CREATE TABLE "+table+" (p int, c int, v text, PRIMARY KEY (p, c))")
	all := map[[2]int]string{}
	for p := range 40 {
		b := session.NewBatch(gocql.UnloggedBatch)
		for c := range perPartition {
			all[[2]int{p, c}] = fmt.Sprint("text ", p, " ", c)
			b.Query("INSERT INTO "+table+" (p, c, v) VALUES (?, ?, ?)", p, c, all[[2]int{p, c}])
		}
		require.NoError(t, session.ExecuteBatch(b))
	}
	return all
}

func TestFaultsReconcileForEverySeedFromTableToTable(t *testing.T) {
	direct, ks := cassandra.Keyspace(t, cluster)
	all := originals(t, direct, ks+".src")
	exec(t, direct, "CREATE TABLE "+ks+".plain (seed int, p int, c int, v text, PRIMARY KEY ((seed, p), c))")
	exec(t, direct, "CREATE TABLE "+ks+".listed (seed int, p int, c int, v text, l list<int>, PRIMARY KEY ((seed, p), c))")

	for seed := range *seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			c := newChance(uint64(seed))
			session := through(t, stand(t, ks, c.decide), impatient)
			few := []sink.TableOption{sink.BatchRows(10), sink.InFlight(16)}
			src := source.Table[original](session, ks+".src", source.Splits(8), source.PageRows(30))
			kept := operators.Filter(src, func(o original) bool { return o.C > 0 })
			var rep rxcql.Report
			table := ks + ".plain"
			if seed%2 == 0 {
				rep = copied(t, operators.Map(kept, func(o original) (plain, error) { return plain{seed, o}, nil }),
					sink.Table[plain](session, table, few...))
			} else {
				table = ks + ".listed"
				rep = copied(t, operators.Map(kept, func(o original) (listed, error) { return listed{seed, o, []int{o.P, o.C}}, nil }),
					sink.Table[listed](session, table, few...))
			}
			require.EqualValues(t, len(all), rep.ReadRows)
			require.EqualValues(t, 40, rep.Filtered)
			require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered)
			require.Zero(t, rep.Unknown)
			require.True(t, rep.Complete)
			if c.fails() > 0 {
				require.Positive(t, rep.Retried)
			}
			require.GreaterOrEqual(t, rep.EmptyPages, int64(c.other["empty page"]))
			arrived(t, direct, table, seed, all)
			t.Logf("%d %%: %v, %v: %d retried in %v", c.percent, c.failed, c.other, rep.Retried, rep.Duration.Round(time.Millisecond))
		})
	}
}

func copied[T any](t *testing.T, in rxcql.Stream[T], to rxcql.Sink[T], opts ...rxcql.Option) rxcql.Report {
	t.Helper()
	p, err := rxcql.New(in, to, opts...)
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	return rep
}

// arrived compares the rows that a seed has written with the originals.
func arrived(t *testing.T, session *gocql.Session, table string, seed int, all map[[2]int]string) {
	t.Helper()
	lists := table[len(table)-6:] == "listed"
	columns := "p, c, v"
	if lists {
		columns += ", l"
	}
	found := 0
	for p := range 40 {
		iter := session.Query("SELECT "+columns+" FROM "+table+" WHERE seed = ? AND p = ?", seed, p).Iter()
		var row listed
		to := []any{&row.P, &row.C, &row.V, &row.L}[:3]
		if lists {
			to = to[:4]
		}
		for iter.Scan(to...) {
			found++
			require.Equal(t, all[[2]int{row.P, row.C}], row.V)
			if lists {
				require.Equal(t, []int{row.P, row.C}, row.L)
			}
		}
		require.NoError(t, iter.Close())
	}
	require.Equal(t, len(all)-40, found)
}
