package source_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// placed is a row of ks.placed, and its event time in seconds.
type placed struct {
	ID int `cql:"id"`
	At int `cql:"at"`
}

func timeOfPlaced(r placed) time.Time { return time.Unix(int64(r.At), 0) }

func placedAt(r placed) (time.Time, error) { return timeOfPlaced(r), nil }

// placedTable makes a table of several token ranges, of which part i has so many rows. Those of
// each part have the times 0, 1, 2 and so on, in the order in which they are read.
func placedTable(t *testing.T, rows func(part int) int) (session *gocql.Session, parts int) {
	t.Helper()
	server := cqlfake.New(t)
	server.Keyspace("ks", "ids (id int PRIMARY KEY)", "placed (id int PRIMARY KEY, at int)")
	for id := range 1000 {
		server.Exec(fmt.Sprintf("INSERT INTO ks.ids (id) VALUES (%d)", id))
	}
	session = server.Session("ks")
	ids := map[int][]int{}
	in := source.Table[int](session, "ks.ids", source.Splits(4), source.Columns("id"))
	_, err := looking(in, func(p *flow.Page[int]) {
		ids[p.Range] = append(ids[p.Range], p.Rows...)
		parts, _ = p.Source.Parts()
	}).Count(t.Context())
	require.NoError(t, err)
	for part := range parts {
		require.GreaterOrEqual(t, len(ids[part]), rows(part))
		for at, id := range ids[part][:rows(part)] {
			server.Exec(fmt.Sprintf("INSERT INTO ks.placed (id, at) VALUES (%d, %d)", id, at))
		}
	}
	return session, parts
}

func readPlaced(session *gocql.Session) rxcql.Stream[placed] {
	return operators.EventTime(source.Table[placed](session, "ks.placed", source.Splits(4), source.PageRows(4)), placedAt)
}

// into is a sink that calls fn.
func into[T any](fn func(T) error) rxcql.Sink[T] {
	return sink.Each(func(_ context.Context, row T) error { return fn(row) }, sink.Idempotent(), sink.InFlight(1))
}

// breaksAt fails at the nth row; 0 for none.
func breaksAt[T any](n int) func(T) error {
	return func(T) error {
		if n--; n == 0 {
			return errBroken
		}
		return nil
	}
}

// A part that an earlier run has done counts no more. One that nobody has begun holds event time
// back, and so does one that was begun, until this run comes to it.
func TestOfATableThatIsGoneOnWithThePartsThatAreNotDoneHoldEventTimeBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		session, parts := placedTable(t, func(int) int { return 40 })
		store := &jobtest.Store{}
		run := func(look func(*flow.Page[placed]), to rxcql.Sink[placed]) error {
			_, err := rxcql.Run(t.Context(), looking(readPlaced(session), look), to, rxcql.WithWorkers(1), rxcql.WithCheckpoint(store, "job"))
			return err
		}
		require.ErrorIs(t, run(func(*flow.Page[placed]) {}, into(breaksAt[placed](60))), errBroken)
		state, err := store.State("job")
		require.NoError(t, err)
		require.Len(t, state.Sources[0].Done, 1, "the first")
		require.Len(t, state.Sources[0].Parts, 1, "the second")

		var clock flow.EventClock
		begun, moved := map[int]bool{}, false
		require.NoError(t, run(func(p *flow.Page[placed]) {
			n, known := p.Source.Parts()
			require.True(t, known)
			require.Equal(t, parts-1, n)
			begun[p.Range] = true
			clock.Add(p.Advance())
			if now := clock.Now(); len(begun) < n {
				require.False(t, now.Known(), "only %d of %d have begun", len(begun), n)
			} else {
				moved = moved || now.Known() && now != flow.Forever
			}
		}, into(breaksAt[placed](0))))
		require.True(t, moved, "by the last part alone, since the others are done")
		require.Equal(t, flow.Forever, clock.Now())
	})
}

// Of a table that an earlier run has read to its end there are no pages at all.
func TestATableThatIsDoneDoesNotHoldTheStreamBehindItBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		session, parts := placedTable(t, func(int) int { return 5 })
		others := &jobtest.Parts[placed]{PageRows: 2, Rows: [][]placed{{}}}
		for at := range 40 {
			others.Rows[0] = append(others.Rows[0], placed{1000 + at, at})
		}
		store := &jobtest.Store{}
		run := func(look func(*flow.Page[placed]), to rxcql.Sink[placed]) error {
			both := operators.Concat(readPlaced(session), operators.EventTime(others.Stream(), placedAt))
			_, err := rxcql.Run(t.Context(), looking(both, look), to, rxcql.WithCheckpoint(store, "job"))
			return err
		}
		require.ErrorIs(t, run(func(*flow.Page[placed]) {}, into(breaksAt[placed](parts*5+20))), errBroken)
		var clock flow.EventClock
		moved := false
		require.NoError(t, run(func(p *flow.Page[placed]) {
			for _, row := range p.Rows {
				require.GreaterOrEqual(t, row.ID, 1000)
			}
			clock.Add(p.Advance())
			moved = moved || clock.Now().Known() && clock.Now() != flow.Forever
		}, into(breaksAt[placed](0))))
		require.True(t, moved)
		require.Equal(t, flow.Forever, clock.Now())
	})
}

// The windows of a table whose parts have the same times close as all parts go on, also in a run
// that goes on where one of them is done, and in one that goes on before all were begun.
func TestTheWindowsOfATableThatIsGoneOnWithHaveAllRows(t *testing.T) {
	const size = 10
	short := func(part int) int { return 10 + min(part, 1)*30 }
	type counts = operators.WindowResult[int, int]
	for name, c := range map[string]struct {
		workers, breaksAtRow, breaksAtResult int
		done, results                        int // after the first run
	}{
		"one part is done":         {workers: 8, breaksAtResult: 2, done: 1, results: 1},
		"some parts are not begun": {workers: 2, breaksAtRow: 45},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				session, parts := placedTable(t, short)
				var store *jobtest.Store
				var table map[int64]int
				run := func(row func(placed) error, result func(counts) error) (rxcql.Report, error) {
					rows := operators.Tap(readPlaced(session), row)
					windows := operators.Window(rows, operators.Tumbling(size*time.Second), timeOfPlaced, func(placed) int { return 0 },
						func() int { return 0 }, func(n int, _ placed) (int, error) { return n + 1, nil }, operators.WindowKeys(100))
					return rxcql.Run(t.Context(), windows, into(func(r counts) error {
						if err := result(r); err != nil {
							return err
						}
						table[r.Start.Unix()] = r.Value
						return nil
					}), rxcql.WithWorkers(c.workers), rxcql.WithCheckpoint(store, "job"))
				}
				// Two windows may close with one page, which then fails as a whole: if the short part
				// comes last. That is another first run.
				for done := -1; done != c.done; {
					store, table = &jobtest.Store{}, map[int64]int{}
					_, err := run(breaksAt[placed](c.breaksAtRow), breaksAt[counts](c.breaksAtResult))
					require.ErrorIs(t, err, errBroken)
					require.Len(t, table, c.results, "a window closes when all parts have passed it")
					state, err := store.State("job")
					require.NoError(t, err)
					done = len(state.Sources[0].Done)
				}

				rep, err := run(breaksAt[placed](0), breaksAt[counts](0))
				require.NoError(t, err)
				require.Zero(t, rep.LateRows)
				require.Equal(t, map[int64]int{0: size * parts, 10: size * (parts - 1), 20: size * (parts - 1), 30: size * (parts - 1)}, table)
			})
		})
	}
}

// The rows of a table come in the order of their tokens, so nothing says that a window is over
// before the end of all; and where there are more windows than may be kept there is an error and no
// result.
func TestWindowsOverATableCloseAtItsEndOrNotAtAll(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		session, parts := placedTable(t, func(int) int { return 40 })
		read, results := 0, 0
		run := func(most int64) error {
			rows := operators.Tap(source.Table[placed](session, "ks.placed", source.PageRows(4)), func(placed) error { read++; return nil })
			windows := operators.Window(rows, operators.Tumbling(10*time.Second), timeOfPlaced, func(placed) int { return 0 },
				func() int { return 0 }, func(n int, _ placed) (int, error) { return n + 1, nil }, operators.WindowKeys(most))
			_, err := windows.ForEach(t.Context(), func(r operators.WindowResult[int, int]) error {
				require.Equal(t, 40*parts, read)
				require.Equal(t, 10*parts, r.Value)
				results++
				return nil
			})
			return err
		}
		require.NoError(t, run(4))
		require.Equal(t, 4, results)
		require.ErrorIs(t, run(3), operators.ErrWindowFull)
		require.Equal(t, 4, results)
	})
}
