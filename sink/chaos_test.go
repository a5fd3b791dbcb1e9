package sink_test

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
)

// spot is a row that says where in the source it is.
type spot struct {
	Part int `json:"part" cql:"part"`
	Row  int `json:"row" cql:"row"`
}

var (
	errSpot    = errors.New("this row is bad")
	errPurpose = errors.New("failed on purpose")
)

var seeds = flag.Int("sink.seeds", 8, "seeds of the tests of chaos; with -short a quarter of them are tried")

// eachSeed tries a round of chaos with each seed.
func eachSeed(t *testing.T, n int, round func(t *testing.T, seed uint64)) {
	t.Helper()
	if testing.Short() {
		n = max(1, n/4)
	}
	for seed := range uint64(n) {
		if !t.Run(fmt.Sprint(seed), func(t *testing.T) { round(t, seed) }) {
			return
		}
	}
}

// chaos is one round: a job made at random, which is interrupted at random, again
// and again, until it is complete.
type chaos struct {
	rand    *rand.Rand
	parts   *jobtest.Parts[spot]
	letters *letterSet
	skips   bool // rows that fail, instead of writing letters
	opts    []rxcql.Option
	folds   bool // so that a run that is stopped leaves pages of open groups to the next

	fails bool // by chance a function fails on purpose, with a row that then may be missing

	mu    sync.Mutex
	lost  map[spot]bool // with which a function has failed on purpose
	calls int           // of functions until the run is disturbed; 0 if it is not
	how   string
	p     *rxcql.Pipeline
	stop  context.CancelCauseFunc
}

func newChaos(seed, kind uint64) *chaos {
	c := &chaos{rand: rand.New(rand.NewPCG(seed, kind)), lost: map[spot]bool{}}
	c.parts = &jobtest.Parts[spot]{PageRows: 1 + c.rand.IntN(9), Seed: seed}
	for part := range 1 + c.rand.IntN(4) {
		rows := []spot{}
		for row := range c.rand.IntN(80) {
			rows = append(rows, spot{part, row})
		}
		c.parts.Rows = append(c.parts.Rows, rows)
	}
	c.letters = &letterSet{takes: time.Duration(c.rand.IntN(10)) * time.Millisecond, rows: map[spot]int{}}
	c.skips = c.rand.IntN(3) == 0
	return c
}

// call is what the functions of the pipeline call with each row. It reports whether the function
// has to fail, if it can.
func (c *chaos) call() (fails bool) {
	c.mu.Lock()
	c.calls--
	now := c.calls == 0
	c.mu.Unlock()
	if !now {
		return false
	}
	switch c.how {
	case "panic":
		panic("on purpose")
	case "exit":
		runtime.Goexit()
	case "stop":
		c.p.Stop()
	case "cancel":
		c.stop(errors.New("cancelled on purpose"))
	}
	return c.how == "error"
}

// fail is call for a function that can fail: the rows may be missing then.
func (c *chaos) fail(rows ...spot) error {
	if !c.call() {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	for _, at := range rows {
		c.lost[at] = true
	}
	return errPurpose
}

func (c *chaos) policy() rxcql.RowErrorPolicy {
	if c.skips {
		return rxcql.SkipRows(1 << 40)
	}
	return rxcql.DeadLetter(c.letters)
}

var errExit = errors.New("the goroutine of the run was left")

// runOrExit runs p in a goroutine of its own, which a function of the pipeline may end.
func runOrExit(ctx context.Context, p *rxcql.Pipeline) (rep rxcql.Report, err error) {
	err = errExit
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		rep, err = p.Run(ctx)
	}()
	<-ended
	if errors.Is(err, errExit) {
		rep = p.Progress()
	}
	return rep, err
}

// disturbed is how many runs of a job are interrupted, at most.
const disturbed = 8

// run runs the job until it is complete.
func (c *chaos) run(t *testing.T, in rxcql.Stream[spot], to rxcql.Sink[spot]) {
	t.Helper()
	policy := c.policy()
	saves, failSave := 0, 0 // from which save on all of them fail; 0 for none
	store := &jobtest.Store{FailSave: func(int) error {
		if saves++; failSave > 0 && saves >= failSave {
			return errors.New("killed")
		}
		return nil
	}}
	for runs := 0; ; runs++ {
		c.calls, saves, failSave = 0, 0, 0
		if runs < disturbed {
			hows := []string{"panic", "exit", "stop", "cancel", "save"}
			if c.fails {
				hows = append(hows, "error")
			}
			c.how = hows[c.rand.IntN(len(hows))]
			c.calls = 1 + c.rand.IntN(400)
			if c.how == "save" {
				c.calls, failSave = 0, 1+c.rand.IntN(8)
			}
		}
		p, err := rxcql.New(in, to, append(c.opts, rxcql.WithRowErrors(policy),
			rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(10*time.Millisecond)))...)
		require.NoError(t, err)
		ctx, cancel := context.WithCancelCause(context.Background())
		c.p, c.stop = p, cancel
		rep, err := runOrExit(ctx, p)
		cancel(nil)
		require.Zero(t, rep.BytesInFlight, "%s: %v", c.how, err)
		require.False(t, store.Locked("job"))
		if err == nil && !c.folds {
			require.Equal(t, rep.Pages, rep.PagesSettled+rep.PagesGivenUp)
		}
		if runs >= disturbed {
			require.NoError(t, err)
			require.True(t, rep.Complete)
		}
		if rep.Complete {
			return
		}
	}
}

// letterSet is a store of dead letters that takes its time.
type letterSet struct {
	takes time.Duration
	mu    sync.Mutex
	rows  map[spot]int
}

func (s *letterSet) Check(context.Context) error                          { return nil }
func (s *letterSet) Open(context.Context) (rxcql.DeadLetterWriter, error) { return s, nil }
func (s *letterSet) Close() error                                         { return nil }

func (s *letterSet) Write(_ context.Context, letters []rxcql.Letter) error {
	time.Sleep(s.takes)
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, l := range letters {
		var at spot
		if err := json.Unmarshal(l.Row, &at); err != nil {
			return err
		}
		s.rows[at]++
	}
	return nil
}
