package sink_test

import (
	"context"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
)

// ledger is a store of checkpoints, and a server that compares the timestamps of
// rows with what the checkpoint says at that moment.
type ledger struct {
	jobtest.Store
	t       *testing.T
	dies    int           // the save before which the process dies, as far as the store can tell
	takes   time.Duration // a save
	answers func()        // before each answer of the server
	part    int           // rows in a part of the source
	repeats int64         // microseconds that attempts of a row may be later than the row

	mu             sync.Mutex
	lowest, newest int64 // lowest of this run, newest of all
	saves          int   // in this run
}

func newLedger(t *testing.T) *ledger {
	l := &ledger{t: t, answers: func() {}, part: 20_000}
	l.FailSave = func(int) error {
		l.saves++
		time.Sleep(l.takes)
		if l.dies > 0 && l.saves >= l.dies {
			return rxcql.ErrCheckpointLost
		}
		return nil
	}
	return l
}

// covered is the highest timestamp that the checkpoint reserves.
func (l *ledger) covered() int64 {
	state, err := l.State("job")
	require.NoError(l.t, err)
	return state.Reserved
}

func (l *ledger) send(_ context.Context, s sink.Sent) error {
	covered := l.covered()
	l.mu.Lock()
	for _, row := range s.Rows {
		l.lowest, l.newest = min(l.lowest, row.Timestamp), max(l.newest, row.Timestamp)
	}
	if above := l.newest + l.repeats - covered; above > 0 {
		l.t.Errorf("a timestamp is %d µs above what is saved", above)
	}
	l.mu.Unlock()
	l.answers()
	return nil
}

// pageRows are the rows of a page of the ledger's source.
const pageRows = 5000

// run is one run of a job that writes listed rows to the ledger.
func (l *ledger) run(rows []listed, typ string, also func(rxcql.Sink[listed]) rxcql.Sink[listed], opts ...any) (rxcql.Report, error) {
	return l.runIn(context.Background(), rows, typ, also, opts...)
}

func (l *ledger) runIn(ctx context.Context, rows []listed, typ string, also func(rxcql.Sink[listed]) rxcql.Sink[listed], opts ...any) (rxcql.Report, error) {
	l.saves, l.lowest = 0, math.MaxInt64
	parts := &jobtest.Parts[listed]{PageRows: pageRows}
	for len(rows) > 0 {
		n := min(len(rows), l.part)
		parts.Rows, rows = append(parts.Rows, rows[:n]), rows[n:]
	}
	table, job, run := []sink.TableOption{}, []rxcql.CheckpointOption{}, []rxcql.Option{}
	for _, opt := range opts {
		switch opt := opt.(type) {
		case sink.TableOption:
			table = append(table, opt)
		case rxcql.CheckpointOption:
			job = append(job, opt)
		case rxcql.Option:
			run = append(run, opt)
		}
	}
	to := sink.TableOn[listed](l.send, lists(typ), table...)
	if also != nil {
		to = also(to)
	}
	p, err := rxcql.New(parts.Stream(), to, append(run, rxcql.WithCheckpoint(l, "job", job...))...)
	require.NoError(l.t, err)
	return p.Run(ctx)
}

func TestNoTimestampIsGivenBeforeTheCheckpointSaysSo(t *testing.T) {
	rows := listedRows(160_000) // 2.56 s of timestamps with a list, which is more than a save reserves
	every1024th := sink.TTLOf(func(r listed) time.Duration {
		if (r.P*100+int64(r.C))%pageRows%1024 == 1023 {
			return -1
		}
		return 0
	})
	for name, c := range map[string]struct {
		typ  string
		also func(dir string, l *ledger) func(rxcql.Sink[listed]) rxcql.Sink[listed]
		opts []any
		set  func(*ledger)
		err  error
	}{
		"saves every second": {typ: "list<text>"},
		"saves all the time": {typ: "list<text>", opts: []any{rxcql.CheckpointInterval(10 * time.Millisecond)}},
		"saves every minute": {typ: "list<text>", opts: []any{rxcql.CheckpointInterval(time.Minute)}},
		"slow saves":         {typ: "list<text>", set: func(l *ledger) { l.takes = 3 * time.Second }},
		"no list":            {typ: "frozen<list<text>>", opts: []any{rxcql.CheckpointInterval(time.Minute)}},
		"bad rows where the clock looks at the time": {typ: "list<text>", opts: []any{every1024th, rxcql.WithRowErrors(rxcql.SkipRows(1 << 40))}},
		"the process was paused, and the job taken over": {typ: "list<text>", opts: []any{rxcql.CheckpointInterval(time.Minute)},
			set: func(l *ledger) { l.dies = 2 }, err: rxcql.ErrCheckpointLost},
		"two tables": {typ: "list<text>", also: func(_ string, l *ledger) func(rxcql.Sink[listed]) rxcql.Sink[listed] {
			return func(s rxcql.Sink[listed]) rxcql.Sink[listed] {
				another := lists("frozen<list<text>>")
				another.ID = "another"
				return sink.Tee(sink.TableOn[listed](l.send, another), s)
			}
		}},
		"one table twice": {typ: "list<text>", also: func(_ string, l *ledger) func(rxcql.Sink[listed]) rxcql.Sink[listed] {
			return func(s rxcql.Sink[listed]) rxcql.Sink[listed] {
				return sink.Tee(sink.TableOn[listed](l.send, lists("list<text>"), sink.Delete()), s)
			}
		}},
		"beside a file, for which a save waits for the page that waits for timestamps": {typ: "list<text>",
			opts: []any{rxcql.CheckpointInterval(10 * time.Millisecond)},
			also: func(dir string, _ *ledger) func(rxcql.Sink[listed]) rxcql.Sink[listed] {
				return func(s rxcql.Sink[listed]) rxcql.Sink[listed] { return sink.Tee(s, sink.NDJSON[listed](dir+"/rows")) }
			}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			synctest.Test(t, func(t *testing.T) {
				l := newLedger(t)
				if c.typ == "list<text>" && name != "two tables" {
					l.repeats = sink.AttemptsPerRow - 1
				}
				if c.set != nil {
					c.set(l)
				}
				var also func(rxcql.Sink[listed]) rxcql.Sink[listed]
				if c.also != nil {
					also = c.also(dir, l)
				}
				rep, err := l.run(rows, c.typ, also, c.opts...)
				require.ErrorIs(t, err, c.err)
				require.Equal(t, c.err == nil, rep.Complete)
				require.Positive(t, l.newest)
				require.Less(t, rep.Saves, int64(1000))
			})
		})
	}
}
