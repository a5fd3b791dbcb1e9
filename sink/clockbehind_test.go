package sink_test

import (
	"context"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
)

// stamped runs a job of listed rows, and hands on every row as it is written.
func stamped(t *testing.T, store *jobtest.Store, rows []listed, order uint64, written func(row [2]int64, at int64)) {
	t.Helper()
	server := func(_ context.Context, s sink.Sent) error {
		for _, r := range s.Rows {
			written([2]int64{number(r.Values[0].([]byte)), number(r.Values[1].([]byte))}, r.Timestamp)
		}
		return nil
	}
	parts := &jobtest.Parts[listed]{PageRows: 10_000, Seed: order} // ranges come in another order each time
	for len(rows) > 0 {
		parts.Rows, rows = append(parts.Rows, rows[:10_000]), rows[10_000:]
	}
	p, err := rxcql.New(parts.Stream(), sink.TableOn[listed](server, lists("list<text>"), sink.InFlight(1)), rxcql.WithCheckpoint(store, "job"))
	require.NoError(t, err)
	_, err = p.Run(context.Background())
	require.NoError(t, err)
}

func number(b []byte) (n int64) {
	for _, c := range b {
		n = n<<8 | int64(c)
	}
	return n
}

func TestAJobThatGoesOnWhereTheClockIsBehindWritesLaterThanWhatItReplaces(t *testing.T) {
	rows := listedRows(200_000)    // 3.2 s of timestamps
	var checkpoint []byte          // as a process that was killed left it
	before := map[[2]int64]int64{} // what that process had written
	for order := range uint64(6) {
		synctest.Test(t, func(t *testing.T) {
			// This machine's clock is so much ahead of the other's; a job is refused from 10 s on.
			time.Sleep(5 * time.Second)
			store, saves, killed := &jobtest.Store{}, 0, atomic.Bool{}
			store.FailSave = func(int) error {
				if saves++; saves == 3 { // killed right before it saves again
					checkpoint = store.Get("job")
					killed.Store(true)
				}
				return nil
			}
			clear(before)
			stamped(t, store, rows, 100, func(row [2]int64, at int64) {
				if !killed.Load() {
					before[row] = at
				}
			})
		})
		lose, again, most := 0, 0, time.Duration(0)
		synctest.Test(t, func(t *testing.T) {
			store := &jobtest.Store{}
			store.Put("job", checkpoint)
			stamped(t, store, rows, order, func(row [2]int64, at int64) {
				if was, ok := before[row]; ok {
					if again++; at <= was {
						lose++
						most = max(most, time.Duration(was-at)*time.Microsecond)
					}
				}
			})
		})
		t.Logf("order %d: %d rows written again, %d lose, by %v at most", order, again, lose, most)
		require.Zero(t, lose, "rows that lose against those that they replace, by %v at most", most)
	}
}
