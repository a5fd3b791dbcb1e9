package tail_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"sync/atomic"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// windowsEnv holds the task of a process that folds windows of a tail and is to kill itself.
const windowsEnv = "RXCQL_TEST_TAIL_WINDOWS"

// windowsTask is what the process is to do.
type windowsTask struct {
	Host, From, To, Checkpoint string
	Begin                      time.Time
	Until                      time.Time // zero: until it is killed
	Event                      string    // at which it kills itself; empty for never
	Times                      int64     // the time at which it happens, from 1
}

// The events, and how often each may happen at most before the process kills itself.
var windowsEvents = map[string]int64{
	"row": 1500, "result": 30, "write begins": 15, "write has ended": 15, "save begins": 60, "save has ended": 60,
}

const (
	windowSize     = 2 * time.Second
	windowsOverlap = 8 * time.Second
	mostDelay      = time.Second // from when a row happens to when it arrives
)

// happening is a row of the table that is tailed.
type happening struct {
	ID int64     `cql:"id"`
	K  int       `cql:"k"`
	At time.Time `cql:"at"`
}

// happened returns what a row is.
func happened(id int64, arrived time.Time) happening {
	delay := time.Duration(id*37%mostDelay.Milliseconds()) * time.Millisecond
	return happening{ID: id, K: int(id % 3), At: arrived.UTC().Truncate(time.Millisecond).Add(-delay)}
}

// counted is a row of the table of results: the rows that are in a window.
type counted struct {
	K     int       `cql:"k"`
	Start time.Time `cql:"start"`
	IDs   []int64   `cql:"ids"`
}

// killer kills the process when an event has happened so often.
type killer struct {
	event string
	left  atomic.Int64
}

func (k *killer) happens(event string) {
	if event != k.event || k.left.Add(-1) != 0 {
		return
	}
	if me, err := os.FindProcess(os.Getpid()); err == nil {
		_ = me.Kill()
	}
	select {} // until that has come
}

// windowsDone is what the process says when it has come to its end.
type windowsDone struct {
	Complete                bool
	LateRows, Resumed, Read int64
}

// windowsChild does the task.
func windowsChild() int {
	var do windowsTask
	if err := json.Unmarshal([]byte(os.Getenv(windowsEnv)), &do); err != nil {
		return complain(err)
	}
	session, err := connect(do.Host)
	if err != nil {
		return complain(err)
	}
	defer session.Close()
	rep, err := do.run(session)
	if err != nil {
		return complain(err)
	}
	said, err := json.Marshal(windowsDone{Complete: rep.Complete, LateRows: rep.LateRows, Resumed: rep.ResumedRows, Read: rep.ReadRows})
	if err != nil {
		return complain(err)
	}
	fmt.Println(string(said))
	return 0
}

func (do windowsTask) run(session *gocql.Session) (rxcql.Report, error) {
	kill := &killer{event: do.Event}
	kill.left.Store(do.Times)
	opts := []source.TailOption{source.TailFrom(do.Begin), source.Overlap(windowsOverlap), source.PollEvery(50 * time.Millisecond), source.PageRows(50)}
	if !do.Until.IsZero() {
		opts = append(opts, source.TailUntil(do.Until))
	}
	seen := map[int64]bool{}
	once := operators.Tap(source.Tail[happening](session, do.From, slots, opts...), func(row happening) error {
		if seen[row.ID] {
			return fmt.Errorf("row %d has come twice in one run", row.ID)
		}
		seen[row.ID] = true
		kill.happens("row")
		return nil
	})
	timed := operators.EventTime(once, func(h happening) (time.Time, error) { return h.At, nil },
		operators.OutOfOrderness(windowsOverlap+2*mostDelay))
	windows := operators.Window(timed, operators.Tumbling(windowSize), func(h happening) time.Time { return h.At },
		func(h happening) int { return h.K }, func() []int64 { return nil },
		func(ids []int64, h happening) ([]int64, error) { return append(ids, h.ID), nil }, operators.WindowKeys(1<<20))
	results := operators.Map(windows, func(w operators.WindowResult[int, []int64]) (counted, error) {
		kill.happens("result")
		return counted{w.Key, w.Start, slices.Sorted(slices.Values(w.Value))}, nil
	})
	hooks := rxcql.Hooks{
		WriteStart: func(ctx context.Context, _ rxcql.WriteEvent) context.Context {
			kill.happens("write begins")
			return ctx
		},
		WriteEnd:  func(context.Context, rxcql.WriteEvent) { kill.happens("write has ended") },
		SaveStart: func(ctx context.Context, _ rxcql.SaveEvent) context.Context { kill.happens("save begins"); return ctx },
		SaveEnd:   func(context.Context, rxcql.SaveEvent) { kill.happens("save has ended") },
	}
	return rxcql.Run(context.Background(), results, sink.Table[counted](session, do.To), rxcql.WithHooks(hooks),
		rxcql.WithCheckpoint(checkpoint.File(do.Checkpoint), "windows", rxcql.CheckpointInterval(20*time.Millisecond)))
}
