package transfer_test

import (
	"context"
	"fmt"
	"path/filepath"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/transfer"
)

// countTable makes a table of partitions p with up to nine rows each. Those whose p is a multiple
// of 10 have a static column only.
func countTable(t *testing.T, partitions int) (server *cqlfake.Server, rows int64) {
	t.Helper()
	server = cqlfake.New(t)
	server.Keyspace("ks", "t (p int, c int, s text STATIC, v text, PRIMARY KEY (p, c))")
	for p := range partitions {
		server.Exec(fmt.Sprintf("INSERT INTO ks.t (p, s) VALUES (%d, 'four')", p))
		for c := range p % 10 {
			server.Exec(fmt.Sprintf("INSERT INTO ks.t (p, c, v) VALUES (%d, %d, 'ab')", p, c))
			rows++
		}
	}
	return server, rows
}

func count(t *testing.T, session *gocql.Session, opts ...transfer.CountOption) (transfer.CountReport, error) {
	t.Helper()
	job, err := transfer.Count(transfer.Table{Session: session, Name: "ks.t"}, opts...)
	require.NoError(t, err)
	return job.Run(t.Context())
}

func TestACountHasRowsPartitionsAndThoseWithoutRows(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, rows := countTable(t, 200)
		got, err := count(t, server.Session(""))
		require.NoError(t, err)
		require.True(t, got.Run.Complete)
		require.Equal(t, "ks.t", got.Table)
		require.Equal(t, rows, got.Rows)
		require.EqualValues(t, 200, got.Partitions)
		require.EqualValues(t, 20, got.StaticOnly)
		require.Zero(t, got.Bytes)
		require.Empty(t, got.Ranges)
		require.Empty(t, got.LargestByRows)
	})
}

func TestSizesRangesAndTheLargestPartitions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, rows := countTable(t, 200)
		server.Exec("INSERT INTO ks.t (p, c, v) VALUES (42, 100, '" + longText + "')")
		rows++
		got, err := count(t, server.Session(""), transfer.CountSizes(), transfer.CountRanges(), transfer.CountLargest(3), transfer.WithSplits(16))
		require.NoError(t, err)
		// A row has p and c of 4 bytes and v of 2; a partition has s of 4 once, and if there are no rows,
		// p.
		require.EqualValues(t, 10*(rows-1)+8+int64(len(longText))+4*200+4*20, got.Bytes)

		var sum transfer.CountRange
		last := int64(-1 << 63)
		for _, r := range got.Ranges {
			require.Equal(t, last, r.Start, "ranges tile the ring")
			last = r.End
			sum.Rows += r.Rows
			sum.Partitions += r.Partitions
			sum.StaticOnly += r.StaticOnly
			sum.Bytes += r.Bytes
		}
		require.EqualValues(t, 1<<63-1, last)
		require.Equal(t, got.Rows, sum.Rows)
		require.Equal(t, got.Partitions, sum.Partitions)
		require.Equal(t, got.StaticOnly, sum.StaticOnly)
		require.Equal(t, got.Bytes, sum.Bytes)

		require.Len(t, got.LargestByRows, 3)
		for _, p := range got.LargestByRows {
			require.EqualValues(t, 9, p.Rows)
		}
		require.Equal(t, []string{"9"}, got.LargestByRows[0].Key, "of equal ones the smaller key comes first")
		require.Equal(t, []string{"42"}, got.LargestByBytes[0].Key)
		require.EqualValues(t, 3, got.LargestByBytes[0].Rows)
	})
}

const longText = "a text that is longer than all the others of that partition and of any other one together, so that it is the largest"

func TestACountThatIsInterruptedCountsEachRowOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, rows := countTable(t, 300)
		session := server.Session("")
		opts := func(file string, splits int) []transfer.CountOption {
			return []transfer.CountOption{
				transfer.CountSizes(), transfer.CountRanges(), transfer.CountLargest(5), transfer.WithSplits(splits), transfer.WithWorkers(3),
				transfer.WithRun(rxcql.WithRetry(0, 0)),
				transfer.WithCheckpoint(checkpoint.File(file), "count", rxcql.CheckpointInterval(10*time.Millisecond)),
			}
		}
		folder := t.TempDir()
		want, err := count(t, session, opts(filepath.Join(folder, "at once"), 8)...)
		require.NoError(t, err)
		require.Equal(t, rows, want.Rows)

		var got transfer.CountReport
		for i := 0; ; i++ {
			var pages atomic.Int64
			stop := server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
				if !r.Reads("ks.t") {
					return nil
				}
				if n := pages.Add(1); i < 5 && n > 4 {
					return cqlfake.Fail(&message.ServerError{ErrorMessage: "fails"})
				}
				return cqlfake.Tables().After(20 * time.Millisecond)
			})
			got, err = count(t, session, opts(filepath.Join(folder, "interrupted"), []int{64, 40, 90}[i%3])...)
			stop()
			if err == nil {
				require.Equal(t, 5, i, "it was interrupted five times")
				break
			}
			require.Less(t, got.Rows, rows)
		}
		require.True(t, got.Run.Complete)
		require.True(t, got.Run.Resumed)
		got.Run, want.Run, got.Ranges, want.Ranges = rxcql.Report{}, rxcql.Report{}, nil, nil
		require.Equal(t, want, got)
	})
}

func TestACountThatIsCompleteIsReportedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, rows := countTable(t, 50)
		session := server.Session("")
		once := transfer.WithCheckpoint(checkpoint.File(filepath.Join(t.TempDir(), "count")), "count", rxcql.RunOnce())
		want, err := count(t, session, transfer.CountSizes(), transfer.CountLargest(3), once)
		require.NoError(t, err)
		require.Equal(t, rows, want.Rows)

		got, err := count(t, session, transfer.CountSizes(), transfer.CountLargest(3), once)
		require.NoError(t, err)
		require.Zero(t, got.Run.ReadRows)
		require.True(t, got.Run.Complete)
		got.Run, want.Run = rxcql.Report{}, rxcql.Report{}
		require.Equal(t, want, got)
	})
}

// What a complete count has kept is not what another one would have found.
func TestACountThatIsCompleteIsNotReportedUnderOtherOptions(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, rows := countTable(t, 50)
		session := server.Session("")
		once := transfer.WithCheckpoint(checkpoint.File(filepath.Join(t.TempDir(), "count")), "count", rxcql.RunOnce())
		_, err := count(t, session, transfer.CountLargest(3), once)
		require.NoError(t, err)
		for _, other := range [][]transfer.CountOption{{once}, {once, transfer.CountLargest(2)}, {once, transfer.CountLargest(3), transfer.CountRanges()}} {
			got, err := count(t, session, other...)
			require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
			require.Zero(t, got.Rows)
		}
		got, err := count(t, session, transfer.CountLargest(3), once)
		require.NoError(t, err)
		require.Equal(t, rows, got.Rows)
	})
}

func TestAStopBeforeTheRunOfACountEndsIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server, _ := countTable(t, 10)
		job, err := transfer.Count(transfer.Table{Session: server.Session(""), Name: "ks.t"})
		require.NoError(t, err)
		job.Stop()
		got, err := job.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, rxcql.EndedByStop, got.Run.EndedBy)
		require.False(t, got.Run.Complete)
		require.Contains(t, got.String(), "not complete")
	})
}

func TestWhatIsWrongWithACountIsToldAtOnceAndBeforeAnyRequest(t *testing.T) {
	_, err := transfer.Count(transfer.Table{Name: "no table"}, transfer.CountLargest(-1), transfer.WithShard(3, 3))
	require.ErrorIs(t, err, rxcql.ErrConfig)
	for _, text := range []string{"no table", "CountLargest(-1)", "WithShard(3, 3)"} {
		require.ErrorContains(t, err, text)
	}
}

func TestACountOfNoTableIsAnErrorOfTheSchema(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := cqlfake.New(t)
		server.Keyspace("ks")
		job, err := transfer.Count(transfer.Table{Session: server.Session(""), Name: "ks.t"})
		require.NoError(t, err)
		_, err = job.Run(context.Background())
		require.ErrorIs(t, err, rxcql.ErrSchema)
	})
}
