package sink_test

import (
	"context"
	"encoding/binary"
	"errors"
	"iter"
	"math/rand/v2"
	"strconv"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// lastWrites is a table of a server that takes a while for each request, and whose end-th one does
// something else.
type lastWrites struct {
	mu       sync.Mutex
	requests int
	end      int
	what     func() error
	stamps   map[int64]int64
	values   map[int64]string
}

func (l *lastWrites) send(ctx context.Context, s sink.Sent) error {
	l.mu.Lock()
	l.requests++
	at := l.requests
	l.mu.Unlock()
	select {
	case <-time.After(time.Duration(1+at*7919%13) * time.Millisecond):
	case <-ctx.Done():
		return ctx.Err()
	}
	if at == l.end {
		if err := l.what(); err != nil {
			return err
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, row := range s.Rows {
		key := int64(binary.BigEndian.Uint64(row.Values[0].([]byte)))
		if row.Timestamp > l.stamps[key] {
			l.stamps[key], l.values[key] = row.Timestamp, string(row.Values[2].([]byte))
		}
	}
	return nil
}

// A job ends at some request by a cancel, an error, Stop or a panic, and goes on, again and again.
func TestAJobThatSortsGoesOnFromAnyPoint(t *testing.T) {
	nodes, replication := keyspaceOf(12)
	for seed := range uint64(60) {
		r := rand.New(rand.NewPCG(seed, 5))
		n := 500 + r.IntN(6000)
		keys := 1 + r.IntN(n)
		pageRows, pauses := 1+r.IntN(40), r.IntN(3) == 0
		store := &jobtest.Store{}
		table := &lastWrites{stamps: map[int64]int64{}, values: map[int64]string{}}
		for try, whole := 0, false; !whole; try++ {
			synctest.Test(t, func(t *testing.T) {
				time.Sleep(time.Duration(try) * 20 * time.Second) // each bubble begins at the same time
				ctx, cancel := context.WithCancelCause(context.Background())
				defer cancel(nil)
				var p *rxcql.Pipeline
				ways := []func() error{
					func() error { cancel(errors.New("cancelled")); return nil },
					func() error { return errors.New("the server broke") },
					func() error { p.Stop(); return nil },
					func() error { panic("of a hook") },
				}
				table.requests, table.end, table.what = 0, 1+r.IntN(60), ways[r.IntN(len(ways))]
				if try == 8 {
					table.end = 0 // undisturbed
				}
				rows := source.SeqFrom("events", func(from int64) iter.Seq2[event, error] {
					return func(yield func(event, error) bool) {
						for i := int(from); i < n; i++ {
							if pauses && i%97 == 0 {
								time.Sleep(40 * time.Millisecond)
							}
							if !yield(event{P: int64(i * 31 % keys), V: strconv.Itoa(i)}, nil) {
								return
							}
						}
					}
				}, source.PageRows(pageRows))
				p, err := rxcql.New(rows, sink.TableOnNodes[event](sink.Server(table.send), events(), nodes, replication,
					sink.BatchByReplicaSet(2+r.IntN(20), 1<<10+r.IntN(8<<10)), sink.SortByToken(), sink.InFlight(1+r.IntN(4)),
					sink.BatchLinger([]time.Duration{time.Millisecond, 5 * time.Millisecond, time.Second}[r.IntN(3)])),
					rxcql.WithCheckpoint(store, "job"), rxcql.WithBudget(rxcql.MinBudgetPerInput<<r.IntN(6)))
				require.NoError(t, err)
				rep, err := p.Run(ctx)
				require.Zero(t, rep.BytesInFlight, "seed %d: %v", seed, err)
				whole = rep.Complete
				require.True(t, whole || try < 8, "seed %d: %v", seed, err)
			})
		}
		last := map[int64]int{}
		for i := range n {
			last[int64(i*31%keys)] = i
		}
		for key, i := range last {
			require.Equal(t, strconv.Itoa(i), table.values[key], "seed %d, key %d", seed, key)
		}
	}
}
