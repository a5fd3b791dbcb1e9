package sink_test

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// aheadRows go into a table with a list, so at 16 µs each the last timestamp of
// the run is 320 ms after its start. The rows leave the list as it is, because
// they have to be written faster than that.
const (
	aheadRows      = 20_000
	aheadPartition = 500
	aheadTime      = aheadRows * 16 * time.Microsecond
)

// answers notes when the last answer to a request came.
type answers struct {
	mu   sync.Mutex
	last time.Time
}

func (a *answers) ObserveBatch(_ context.Context, b gocql.ObservedBatch) { a.note(b.End) }

func (a *answers) ObserveQuery(_ context.Context, q gocql.ObservedQuery) { a.note(q.End) }

func (a *answers) note(end time.Time) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if end.After(a.last) {
		a.last = end
	}
}

func (a *answers) at() time.Time {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.last
}

// racer is a pipeline that writes a table with other values, and in the other
// direction, each time it is run.
type racer struct {
	session *gocql.Session
	p       *rxcql.Pipeline
	answers answers
	runs    int
}

func newRacer(t *testing.T) *racer {
	t.Helper()
	r := &racer{}
	session, ks := cassandra.Keyspace(t, cluster, cassandra.Configure(func(c *gocql.ClusterConfig) {
		c.BatchObserver, c.QueryObserver = &r.answers, &r.answers
	}))
	r.session = session
	create(t, session, "CREATE TABLE t (p bigint, c int, v text, l list<int>, PRIMARY KEY (p, c))")
	stream := source.Seq(func(yield func(event, error) bool) {
		r.runs++
		v := text(r.value())
		for i := range aheadRows {
			if r.runs%2 == 0 {
				i = aheadRows - 1 - i
			}
			if !yield(event{int64(i / aheadPartition), int32(i % aheadPartition), v}, nil) {
				return
			}
		}
	})
	var err error
	r.p, err = rxcql.New(stream, sink.Table[event](session, ks+".t", sink.BatchRows(aheadPartition)))
	require.NoError(t, err)
	return r
}

// value is what the latest run writes: by value an earlier run would win.
func (r *racer) value() string { return fmt.Sprint("run ", 99-r.runs) }

// run runs the pipeline, and returns by how much its last timestamp was ahead of
// the time when all was written.
func (r *racer) run(t *testing.T) time.Duration {
	t.Helper()
	begin := time.Now()
	rep, err := r.p.Run(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, aheadRows, rep.Written)
	return aheadTime - r.answers.at().Sub(begin)
}

// untilAhead repeats a round until its run was well ahead of the time: a server
// that has just started is slow.
func untilAhead(t *testing.T, round func() time.Duration) {
	t.Helper()
	for range 10 {
		if lead := round(); lead > aheadTime/5 {
			t.Log("ahead by", lead)
			return
		}
	}
	t.Log("never far ahead: this machine is slow today, so the waiting itself was tried in package sink only")
}

func TestAWriteRightAfterARunIsNewerThanEveryRowOfIt(t *testing.T) {
	r := newRacer(t)
	untilAhead(t, func() time.Duration {
		lead := r.run(t)
		var stored []string
		for _, p := range []int{0, (aheadRows - 1) / aheadPartition} { // one of them was the run's last
			for _, c := range []int{0, aheadPartition - 1} {
				cql := "UPDATE t SET v = 'after' WHERE p = ? AND c = ?"
				if c == 0 {
					cql = "INSERT INTO t (v, p, c) VALUES ('after', ?, ?)"
				}
				require.NoError(t, r.session.Query(cql, p, c).Exec())
				var v string
				require.NoError(t, r.session.Query("SELECT v FROM t WHERE p = ? AND c = ?", p, c).Scan(&v))
				stored = append(stored, v)
			}
		}
		require.Equal(t, []string{"after", "after", "after", "after"}, stored)
		return lead
	})
}

func TestARunRightAfterARunWinsInEveryRow(t *testing.T) {
	r := newRacer(t)
	untilAhead(t, func() time.Duration {
		lead := r.run(t)
		r.run(t)
		counts := map[string]int{}
		iter := r.session.Query("SELECT v FROM t").Iter()
		for v := ""; iter.Scan(&v); {
			counts[v]++
		}
		require.NoError(t, iter.Close())
		require.Equal(t, map[string]int{r.value(): aheadRows}, counts)
		return lead
	})
}
