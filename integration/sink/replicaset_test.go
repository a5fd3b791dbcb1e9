package sink_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// spread makes rows of partitions of their own, each written twice.
func spread(n int) (all []event, want map[int64]string) {
	want = map[int64]string{}
	for _, version := range []string{"first", "second"} {
		for p := range int64(n) {
			v := version + strings.Repeat("x", int(p%50))
			all = append(all, event{p, 1, text(v)})
			want[p] = v
		}
	}
	return all, want
}

func TestRowsByReplicaSetAreAllThereAndTheLaterWins(t *testing.T) {
	for name, opts := range map[string][]sink.TableOption{
		"at the defaults":         {sink.BatchByReplicaSet(0, 0)},
		"at what servers take":    {sink.BatchByReplicaSet(100, 48<<10)},
		"in the order of tokens":  {sink.BatchByReplicaSet(100, 48<<10), sink.SortByToken()},
		"above what servers take": {sink.BatchByReplicaSet(1000, 1<<20), sink.BatchRows(1000)},
	} {
		t.Run(name, func(t *testing.T) {
			var o observer
			session, ks := cassandra.Keyspace(t, cluster, observed(&o))
			create(t, session, "CREATE TABLE t "+eventColumns)
			all, want := spread(3000)
			// A machine that is slow must not end batches before they are full.
			rep := run(t, rows(all...), sink.Table[event](session, ks+".t", append(opts, sink.BatchLinger(time.Minute))...))
			require.EqualValues(t, len(all), rep.Written)
			require.Less(t, len(o.requests), len(all)/8)

			got := map[int64]string{}
			iter := session.Query("SELECT p, v FROM t").Iter()
			var p int64
			for v := ""; iter.Scan(&p, &v); {
				got[p] = v
			}
			require.NoError(t, iter.Close())
			require.Equal(t, want, got)
		})
	}
}

func TestBadRowsAmongThoseOfAReplicaSetCostThemselvesOnly(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t (p text, c int, v text, PRIMARY KEY (p, c))")
	type row struct {
		P string  `cql:"p"`
		C int32   `cql:"c"`
		V *string `cql:"v"`
	}
	var all []row
	for i := range 200 {
		p := "k" + strings.Repeat("x", i)
		if i%100 < 40 {
			p = strings.Repeat("x", 1<<16+i) // longer than a key can be
		}
		all = append(all, row{P: p, V: text("v")})
	}
	p, err := rxcql.New(rows(all...), sink.Table[row](session, ks+".t", sink.BatchByReplicaSet(100, 16<<20)),
		rxcql.WithRowErrors(rxcql.SkipRows(1000)))
	require.NoError(t, err)
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 120, rep.Written)
	require.EqualValues(t, 80, rep.Skipped)
}

func TestATableDroppedUnderBatchesByReplicaSetEndsTheRun(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+eventColumns)
	all, _ := spread(2000)
	n := 0
	dropping := func(yield func(event, error) bool) {
		for _, e := range all {
			if n++; n == 1500 {
				create(t, session, "DROP TABLE t")
			}
			if !yield(e, nil) {
				return
			}
		}
	}
	p, err := rxcql.New(source.Seq(dropping), sink.Table[event](session, ks+".t", sink.BatchByReplicaSet(0, 0)),
		rxcql.WithRowErrors(rxcql.SkipRows(1_000_000)))
	require.NoError(t, err)
	rep, err := p.Run(t.Context())
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.False(t, rep.Complete)
}

func TestATableMadeAgainUnderBatchesByReplicaSetEndsTheRun(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t (id bigint PRIMARY KEY, v int)")
	to := sink.Table[pair](session, ks+".t", sink.BatchByReplicaSet(0, 0), sink.InFlight(1))
	rep, err := intoChanging(t, to, pairs(200), 100, func() {
		create(t, session, "DROP TABLE t", "CREATE TABLE t (id bigint PRIMARY KEY, v blob)") // four bytes are one, too
	}, rxcql.WithRowErrors(rxcql.SkipRows(1000)))
	refusedAsChanged(t, rep, err)
	require.EqualValues(t, 100, rep.Written)
	require.Zero(t, count(t, session, "t"))
}
