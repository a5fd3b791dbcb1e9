package sink_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"math"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// scattered makes rows of so many partitions, each partition's rows as far apart as
// may be.
func scattered(partitions, rows int) []event {
	var all []event
	for c := range rows {
		for p := range partitions {
			all = append(all, event{int64(p), int32(c), "v"})
		}
	}
	return all
}

// keyspaceOf is a keyspace of one replica on so many nodes, each with one token.
func keyspaceOf(nodes int) ([]ring.Node, map[string]string) {
	all := make([]ring.Node, nodes)
	for i := range all {
		all[i] = ring.Node{DC: "d", Rack: "r", Tokens: []int64{math.MinInt64 + int64(i+1)*(math.MaxInt64/int64(nodes)*2)}}
	}
	return all, map[string]string{"class": "SimpleStrategy", "replication_factor": "1"}
}

// costOf is what a server makes of the size of a row's part of a batch, or more.
func costOf(r sink.SentRow) (n int) {
	for _, v := range r.Values {
		b, _ := v.([]byte)
		n += len(b) + 20
	}
	return n + 48
}

func keysOf(s sink.Sent) map[string]bool {
	all := map[string]bool{}
	for _, r := range s.Rows {
		all[string(r.Values[0].([]byte))] = true
	}
	return all
}

func TestABatchOfSeveralPartitionsHasOneReplicaSetAndIsWithinItsBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		nodes, replication := keyspaceOf(rapid.IntRange(1, 6).Draw(t, "nodes"))
		sets := ring.NewSets(nodes, replication)
		partitions := rapid.IntRange(2, 30).Draw(t, "most partitions")
		bytes := rapid.IntRange(1<<10, 8<<10).Draw(t, "most bytes")
		rows := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) event {
			return event{
				P: rapid.Int64Range(0, 60).Draw(t, "p"), C: rapid.Int32Range(0, 20).Draw(t, "c"),
				V: strings.Repeat("x", rapid.SampledFrom([]int{0, 5, 100, 2000}).Draw(t, "length")),
			}
		}), 0, 400).Draw(t, "rows")
		server := &recorder{}
		opts := []sink.TableOption{sink.BatchByReplicaSet(partitions, bytes), sink.BatchRows(50), sink.BatchBytes(4 << 10)}
		if rapid.Bool().Draw(t, "sorted") {
			opts = append(opts, sink.SortByToken())
		}
		p, err := rxcql.New(sequence(rows...), sink.TableOnNodes[event](server.send, events(), nodes, replication, opts...))
		require.NoError(t, err)
		rep, err := p.Run(context.Background())
		require.NoError(t, err)
		require.EqualValues(t, len(rows), rep.Written)
		require.Zero(t, rep.BytesInFlight)

		last := map[event]int64{} // timestamps, by primary key
		wins := map[event]string{}
		for _, s := range server.sent {
			of, cost, size := keysOf(s), 0, 0
			set := -1
			for _, r := range s.Rows {
				cost += costOf(r)
				size += costOf(r) - 48 - 20*len(r.Values)
				own := sets.Of(ring.Token(r.Values[0].([]byte)))
				require.True(t, set < 0 || set == own, "a batch of two replica sets")
				set = own
				key := event{P: int64(r.Values[0].([]byte)[7]), C: int32(r.Values[1].([]byte)[3])}
				if r.Timestamp > last[key] {
					last[key], wins[key] = r.Timestamp, string(r.Values[2].([]byte))
				}
			}
			require.LessOrEqual(t, len(s.Rows), 50)
			require.LessOrEqual(t, len(of), partitions)
			if len(of) > 1 {
				require.LessOrEqual(t, cost, bytes)
			} else if len(s.Rows) > 1 {
				require.True(t, size <= 4<<10 || cost <= bytes)
			}
		}
		want := map[event]string{}
		for _, row := range rows {
			want[event{P: row.P, C: row.C}] = row.V
		}
		require.Equal(t, want, wins, "the later of two rows with one key wins")
	})
}

func TestBatchesByReplicaSetFill(t *testing.T) {
	for name, each := range map[string]struct {
		rows            []event
		partitions, per int // rows a batch, at least
	}{
		"rows that are scattered":                  {scattered(1000, 1), 10, 10},
		"more of them where that is asked for":     {scattered(1000, 1), 100, 100},
		"rows that come by partition, as without":  {partitions(10, 100), 10, 100},
		"rows of few partitions in any order":      {scattered(5, 100), 10, 30},
		"partitions of a few rows that come whole": {partitions(100, 3), 10, 25},
	} {
		t.Run(name, func(t *testing.T) {
			server := &recorder{}
			rep, err := run(t, sequence(each.rows...), sink.TableOn[event](server.send, events(),
				sink.BatchByReplicaSet(each.partitions, 16<<10*each.partitions/100+4<<10), sink.BatchLinger(time.Minute)))
			require.NoError(t, err)
			require.EqualValues(t, len(each.rows), rep.Written)
			require.LessOrEqual(t, len(server.sent), len(each.rows)/each.per+1)
		})
	}
}

func TestHundredsOfReplicaSetsMakeNoTinyBatches(t *testing.T) {
	nodes, replication := keyspaceOf(500)
	server := &recorder{}
	rows := scattered(20_000, 1)
	rep, err := run(t, sequence(rows...), sink.TableOnNodes[event](server.send, events(), nodes, replication,
		sink.BatchByReplicaSet(0, 0), sink.BatchLinger(time.Minute)))
	require.NoError(t, err)
	require.EqualValues(t, len(rows), rep.Written)
	require.Less(t, len(server.sent), len(rows)/10+500, "the last batch of each set may be small")
}

func TestBatchesThatWaitHoldAnEighthOfTheBudgetAsAWhole(t *testing.T) {
	nodes, replication := keyspaceOf(200)
	large := strings.Repeat("x", 100<<10)
	rows := source.Seq(func(yield func(event, error) bool) {
		for p := range int64(600) {
			if !yield(event{P: p, V: large}, nil) {
				return
			}
		}
	})
	server := func(context.Context, sink.Sent) error { return nil }
	rep, err := run(t, rows, sink.TableOnNodes[event](server, events(), nodes, replication,
		sink.BatchByReplicaSet(1000, 16<<20), sink.BatchBytes(16<<20), sink.BatchLinger(time.Minute), sink.InFlight(1)), rxcql.WithBudget(128<<20))
	require.NoError(t, err)
	require.EqualValues(t, 600, rep.Written)
	require.Greater(t, rep.PeakBytes, int64(12<<20))
	require.Less(t, rep.PeakBytes, int64(24<<20), "of 60 MB")
}

func TestBatchesByReplicaSetStillFillAfterMoreThanMayWait(t *testing.T) {
	text := strings.Repeat("x", 1000)
	rows := source.Seq(func(yield func(event, error) bool) {
		for p := int64(0); p < 30_000 && yield(event{P: p, V: text}, nil); p++ {
		}
	})
	var mu sync.Mutex
	requests := 0
	server := func(context.Context, sink.Sent) error {
		mu.Lock()
		defer mu.Unlock()
		requests++
		return nil
	}
	_, err := run(t, rows, sink.TableOn[event](server, events(), sink.BatchByReplicaSet(0, 0), sink.BatchLinger(time.Minute)))
	require.NoError(t, err)
	require.LessOrEqual(t, requests, 30_000/4+1)
}

func TestTheSetOfAKeyOfSeveralColumnsIsThatOfItsToken(t *testing.T) {
	about := tableOf(column("a", schema.PartitionKey, "text"), column("b", schema.PartitionKey, "bigint"), column("v", schema.Regular, "int"))
	type row struct {
		A string `cql:"a"`
		B int64  `cql:"b"`
		V int32  `cql:"v"`
	}
	var rows []row
	for i := range 500 {
		rows = append(rows, row{A: strings.Repeat("k", i%300), B: int64(i)})
	}
	nodes, replication := keyspaceOf(4)
	sets := ring.NewSets(nodes, replication)
	server := &recorder{}
	_, err := run(t, sequence(rows...), sink.TableOnNodes[row](server.send, about, nodes, replication, sink.BatchByReplicaSet(0, 0), sink.BatchLinger(time.Minute)))
	require.NoError(t, err)
	require.LessOrEqual(t, len(server.sent), 500/10+4)
	for _, s := range server.sent {
		of := map[int]bool{}
		for _, r := range s.Rows {
			var key []byte
			for _, v := range r.Values[:2] {
				part := v.([]byte)
				key = append(binary.BigEndian.AppendUint16(key, uint16(len(part))), part...)
				key = append(key, 0)
			}
			of[sets.Of(ring.Token(key))] = true
		}
		require.Len(t, of, 1)
	}
}

func TestABatchByReplicaSetGoesAfterTheLinger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var after []time.Duration
		server := func(context.Context, sink.Sent) error {
			after = append(after, time.Since(start))
			return nil
		}
		ch := make(chan event)
		go func() {
			ch <- event{P: 1}
			time.Sleep(time.Second)
			close(ch)
		}()
		_, err := run(t, source.Chan(ch), sink.TableOn[event](server, events(), sink.BatchByReplicaSet(0, 0)))
		require.NoError(t, err)
		require.Equal(t, []time.Duration{5 * time.Millisecond}, after)
	})
}

func TestBatchByReplicaSetTakesBoundsThatMakeSense(t *testing.T) {
	server := &recorder{}
	for _, bounds := range [][2]int{{1, 0}, {-1, 0}, {1001, 0}, {0, 1023}, {0, -1}, {0, 16<<20 + 1}} {
		_, err := rxcql.New(sequence(event{}), sink.TableOn[event](server.send, events(), sink.BatchByReplicaSet(bounds[0], bounds[1])))
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorContains(t, err, fmt.Sprintf("BatchByReplicaSet(%d, %d)", bounds[0], bounds[1]))
	}
}
