package kill_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sync/atomic"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// windowsEnv holds the task of a process that folds windows and is to kill itself.
const windowsEnv = "RXCQL_TEST_KILL_WINDOWS"

// windowsTask is what the process is to do.
type windowsTask struct {
	Host, From, To, Late, Checkpoint string
	Kind                             string // of the windows
	Event                            string // at which it kills itself; empty for never
	Times                            int64  // the time at which it happens, from 1
}

// The events.
var windowsEvents = []string{"row", "result", "write begins", "write has ended", "save begins", "save has ended"}

// measured is a row of the table that is read. Rows of one token range come in the order of their
// event times, out of order by up to a minute; a few are a day too late.
type measured struct {
	P     int64     `cql:"p"`
	C     int       `cql:"c"`
	ID    int64     `cql:"id"`
	K     int       `cql:"k"`
	At    time.Time `cql:"at"`
	Delay int       `cql:"delay"` // seconds
}

// The windows, in seconds.
const (
	windowSize  = 20
	hoppingSize = 30
	hoppingStep = 10
	sessionGap  = 10
	outOfOrder  = 40
	lateness    = 20
)

// in returns the event time of a row. For sessions rows are not later than they may be: a session
// that was given and then gets another row has another result, maybe with another start.
func (m measured) in(kind string) time.Time {
	if kind == "Session" {
		return m.At
	}
	return m.At.Add(-time.Duration(m.Delay) * time.Second)
}

// countOf is the state of a window: how many rows are in it, and which.
type countOf struct{ n, sum int64 }

// counted is a row of the table of results.
type counted struct {
	K     int       `cql:"k"`
	Start time.Time `cql:"start"`
	End   time.Time `cql:"ends"`
	N     int64     `cql:"n"`
	Sum   int64     `cql:"sum"`
}

type lateRow struct {
	ID int64 `cql:"id"`
}

type windowOut = operators.WindowOrLate[measured, int, countOf]

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

// windowsChild does the task.
func windowsChild() int {
	var do windowsTask
	if err := json.Unmarshal([]byte(os.Getenv(windowsEnv)), &do); err != nil {
		return complain(err)
	}
	config := gocql.NewCluster(do.Host)
	config.DisableInitialHostLookup = true // one node, maybe behind a mapped port
	if err := rxcql.Configure(config, ""); err != nil {
		return complain(err)
	}
	session, err := config.CreateSession()
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

// windowsDone is what the process says when it has come to its end.
type windowsDone struct {
	Complete                bool
	LateRows, Resumed, Read int64
}

func (do windowsTask) run(session *gocql.Session) (rxcql.Report, error) {
	kill := &killer{event: do.Event}
	kill.left.Store(do.Times)
	rows := source.Table[measured](session, do.From, source.PageRows(20), source.Splits(1))
	timed := operators.EventTime(rows, func(m measured) (time.Time, error) { return m.in(do.Kind), nil },
		operators.OutOfOrderness(outOfOrder*time.Second))
	n := 0
	slowed := operators.Tap(timed, func(measured) error {
		if n++; n%50 == 0 {
			time.Sleep(time.Millisecond) // so that there are saves
		}
		kill.happens("row")
		return nil
	})
	windows, opts := windowsOfKind(do.Kind)
	out := operators.WindowWithLate(slowed, windows, func(m measured) time.Time { return m.in(do.Kind) },
		func(m measured) int { return m.K }, func() countOf { return countOf{} },
		func(c countOf, m measured) (countOf, error) { return countOf{c.n + 1, c.sum + m.ID}, nil }, opts...)
	given := operators.Tap(out, func(o windowOut) error {
		if !o.IsLate {
			kill.happens("result")
		}
		return nil
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
	return rxcql.Run(context.Background(), given, do.sink(session), rxcql.WithHooks(hooks),
		rxcql.WithWorkers(64), // all token ranges at once, or windows close at the end alone
		rxcql.WithCheckpoint(checkpoint.File(do.Checkpoint), "windows", rxcql.CheckpointInterval(10*time.Millisecond)))
}

// sink writes results into one table and late rows into another.
func (do windowsTask) sink(session *gocql.Session) rxcql.Sink[windowOut] {
	results := func(in rxcql.Stream[windowOut]) rxcql.Stream[counted] {
		return operators.Map(in, func(o windowOut) (counted, error) {
			w := o.Window
			return counted{w.Key, w.Start, w.End, w.Value.n, w.Value.sum}, nil
		})
	}
	late := func(in rxcql.Stream[windowOut]) rxcql.Stream[lateRow] {
		return operators.Map(in, func(o windowOut) (lateRow, error) { return lateRow{o.Row.ID}, nil })
	}
	return sink.Route(func(o windowOut) int {
		if o.IsLate {
			return 1
		}
		return 0
	}, sink.Through(results, sink.Table[counted](session, do.To)), sink.Through(late, sink.Table[lateRow](session, do.Late)))
}

func windowsOfKind(kind string) (operators.Windows, []operators.WindowOption) {
	opts := []operators.WindowOption{operators.WindowKeys(1 << 20), operators.AllowedLateness(lateness * time.Second)}
	switch kind {
	case "Hopping":
		return operators.Hopping(hoppingSize*time.Second, hoppingStep*time.Second), opts
	case "Session":
		return operators.Session(sessionGap * time.Second), append(opts, operators.MergeStates(func(a, b countOf) (countOf, error) {
			return countOf{a.n + b.n, a.sum + b.sum}, nil
		}))
	}
	return operators.Tumbling(windowSize * time.Second), opts
}
