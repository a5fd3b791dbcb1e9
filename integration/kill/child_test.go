package kill_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// childEnv holds the task of a process that is to be killed.
const childEnv = "RXCQL_TEST_KILL"

// task is what the process is to do.
type task struct {
	Host, From, Checkpoint string
	To                     string // a table
	File                   string // or a file
	LookUp                 bool   // forgets the texts and looks them up again
}

type row struct {
	P int64   `cql:"p" json:"p"`
	C int32   `cql:"c" json:"c"`
	A string  `cql:"a" json:"a"`
	B int64   `cql:"b" json:"b"`
	D float64 `cql:"d" json:"d"`
}

// child does the task, and says how many rows it has read, again and again.
func child() int {
	var do task
	if err := json.Unmarshal([]byte(os.Getenv(childEnv)), &do); err != nil {
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
	rows := source.Table[row](session, do.From, source.PageRows(100))
	n := 0
	slowed := operators.Tap(rows, func(row) error {
		if n++; n%20 == 0 {
			time.Sleep(time.Millisecond) // so that there is time to be killed in
		}
		return nil
	})
	if do.LookUp {
		slowed = lookedUp(session, do.From, slowed)
	}
	p, err := rxcql.New(slowed, do.sink(session), rxcql.WithWorkers(3),
		rxcql.WithCheckpoint(checkpoint.File(do.Checkpoint), "kill", rxcql.CheckpointInterval(10*time.Millisecond)))
	if err != nil {
		return complain(err)
	}
	ended := make(chan struct{})
	go func() {
		for {
			select {
			case <-ended:
				return
			case <-time.After(2 * time.Millisecond):
				fmt.Println("read", p.Progress().ReadRows)
			}
		}
	}()
	rep, err := p.Run(context.Background())
	close(ended)
	if err != nil {
		return complain(err)
	}
	fmt.Println("read", rep.ReadRows)
	fmt.Println("complete", strconv.FormatInt(rep.ResumedRows+rep.ReadRows, 10))
	return 0
}

// lookedUp forgets the text of each row and looks it up.
func lookedUp(session *gocql.Session, table string, in rxcql.Stream[row]) rxcql.Stream[row] {
	forgotten := operators.Map(in, func(r row) (row, error) { r.A = ""; return r, nil })
	return operators.Lookup(forgotten, session, "SELECT a FROM "+table+" WHERE p = ? AND c = ?",
		func(r row) ([]any, error) { return []any{r.P, r.C}, nil },
		func(r row, found operators.Found[string]) (row, error) {
			r.A = found.Row
			return r, nil
		}, operators.LookupCache(1<<20, time.Minute))
}

func (do task) sink(session *gocql.Session) rxcql.Sink[row] {
	if do.File != "" {
		return sink.NDJSON[row](do.File)
	}
	return sink.Table[row](session, do.To)
}

func complain(err error) int {
	fmt.Fprintln(os.Stderr, err)
	return 1
}
