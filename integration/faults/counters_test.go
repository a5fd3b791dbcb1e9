package faults_test

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

const counted = 400

// Every row is an update of a counter of its own, which shows how often it was
// applied.
func TestFaultsApplyAStatementThatIsNotIdempotentAtMostOnceForEverySeed(t *testing.T) {
	direct, ks := cassandra.Keyspace(t, cluster)
	exec(t, direct, "CREATE TABLE "+ks+".counters (seed int, id int, n counter, PRIMARY KEY (seed, id))")
	var failed atomic.Int64
	t.Run("seeds", func(t *testing.T) { // returns when all have ended
		for seed := range *seeds {
			t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
				t.Parallel()
				c := newChance(uint64(seed))
				c.harmless = seed%2 == 0
				p := stand(t, ks, c.decide)
				timeout := impatient
				if c.harmless {
					timeout = patient
				}
				rep, err := counting(t, through(t, p, timeout), ks, seed)
				p.close() // what was handed on has been applied

				applied := appliedOnce(t, direct, ks, seed)
				require.GreaterOrEqual(t, applied, rep.Written)
				require.LessOrEqual(t, applied, rep.Written+rep.Unknown)
				if c.harmless {
					require.NoError(t, err)
					require.EqualValues(t, counted, applied)
					require.Equal(t, c.fails() > 0, rep.Retried > 0)
				}
				if err == nil {
					require.Zero(t, rep.Unknown)
					require.EqualValues(t, counted, rep.Written)
				} else {
					require.ErrorIs(t, err, rxcql.ErrUnknownOutcome)
					require.Positive(t, rep.Unknown)
					failed.Add(1)
				}
				t.Logf("%d %%: %v: %d written, %d unknown, %d applied, %d retried",
					c.percent, c.failed, rep.Written, rep.Unknown, applied, rep.Retried)
			})
		}
	})
	t.Logf("%d of %d seeds left an outcome open", failed.Load(), *seeds)
	require.True(t, *seeds < 10 || failed.Load() > 0, "no seed left an outcome open")
}

func counting(t *testing.T, session *gocql.Session, ks string, seed int) (rxcql.Report, error) {
	in := source.Seq(func(yield func(int, error) bool) {
		for id := range counted {
			if !yield(id, nil) {
				return
			}
		}
	})
	to := sink.Exec(session, "UPDATE "+ks+".counters SET n = n + 1 WHERE seed = ? AND id = ?",
		func(id int) ([]any, error) { return []any{seed, id}, nil }, sink.InFlight(16))
	p, err := rxcql.New(in, to)
	require.NoError(t, err)
	return p.Run(context.Background())
}

func appliedOnce(t *testing.T, session *gocql.Session, ks string, seed int) (applied int64) {
	iter := session.Query("SELECT id, n FROM "+ks+".counters WHERE seed = ?", seed).Iter()
	var id int
	var n int64
	for iter.Scan(&id, &n) {
		require.EqualValues(t, 1, n, "row %d", id)
		applied++
	}
	require.NoError(t, iter.Close())
	return applied
}

// An idempotent statement goes on after failures that leave its outcome open.
func TestFaultsReconcileForEverySeedWithAnIdempotentStatement(t *testing.T) {
	direct, ks := cassandra.Keyspace(t, cluster)
	exec(t, direct, "CREATE TABLE "+ks+".sets (seed int, id int, v set<int>, PRIMARY KEY (seed, id))")
	for seed := range *seeds {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			c := newChance(uint64(seed))
			session := through(t, stand(t, ks, c.decide), impatient)
			in := source.Seq(func(yield func(int, error) bool) {
				for id := range counted {
					if !yield(id, nil) {
						return
					}
				}
			})
			rep := copied(t, in, sink.Exec(session, "UPDATE "+ks+".sets SET v = v + ? WHERE seed = ? AND id = ?",
				func(id int) ([]any, error) { return []any{[]int{id}, seed, id}, nil }, sink.Idempotent(), sink.InFlight(16)))
			require.EqualValues(t, counted, rep.Written)
			require.Zero(t, rep.Unknown)
			if c.fails() > 0 { // where none does, a busy machine may be slower than the session is patient
				require.Positive(t, rep.Retried)
			}
			iter := direct.Query("SELECT id, v FROM "+ks+".sets WHERE seed = ?", seed).Iter()
			require.Equal(t, counted, iter.NumRows())
			var id int
			var v []int
			for iter.Scan(&id, &v) {
				require.Equal(t, []int{id}, v)
			}
			require.NoError(t, iter.Close())
			t.Logf("%d %%: %v: %d retried in %v", c.percent, c.failed, rep.Retried, rep.Duration.Round(time.Millisecond))
		})
	}
}
