package tail_test

import (
	"context"
	"errors"
	"sync"
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

// patience ends a wait that would last for ever.
const patience = 5 * time.Minute

// taken are rows as they come.
type taken struct {
	mu    sync.Mutex
	times map[int64]int
	until chan struct{} // closed when wanted have come
	want  int
}

func (k *taken) take(id int64) {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.times[id]++
	if len(k.times) == k.want {
		close(k.until)
	}
}

// follow runs a tail until the test ends or stop is called, which returns what the run returned.
func follow(t *testing.T, in rxcql.Stream[tick], want int) (k *taken, stop func() (rxcql.Report, error)) {
	t.Helper()
	k = &taken{times: map[int64]int{}, until: make(chan struct{}), want: want}
	p, err := rxcql.New(in, sink.Each(func(_ context.Context, row tick) error { k.take(row.ID); return nil }, sink.Idempotent()))
	require.NoError(t, err)
	done := make(chan struct{})
	var report rxcql.Report
	go func() {
		defer close(done)
		report, err = p.Run(context.Background())
	}()
	stop = func() (rxcql.Report, error) { p.Stop(); <-done; return report, err }
	t.Cleanup(func() { _, _ = stop() })
	return k, stop
}

func (k *taken) wait(t *testing.T) {
	t.Helper()
	select {
	case <-k.until:
	case <-time.After(patience):
		k.mu.Lock()
		defer k.mu.Unlock()
		require.Fail(t, "rows do not come", "%d of %d", len(k.times), k.want)
	}
}

func TestRowsOfARealTableComeOnceAsTheyArrive(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	for name, how := range map[string]string{"ascending": "", "descending": " WITH CLUSTERING ORDER BY (arrived DESC, id DESC)"} {
		t.Run(name, func(t *testing.T) {
			table := ks + "." + name
			createTicks(t, session, table, how)
			from := time.Now().Add(-time.Hour) // buckets that are empty
			w := write(t, session, table)
			tail := source.Tail[tick](session, table, slots, source.TailFrom(from), source.Overlap(overlap),
				source.PollEvery(50*time.Millisecond), source.PageRows(100))
			counts, broken := map[int64]int{}, errors.New("enough")
			_, err := tail.ForEach(t.Context(), func(row tick) error {
				if counts[row.ID]++; len(counts) == 3000 {
					return broken
				}
				return nil
			})
			require.ErrorIs(t, err, broken)
			w.end()
			for id, n := range counts {
				require.Equal(t, 1, n, "row %d", id)
			}

			// The whole, in a second run, which ends by itself.
			rows, err := source.Tail[tick](session, table, slots, source.TailFrom(from), source.TailUntil(time.Now().Add(time.Second)), source.Overlap(overlap)).Collect(t.Context())
			require.NoError(t, err)
			all := map[int64]int{}
			for _, row := range rows {
				all[row.ID]++
				require.Equal(t, 1, all[row.ID], "row %d", row.ID)
			}
			for id := range w.rows(t) {
				require.Equal(t, 1, all[id], "row %d", id)
			}
		})
	}
}

func TestATableOfTimeuuidsInMonthsIsTailed(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	table := ks + ".events"
	require.NoError(t, session.Query("CREATE TABLE "+table+" (year int, month text, at timeuuid, id bigint, PRIMARY KEY ((year, month), at))").Exec())
	months := source.Buckets{
		Columns: []string{"month", "year"}, Arrived: "at",
		Span: func(t time.Time) (start, end time.Time) {
			start = time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
			return start, start.AddDate(0, 1, 0)
		},
		Value: func(start time.Time) []any { return []any{start.Month().String(), start.Year()} },
	}
	begin := time.Now().AddDate(-1, 0, 0).UTC()
	for id := range int64(500) {
		at := begin.Add(time.Duration(id) * 16 * time.Hour)
		require.NoError(t, session.Query("INSERT INTO "+table+" (year, month, at, id) VALUES (?, ?, ?, ?)",
			at.Year(), at.Month().String(), gocql.UUIDFromTime(at), id).Exec())
	}
	k, stop := follow(t, source.Tail[tick](session, table, months, source.TailFrom(begin), source.PollEvery(20*time.Millisecond)), 600)
	for id := int64(500); id < 600; id++ {
		at := time.Now().UTC()
		require.NoError(t, session.Query(
			"INSERT INTO "+table+" (year, month, at, id) VALUES (?, ?, now(), ?)", at.Year(), at.Month().String(), id).Exec())
	}
	k.wait(t)
	_, err := stop()
	require.NoError(t, err)
	for id := range int64(600) {
		require.Equal(t, 1, k.times[id])
	}
}

func TestARealTableThatIsDroppedOrMadeAgainEndsItsTail(t *testing.T) {
	for name, again := range map[string]bool{"dropped": false, "dropped and made again": true} {
		t.Run(name, func(t *testing.T) {
			session, ks := cassandra.Keyspace(t, cluster)
			createTicks(t, session, ks+".gone", "")
			now := time.Now()
			require.NoError(t, session.Query("INSERT INTO "+ks+".gone (slot, shard, arrived, id) VALUES (?, 0, ?, 1)", slotOf(now), now).Exec())
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			tail := source.Tail[tick](session, ks+".gone", slots, source.TailFrom(now.Add(-time.Minute)), source.PollEvery(50*time.Millisecond))
			_, err := tail.ForEach(ctx, func(tick) error {
				if err := session.Query("DROP TABLE " + ks + ".gone").Exec(); err != nil || !again {
					return err
				}
				return session.Query("CREATE TABLE " + ks + ".gone (slot bigint, shard int, arrived timestamp, id bigint, pad blob, PRIMARY KEY ((slot, shard), arrived, id))").Exec()
			})
			require.ErrorIs(t, err, rxcql.ErrSchema)
			require.ErrorContains(t, err, "was dropped")
		})
	}
}

func TestTakeAndAnIdleTail(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	createTicks(t, session, ks+".few", "")
	now := time.Now()
	for id := range 10 {
		require.NoError(t, session.Query("INSERT INTO "+ks+".few (slot, shard, arrived, id) VALUES (?, ?, ?, ?)", slotOf(now), id%shards, now, id).Exec())
	}
	tail := source.Tail[tick](session, ks+".few", slots, source.TailFrom(now), source.PollEvery(10*time.Millisecond))
	rows, err := operators.Take(tail, 10).Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, rows, 10)
}
