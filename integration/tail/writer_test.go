package tail_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/source"
)

// tick is a row of a table that is tailed.
type tick struct {
	ID int64 `cql:"id"`
}

const (
	overlap    = 20 * time.Second
	bucketSize = 5 * time.Second
	shards     = 3
)

// slots are the buckets of table ticks: the seconds since 1970 at which they begin.
var slots = source.Buckets{
	Columns: []string{"slot"}, Size: bucketSize, Shard: "shard", Shards: shards, Arrived: "arrived",
	Value: func(start time.Time) []any { return []any{start.Unix()} },
}

func slotOf(at time.Time) int64 {
	size := int64(bucketSize / time.Second)
	return at.Unix() / size * size
}

// createTicks makes the table; how is what follows its primary key.
func createTicks(t *testing.T, session *gocql.Session, name, how string) {
	t.Helper()
	require.NoError(t, session.Query("CREATE TABLE "+name+" (slot bigint, shard int, arrived timestamp, id bigint, pad blob, "+
		"PRIMARY KEY ((slot, shard), arrived, id))"+how).Exec())
}

// writer writes rows until it is stopped.
type writer struct {
	insert   insert
	takes    time.Duration // every other row takes up to that until it is written
	promises time.Duration // as a service does, it promises nothing that took longer
	random   *rand.Rand
	stop     chan struct{}
	done     sync.WaitGroup

	mu       sync.Mutex
	promised map[int64]time.Time // rows of which the writer says that they are written, and when they arrived
	err      error
}

// insert writes a row of a shard that arrives now, or has arrived.
type insert func(id int64, shard int, arrived time.Time) error

// write writes ticks, some of them up to 4 s late.
func write(t *testing.T, session *gocql.Session, table string) *writer {
	insert := func(id int64, shard int, arrived time.Time) error {
		return session.Query(fmt.Sprintf("INSERT INTO %s (slot, shard, arrived, id) VALUES (?, ?, ?, ?)", table),
			slotOf(arrived), shard, arrived, id).WithContext(context.Background()).Exec()
	}
	return writeBy(t, &writer{insert: insert, takes: 4 * time.Second, promises: overlap - 5*time.Second}, 0, 6*time.Millisecond)
}

// writeBy begins with the row of a number, and leaves up to a time between two.
func writeBy(t *testing.T, w *writer, first int64, between time.Duration) *writer {
	w.stop, w.random = make(chan struct{}), rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 0))
	w.promised = map[int64]time.Time{}
	w.done.Go(func() {
		for id := first; ; id++ {
			select {
			case <-w.stop:
				return
			case <-time.After(time.Duration(w.random.Int64N(int64(between)))):
			}
			w.put(id, time.Now(), time.Duration(w.random.Int64N(2)*w.random.Int64N(int64(w.takes))))
		}
	})
	t.Cleanup(w.end)
	return w
}

// put writes a row that arrives now, after a time.
func (w *writer) put(id int64, arrived time.Time, after time.Duration) {
	shard := w.random.IntN(shards)
	w.done.Go(func() {
		time.Sleep(after)
		err := w.insert(id, shard, arrived)
		w.mu.Lock()
		defer w.mu.Unlock()
		switch {
		case err != nil:
			w.err = err
		case time.Since(arrived) < w.promises:
			w.promised[id] = arrived
		}
	})
}

// end stops the writer, and waits until all is written.
func (w *writer) end() {
	select {
	case <-w.stop:
	default:
		close(w.stop)
	}
	w.done.Wait()
}

// rows are those that were promised.
func (w *writer) rows(t *testing.T) map[int64]time.Time {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	require.NoError(t, w.err)
	all := map[int64]time.Time{}
	for id, at := range w.promised {
		all[id] = at
	}
	return all
}
