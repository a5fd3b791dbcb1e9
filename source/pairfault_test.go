package source_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// numbered is a pair of tables with rows of the same numbers, and the server of both.
func numbered(t *testing.T, rows int, pad int) (*cqlfake.Server, func(opts ...source.PairOption) rxcql.Stream[rxcql.Pair[numberedRow, numberedRow]]) {
	server := cqlfake.New(t)
	server.Keyspace("ks", "l (p int, c int, n int, pad blob, PRIMARY KEY (p, c))", "r (p int, c int, n int, pad blob, PRIMARY KEY (p, c))")
	for n := range rows {
		for _, table := range []string{"l", "r"} {
			server.Exec(fmt.Sprintf("INSERT INTO ks.%s (p, c, n, pad) VALUES (%d, %d, %d, 0x%x)", table, n/50, n%50, n, make([]byte, pad)))
		}
	}
	session := server.Session("")
	return server, func(opts ...source.PairOption) rxcql.Stream[rxcql.Pair[numberedRow, numberedRow]] {
		return source.TablePair[numberedRow, numberedRow](session, "ks.l", session, "ks.r", opts...)
	}
}

type numberedRow struct {
	N   int    `cql:"n"`
	Pad []byte `cql:"pad"`
}

func TestAPageOfAPairThatFailsForGoodNamesItsTable(t *testing.T) {
	server, pairs := numbered(t, 300, 0)
	for table, says := range map[string]string{"ks.l": `left table "ks"."l"`, "ks.r": `right table "ks"."r"`} {
		stop := server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if r.Reads(table) && r.PageState != nil {
				return cqlfake.Fail(&message.Invalid{ErrorMessage: "no"})
			}
			return nil
		})
		report, err := pairs(source.Splits(2), source.PageRows(10)).ForEach(t.Context(), func(rxcql.Pair[numberedRow, numberedRow]) error { return nil })
		var row *rxcql.RowError
		require.ErrorAs(t, err, &row)
		require.ErrorContains(t, err, says)
		require.Equal(t, -1, row.Row)
		require.Zero(t, report.BytesInFlight)
		stop()
	}
}

func TestRowsInAnotherOrderEndTheRunAndNeverBecomeDifferences(t *testing.T) {
	server := cqlfake.New(t)
	server.Keyspace("ks", "l (p int, c int, PRIMARY KEY (p, c))", "r (p int, c int, PRIMARY KEY (p, c))")
	for c := range 10 {
		server.Exec(fmt.Sprintf("INSERT INTO ks.l (p, c) VALUES (1, %d)", c), fmt.Sprintf("INSERT INTO ks.r (p, c) VALUES (1, %d)", c))
	}
	type row struct {
		C int `cql:"c"`
	}
	for name, order := range map[string][]int{"a row behind a later one": {0, 1, 3, 2, 4}, "a row twice": {0, 1, 1, 2}} {
		stop := server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if !r.Reads("ks.r") {
				return nil
			}
			of := func(name string) *message.ColumnMetadata {
				return &message.ColumnMetadata{Keyspace: "ks", Table: "r", Name: name, Type: datatype.Int}
			}
			answer := &message.RowsResult{Metadata: &message.RowsMetadata{ColumnCount: 2, Columns: []*message.ColumnMetadata{of("c"), of("p")}}}
			for _, c := range order {
				answer.Data = append(answer.Data, message.Row{binary.BigEndian.AppendUint32(nil, uint32(c)), {0, 0, 0, 1}})
			}
			return cqlfake.Answer(answer)
		})
		session := server.Session("")
		_, err := source.TablePair[row, row](session, "ks.l", session, "ks.r", source.Splits(1)).ForEach(t.Context(), func(p rxcql.Pair[row, row]) error {
			require.True(t, p.Both(), name)
			return nil
		})
		require.ErrorContains(t, err, "right table: a row has come behind one that belongs behind it", name)
		stop()
	}
}

func TestEightWorkersPairOnTheLeastBudget(t *testing.T) {
	for _, pad := range []int{0, 300, 5000} {
		synctest.Test(t, func(t *testing.T) {
			server, pairs := numbered(t, 600, pad)
			server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
				if r.Reads("ks.r") {
					return cqlfake.Tables().After(3 * time.Millisecond)
				}
				return nil
			})
			slow := operators.Tap(pairs(source.Splits(40)), func(rxcql.Pair[numberedRow, numberedRow]) error {
				time.Sleep(time.Millisecond)
				return nil
			})
			n := 0
			report, err := slow.ForEach(t.Context(), func(p rxcql.Pair[numberedRow, numberedRow]) error {
				require.True(t, p.Both())
				n++
				return nil
			}, rxcql.WithBudget(rxcql.MinBudgetPerInput), rxcql.WithWorkers(8))
			require.NoError(t, err)
			require.Equal(t, 600, n)
			require.LessOrEqual(t, report.PeakBytes, report.Budget+int64(report.PeakFetches)*report.LargestPage)
			require.Zero(t, report.BytesInFlight)
		})
	}
}

func TestAPageOfPairsCountsUntilItHasBeenTaken(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, pairs := numbered(t, 20, 1000)
		var p *rxcql.Pipeline
		n := 0
		p, err := rxcql.New(pairs(source.Splits(1)), sink.Each(func(context.Context, rxcql.Pair[numberedRow, numberedRow]) error {
			if n++; n == 20 { // its page is the last: no range has anything
				synctest.Wait()
				require.Greater(t, p.Progress().BytesInFlight, int64(2*1000))
			}
			return nil
		}), rxcql.WithWorkers(1))
		require.NoError(t, err)
		report, err := p.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, 20, n)
		require.Zero(t, report.BytesInFlight)
	})
}

func TestAnOperatorThatHoldsTheBudgetOfAPairIsNamed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		_, pairs := numbered(t, 600, 1000)
		batches := operators.Batch(pairs(source.PageRows(5)), operators.BatchRows(100_000))
		_, err := batches.Count(t.Context(), rxcql.WithBudget(rxcql.MinBudgetPerInput), rxcql.WithWorkers(8))
		var held interface{ Is(error) bool }
		require.ErrorAs(t, err, &held)
		require.ErrorIs(t, err, rxcql.ErrBudgetHeld)
		require.ErrorContains(t, err, "stage Batch holds")
	})
}

func TestHooksHearOfThePagesOfBothTables(t *testing.T) {
	_, pairs := numbered(t, 100, 0)
	var mu sync.Mutex
	rows := map[string]int{}
	report, err := pairs(source.Splits(3)).ForEach(t.Context(), func(rxcql.Pair[numberedRow, numberedRow]) error { return nil },
		rxcql.WithHooks(rxcql.Hooks{FetchEnd: func(_ context.Context, e rxcql.FetchEvent) {
			mu.Lock()
			defer mu.Unlock()
			rows[e.Keyspace+"."+e.Table] += e.Rows
			require.NoError(t, e.Err)
		}}))
	require.NoError(t, err)
	require.Equal(t, map[string]int{"ks.l": 100, "ks.r": 100}, rows)
	require.EqualValues(t, 100, report.ReadRows)
	require.Positive(t, report.ReadBytes)
}
