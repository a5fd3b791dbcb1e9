package sink_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// grove is a pipeline at random: sources of all kinds that are joined, operators behind them, and a
// tree of sinks. Its tables are those of a server that is slow and fails now and then. (The sources
// are in chaossources_test.go, and the sinks in chaossinks_test.go.)
type grove struct {
	*chaos
	job     bool // else it is run once, and may have what cannot be part of a job
	files   bool // a sink writes one
	once    bool // a source can be read only once
	drops   bool // rows are dropped on purpose
	short   bool // the run may end before all has been read, though nothing is wrong
	again   bool // rows may come again in a run
	server  *cqlfake.Server
	session *gocql.Session
	dir     string
	made    int    // tables and files
	sources int    // that are there
	rows    []spot // of all sources
	calm    func() // from then on the server does not fail
	checks  []func(t *testing.T, complete bool)
}

func newGrove(t *testing.T, seed uint64) *grove {
	t.Helper()
	g := &grove{chaos: newChaos(seed, 21), dir: t.TempDir(), server: cqlfake.New(t)}
	g.job = g.rand.IntN(2) == 0
	g.fails = true
	g.folds = true // a page that waits in step is left to the next run too
	g.server.Keyspace("ks", "known (id int PRIMARY KEY, name text)")
	for id := range 5 {
		g.server.Exec(fmt.Sprintf("INSERT INTO ks.known (id, name) VALUES (%d, 'n')", id))
	}
	session, err := g.server.Cluster().CreateSession()
	require.NoError(t, err)
	t.Cleanup(func() { cqlfake.CloseSession(session) })
	g.session = session
	return g
}

func (g *grove) name() string {
	g.made++
	return fmt.Sprint("n", g.made)
}

// trouble has some of the requests fail or take long, or be answered by a page without rows.
func (g *grove) trouble() {
	random := rand.New(rand.NewPCG(g.rand.Uint64(), 22)) // control functions are called one at a time
	g.calm = g.server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		reads, writes := r.Reads(""), r.Writes("")
		if r.System() || !reads && !writes {
			return nil
		}
		reply, n := cqlfake.Tables(), random.IntN(60)
		switch {
		case n == 0:
			reply = cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
		case n == 1 && writes:
			reply = cqlfake.Fail(&message.WriteTimeout{ErrorMessage: "late", Consistency: primitive.ConsistencyLevelQuorum, WriteType: primitive.WriteTypeSimple})
			if random.IntN(2) == 0 {
				reply = reply.Applied()
			}
		case n == 1:
			reply = cqlfake.Fail(&message.ReadTimeout{ErrorMessage: "late", Consistency: primitive.ConsistencyLevelQuorum})
		case n < 5 && reads && r.PageSize > 0 && r.Statements[0].Table != "ks.known":
			reply = cqlfake.EmptyPage()
		}
		return reply.After(time.Duration(random.IntN(3)) * time.Millisecond)
	})
}

// errPassing is an error that may pass.
var errPassing = fmt.Errorf("busy: %w", gocql.ErrTimeoutNoResponse)

// grow puts operators behind a stream, by chance, and tells which rows fail in one of them. Inside
// is for a stream in a sink, which cannot be read again.
func (g *grove) grow(s rxcql.Stream[spot], inside bool) (out rxcql.Stream[spot], fails func(spot) bool) {
	s, fails = g.chain(s, g.made)
	for range g.rand.IntN(3) {
		k := 1 + g.rand.IntN(9)
		switch g.rand.IntN(11) {
		case 0:
			s = operators.Throttle(s, rxcql.NewRate(rxcql.RowsPerSecond(float64(k)*2000)))
		case 1:
			s = operators.Buffer(s, k, rxcql.OverflowBlock)
		case 2:
			s = operators.Timeout(s, 10_000*time.Hour)
		case 3:
			s = g.lookUp(s, k)
		case 4, 5:
			if !inside && !g.once && (!g.job || !g.files) {
				s = operators.Retry(operators.Tap(s, g.passing()), operators.RetryAttempts(0), operators.RetryDelay(time.Millisecond, time.Second))
				g.again = true
			}
		case 6:
			if !g.job && !inside {
				nothing := sequence[spot]()
				s = operators.Recover(s, nothing, operators.RecoverIf(func(error) bool { return false }))
				g.sources++
			}
		case 7:
			if !g.job {
				s = operators.Distinct(s, func(at spot) spot { g.call(); return at }, operators.DistinctKeys(1<<20))
			}
		case 8:
			if !g.job {
				s = g.conflate(s)
			}
		case 9:
			if !g.job {
				s = g.group(s, k)
			}
		case 10:
			if !g.job {
				s = g.newest(s, time.Duration(k)*time.Millisecond)
			}
		}
	}
	return s, fails
}

func (g *grove) lookUp(s rxcql.Stream[spot], inFlight int) rxcql.Stream[spot] {
	opts := []operators.LookupOption{operators.LookupInFlight(inFlight)}
	if g.rand.IntN(2) == 0 {
		opts = append(opts, operators.Unordered(), operators.LookupCache(1<<16, time.Hour))
	}
	return operators.Lookup(s, g.session, "SELECT name FROM ks.known WHERE id = ?",
		func(at spot) ([]any, error) { return []any{at.Row % 10}, nil },
		func(at spot, found operators.Found[string]) (spot, error) {
			if found.OK != (at.Row%10 < 5) {
				return at, errors.New("another answer than was asked for")
			}
			return at, g.fail(at)
		}, opts...)
}

// passing is a function that fails in some calls, in a way that may pass.
func (g *grove) passing() func(spot) error {
	at, calls := map[int]bool{}, 0
	for range g.rand.IntN(5) {
		at[1+g.rand.IntN(300)] = true
	}
	return func(spot) error {
		g.mu.Lock()
		defer g.mu.Unlock()
		if calls++; at[calls] {
			return errPassing
		}
		return nil
	}
}

// runOnce runs what is no job, by chance disturbed, and reports whether all has come.
func (g *grove) runOnce(t *testing.T, in rxcql.Stream[spot], to rxcql.Sink[spot]) (complete bool) {
	t.Helper()
	policy := g.policy()
	if g.how = []string{"", "", "panic", "exit", "stop", "cancel", "error", "fail"}[g.rand.IntN(8)]; g.how != "" {
		g.calls = 1 + g.rand.IntN(200)
	}
	fatal := g.how == "fail"
	if fatal {
		g.how, policy = "error", rxcql.FailOnRowError()
	}
	p, err := rxcql.New(in, to, append(g.opts, rxcql.WithRowErrors(policy))...)
	require.NoError(t, err)
	ctx, cancel := context.WithCancelCause(t.Context())
	defer cancel(nil)
	g.p, g.stop = p, cancel
	rep, err := runOrExit(ctx, p)
	require.Zero(t, rep.BytesInFlight)
	switch {
	case g.how == "":
		require.NoError(t, err)
		require.True(t, rep.Complete || g.short)
	case fatal && err != nil && !errors.Is(err, errPurpose): // the first row that is bad
		require.ErrorAs(t, err, new(*rxcql.RowError))
	case g.how == "error" && err != nil: // of a fold: with its row the state would be wrong
		require.ErrorIs(t, err, errPurpose)
	case g.how == "error":
		require.True(t, rep.Complete || g.short)
	}
	if rep.Complete {
		require.Equal(t, rep.Pages, rep.PagesSettled+rep.PagesGivenUp)
	}
	return rep.Complete
}

// However such a pipeline is disturbed, and as a job however often: it ends, with nothing left; no
// row goes where it does not belong or comes twice where that must not be; and when it is complete
// all rows are where they belong, without those with which a function has failed.
func TestChaosOfTrees(t *testing.T) {
	eachSeed(t, 4**seeds, func(t *testing.T, seed uint64) { synctest.Test(t, func(t *testing.T) { treeRound(t, seed) }) })
}

func treeRound(t *testing.T, seed uint64) {
	g := newGrove(t, seed)
	to, leaves := g.sink(2)
	var all []rxcql.Stream[spot]
	var fails []func(spot) bool // by source
	var of []int                // the number of rows before those of the next source
	for range 1 + g.rand.IntN(3) {
		in, bad := g.grow(g.source(), false)
		all, fails, of = append(all, in), append(fails, bad), append(of, len(g.rows))
	}
	in, failsLast := g.grow(g.join(all), false)
	in = operators.Tap(in, func(at spot) error { return g.fail(at) })
	g.opts = append(g.opts, rxcql.WithBudget(int64(g.sources)*rxcql.MinBudgetPerInput<<g.rand.IntN(4)))
	g.trouble()
	complete := true
	if g.job {
		g.run(t, in, to)
	} else {
		complete = g.runOnce(t, in, to)
	}
	g.calm()
	for _, leaf := range leaves {
		want, source := map[spot]bool{}, 0
		for i, at := range g.rows {
			for i >= of[source] {
				source++
			}
			if !fails[source](at) && !failsLast(at) && leaf.reaches(at) {
				want[at] = true
			}
		}
		got := leaf.got(t)
		for at, times := range got {
			require.True(t, want[at], "%s has %v", leaf.name, at)
			if leaf.counts && (leaf.exact || !g.again && !g.job) {
				require.Equal(t, 1, times, "%s has %v", leaf.name, at)
			}
		}
		for at := range want {
			require.True(t, !complete || g.drops || g.lost[at] || got[at] > 0, "%s has no %v", leaf.name, at)
		}
	}
	for _, check := range g.checks {
		check(t, complete)
	}
}
