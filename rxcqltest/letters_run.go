package rxcqltest

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"testing"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/saved"
)

// isOdd says which rows fail in a run of the suite.
func isOdd(n int) bool { return n%2 == 1 }

// failing returns a stream in which the rows fail that bad chooses.
func failing[T any](in rxcql.Stream[T], bad func(T) bool) rxcql.Stream[T] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "Failing"}, func(st *rxcql.Stage, out flow.Observer[T]) flow.Observer[T] {
		return &failingRows[T]{Observer: out, st: st, bad: bad}
	})
}

type failingRows[T any] struct {
	flow.Observer[T]
	st  *rxcql.Stage
	bad func(T) bool
}

var errRow = errors.New("the row is bad")

func (o *failingRows[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	var good []T
	for i, row := range p.Rows {
		if !o.bad(row) {
			good = append(good, row)
			continue
		}
		failed := rxcql.FailedRow{Position: p.Position, Index: i, Row: row, Err: errRow}
		if err := o.st.RowFailed(ctx, p.Reservation, failed); err != nil {
			return err
		}
	}
	return o.Observer.Next(ctx, flow.Derive(p, good))
}

// savedStates is a store in memory that shows what is saved.
type savedStates struct {
	jobtest.Store
	seen func(*saved.State) error // called before a state is saved; an error fails the save
}

func (s *savedStates) Lock(ctx context.Context, job string) (rxcql.Checkpoint, error) {
	c, err := s.Store.Lock(ctx, job)
	if err != nil {
		return nil, err
	}
	return &seenCheckpoint{Checkpoint: c, seen: s.seen}, nil
}

type seenCheckpoint struct {
	rxcql.Checkpoint
	seen func(*saved.State) error
}

func (c *seenCheckpoint) Save(ctx context.Context, data []byte) error {
	state, err := saved.Decode(data)
	if err == nil && c.seen != nil {
		err = c.seen(state)
	}
	if err != nil {
		return err
	}
	return c.Checkpoint.Save(ctx, data)
}

// settled returns the rows that a state counts as settled.
func settled[T any](src *jobtest.Parts[T], state *saved.State) (rows []T, err error) {
	for _, s := range state.Sources {
		of, err := src.Settled(s)
		if err != nil {
			return nil, err
		}
		rows = append(rows, of...)
	}
	return rows, nil
}

// lettersOfARun runs a job in which every other row fails. For every row that its checkpoint counts
// as settled the letter must be there.
func lettersOfARun(t testing.TB, p DeadLetterPlace) {
	src := numbered()
	kept := func() map[string]int {
		rows := map[string]int{}
		for _, l := range p.Letters() {
			rows[string(l.Row)]++
		}
		return rows
	}
	store := &savedStates{seen: func(state *saved.State) error {
		rows, err := settled(src, state)
		if err != nil {
			return err
		}
		there := kept()
		for _, row := range rows {
			if isOdd(row) && there[strconv.Itoa(row)] == 0 {
				return fmt.Errorf("a checkpoint counts the row %d as settled, and its letter is not there", row)
			}
		}
		return nil
	}}
	pipeline, err := rxcql.New(failing(src.Stream(), isOdd), rxcql.Sink[int](&notes[int]{}),
		rxcql.WithRowErrors(rxcql.DeadLetter(p.Store())),
		rxcql.WithCheckpoint(store, anyJob, rxcql.CheckpointInterval(10*time.Millisecond)))
	must(t, err, "rxcql.New")
	var rep rxcql.Report
	within(t, "a run", func() { rep, err = pipeline.Run(t.Context()) })
	must(t, err, "a run of which every other row becomes a letter")
	if rep.DeadLettered != jobRows/2 || !rep.Complete {
		t.Fatalf("the run has %d letters where %d rows failed, and is complete: %v", rep.DeadLettered, jobRows/2, rep.Complete)
	}
	there := kept()
	for n := range jobRows {
		if want := n % 2; there[strconv.Itoa(n)] != want {
			t.Fatalf("after the run there are %d letters of the row %d, and not %d", there[strconv.Itoa(n)], n, want)
		}
	}
}
