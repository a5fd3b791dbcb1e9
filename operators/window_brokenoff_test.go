package operators_test

import (
	"context"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/saved"
	"github.com/rxcql/rxcql/operators"
)

// upserted is a table of results by key and start.
type upserted struct {
	mu    sync.Mutex
	rows  map[string][]int
	late  map[int]bool
	fails int // the call that fails, counted from 1
	calls int
	seen  func(r operators.WindowResult[int, []int]) // called with each result; may be nil
	from  func(*saved.State)                         // called with what a run goes on from, nil for the first; may be nil
}

func (u *upserted) upsert(r operators.WindowResult[int, []int]) error {
	u.mu.Lock()
	defer u.mu.Unlock()
	if u.calls++; u.calls == u.fails {
		return errSink
	}
	if u.seen != nil {
		u.seen(r)
	}
	numbers := slices.Clone(r.Value)
	slices.Sort(numbers)
	u.rows[fmt.Sprint(r.Key, " ", r.Start.Unix(), "-", r.End.Unix())] = numbers
	return nil
}

// brokenOff runs a job until it is complete, after it was broken off in several ways.
func brokenOff(rt *rapid.T, table *upserted, run func(disturb func() error, opts ...rxcql.Option) (*rxcql.Pipeline, error)) {
	store := &jobtest.Store{}
	for runs := 0; ; runs++ {
		var p *rxcql.Pipeline
		d := &disturbance{}
		table.fails, table.calls, store.FailSave = 0, 0, nil
		if runs < 6 { // an end must come
			switch rapid.SampledFrom([]string{"row", "sink", "save"}).Draw(rt, "what breaks") {
			case "row":
				d.next(rt, func() *rxcql.Pipeline { return p })
			case "sink":
				table.fails = rapid.IntRange(1, 40).Draw(rt, "sink fails at")
			case "save": // the last saves are lost, as by a kill
				left := &atomic.Int64{}
				left.Store(rapid.Int64Range(1, 6).Draw(rt, "saves"))
				table.fails = rapid.IntRange(1, 40).Draw(rt, "and sink fails at")
				store.FailSave = func(int) error {
					if left.Add(-1) < 0 {
						return errSink
					}
					return nil
				}
			}
		}
		if table.from != nil {
			state, err := store.State("job")
			if err != nil {
				state = nil // nothing was saved yet
			}
			table.from(state)
		}
		pauseAt, row := rapid.IntRange(-60, 60).Draw(rt, "saved at"), 0
		p, err := run(func() error {
			if row++; row == pauseAt {
				time.Sleep(12 * time.Millisecond) // so that there is a save meanwhile
			}
			return d.call()
		}, rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(10*time.Millisecond)))
		require.NoError(rt, err)
		rep, err := p.Run(context.Background())
		require.Zero(rt, rep.BytesInFlight)
		if runs >= 6 {
			require.NoError(rt, err)
		}
		if rep.Complete {
			return
		}
	}
}
