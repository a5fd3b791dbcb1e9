package sink_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/sink"
)

// listed is a row of a table with a list.
type listed struct {
	P int64    `cql:"p"`
	C int32    `cql:"c"`
	V []string `cql:"v"`
}

func lists(typ string) *schema.Table {
	return tableOf(column("p", schema.PartitionKey, "bigint"), column("c", schema.Clustering, "int"), column("v", schema.Regular, typ))
}

func listedRows(n int) []listed {
	rows := make([]listed, n)
	for i := range rows {
		rows[i] = listed{P: int64(i / 100), C: int32(i % 100), V: []string{"v"}}
	}
	return rows
}

// newest is the highest timestamp that was sent.
func newest(rows []sink.SentRow) (at int64) {
	for _, r := range rows {
		at = max(at, r.Timestamp)
	}
	return at
}

func TestARunEndsWhenTheTimeHasCaughtUpWithItsTimestamps(t *testing.T) {
	const rows = 1000
	for name, c := range map[string]struct {
		table *schema.Table
		opts  []sink.TableOption
		step  time.Duration // of a row
	}{
		"a list":               {lists("list<text>"), nil, sink.AttemptsPerRow * time.Microsecond},
		"a frozen list":        {lists("frozen<list<text>>"), nil, time.Microsecond},
		"a list, rows deleted": {lists("list<text>"), []sink.TableOption{sink.Delete()}, time.Microsecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { // nothing here takes time but the wait
				server := &recorder{}
				start := time.Now()
				rep, err := run(t, sequence(listedRows(rows)...), sink.TableOn[listed](server.send, c.table, c.opts...))
				require.NoError(t, err)
				require.True(t, rep.Complete)
				require.EqualValues(t, rows, rep.Written)
				last := newest(server.rows())
				require.EqualValues(t, (rows-1)*c.step.Microseconds()+1, last-start.UnixMicro())
				require.Greater(t, time.Now().UnixMicro(), last, "a write right after the run would lose")
				require.LessOrEqual(t, time.Now().UnixMicro(), last+c.step.Microseconds(), "no longer than it takes")

				first := len(server.rows())
				_, err = run(t, sequence(listedRows(1)...), sink.TableOn[listed](server.send, c.table, c.opts...))
				require.NoError(t, err)
				require.Greater(t, server.rows()[first].Timestamp, last, "a run right after the run would lose")
			})
		})
	}
}

func TestATeeAndAThroughWaitForTheTimeToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		for _, wrap := range []func(rxcql.Sink[listed]) rxcql.Sink[listed]{
			func(s rxcql.Sink[listed]) rxcql.Sink[listed] { return sink.Tee(s, s) },
			func(s rxcql.Sink[listed]) rxcql.Sink[listed] {
				return sink.Through(func(in rxcql.Stream[listed]) rxcql.Stream[listed] { return in }, s)
			},
		} {
			server := &recorder{}
			_, err := run(t, sequence(listedRows(1000)...), wrap(sink.TableOn[listed](server.send, lists("list<text>"))))
			require.NoError(t, err)
			require.Greater(t, time.Now().UnixMicro(), newest(server.rows()))
		}
	})
}

func TestEachTableOfARunHasAClockOfItsOwn(t *testing.T) {
	const rows = 3000 // in pages of some hundred
	synctest.Test(t, func(t *testing.T) {
		first, second := lists("frozen<list<text>>"), lists("list<text>")
		first.ID, second.ID = "first", "second"
		servers := []*recorder{{}, {}, {}}
		start := time.Now().UnixMicro()
		_, err := run(t, sequence(listedRows(rows)...), sink.Tee(
			sink.TableOn[listed](servers[0].send, first),
			sink.TableOn[listed](servers[1].send, second),
			sink.TableOn[listed](servers[2].send, second, sink.Delete()), // shares that of the second
		))
		require.NoError(t, err)
		require.EqualValues(t, rows, newest(servers[0].rows())-start, "what the other table needs is no matter")
		require.EqualValues(t, rows*(sink.AttemptsPerRow+1), newest(servers[2].rows())-start)
	})
}

func TestARunThatIsNotAheadOfTheTimeDoesNotWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := func(context.Context, sink.Sent) error {
			time.Sleep(time.Second)
			return nil
		}
		start := time.Now()
		_, err := run(t, sequence(listedRows(1000)...), sink.TableOn[listed](slow, lists("list<text>"), sink.InFlight(10)))
		require.NoError(t, err)
		require.Equal(t, time.Second, time.Since(start))
	})
}

func TestACancelEndsTheWaitForTheTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		cause := errors.New("enough")
		ctx, cancel := context.WithCancelCause(context.Background())
		server := &recorder{}
		p, err := rxcql.New(sequence(listedRows(1000)...), sink.TableOn[listed](server.send, lists("list<text>")))
		require.NoError(t, err)
		time.AfterFunc(time.Millisecond, func() { cancel(cause) })
		start := time.Now()
		rep, err := p.Run(ctx)
		require.ErrorIs(t, err, cause)
		require.Equal(t, time.Millisecond, time.Since(start))
		require.EqualValues(t, 1000, rep.Written)
		require.Equal(t, rep.Pages, rep.PagesSettled)
	})
}

func TestTheTimeIsPastTheAttemptsOfTheLastRowToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := &recorder{refuse: func(s sink.Sent) error {
			if len(s.Rows) > 1 {
				return writeFailure{} // each time the halves go at a later timestamp
			}
			return nil
		}}
		rows := listedRows(4)
		for i := range rows {
			rows[i].V[0] = strings.Repeat("x", 700_000)
		}
		_, err := run(t, sequence(rows...), sink.TableOn[listed](server.send, lists("list<text>"), sink.BatchBytes(4<<20)))
		require.NoError(t, err)
		require.Len(t, server.rows(), len(rows))
		require.Greater(t, time.Now().UnixMicro(), newest(server.rows()))
	})
}

func TestTimestampIsRefusedForATableWithAListThatIsNotFrozen(t *testing.T) {
	at := sink.TimestampOf(func(listed) int64 { return 1 })
	raw := sink.TimestampOf(func(rxcql.Row) int64 { return 1 })
	server := &recorder{}
	check := func(s interface{ Check(context.Context) error }) error { return s.Check(context.Background()) }
	refused := map[string]error{
		"structs":               check(sink.TableOn[listed](server.send, lists("list<text>"), at)),
		"rows":                  check(sink.TableOn[rxcql.Row](server.send, lists("list<text>"), raw)),
		"rows of known columns": check(sink.TableOn[rxcql.Row](server.send, lists("list<text>"), raw, sink.Columns("p", "c", "v"))),
	}
	_, refused["a run"] = run(t, sequence(listed{}), sink.TableOn[listed](server.send, lists("list<text>"), at))
	for name, err := range refused {
		require.ErrorIs(t, err, rxcql.ErrSchema, name)
		for _, want := range []string{`"ks"."t"`, "TimestampOf", `column "v" (list<text>)`, "leave out TimestampOf, or freeze the list"} {
			require.ErrorContains(t, err, want, name)
		}
	}
	require.Empty(t, server.rows())

	require.NoError(t, check(sink.TableOn[listed](server.send, lists("list<text>"))), "without TimestampOf")
	require.NoError(t, check(sink.TableOn[listed](server.send, lists("frozen<list<text>>"), at)))
	require.NoError(t, check(sink.TableOn[listed](server.send, lists("list<text>"), at, sink.Delete())))
	type set struct {
		P int64    `cql:"p"`
		C int32    `cql:"c"`
		V []string `cql:"v"`
	}
	require.NoError(t, check(sink.TableOn[set](server.send, lists("set<text>"), sink.TimestampOf(func(set) int64 { return 1 }))))
}
