package sink_test

import (
	"context"
	"encoding/binary"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// byToken are the options of a sink that sorts, and those given.
func byToken(more ...sink.TableOption) []sink.TableOption {
	return append([]sink.TableOption{sink.BatchByReplicaSet(100, 48<<10), sink.SortByToken()}, more...)
}

// falls is how often a row has a lower token than the one sent before it.
func falls(rows []sink.SentRow) (n int) {
	for i := range rows {
		if i > 0 && ring.Token(rows[i].Values[0].([]byte)) < ring.Token(rows[i-1].Values[0].([]byte)) {
			n++
		}
	}
	return n
}

func TestRowsGoInTheOrderOfTheirTokens(t *testing.T) {
	const rows = 20_000
	for name, each := range map[string]struct {
		opts   []sink.TableOption
		budget int64
		least  int // falls
		most   int
	}{
		"in one go":           {byToken(), 32 << 20, 0, 0},
		"in several":          {byToken(), 2 << 20, 2, 5},
		"at the least budget": {byToken(), rxcql.MinBudgetPerInput, 2, rows / 20},
		"without the option":  {[]sink.TableOption{sink.BatchByReplicaSet(100, 48<<10)}, 32 << 20, rows / 3, rows},
	} {
		t.Run(name, func(t *testing.T) {
			server := &recorder{}
			rep, err := run(t, sequence(scattered(rows, 1)...),
				sink.TableOn[event](server.send, events(), append(each.opts, sink.InFlight(1), sink.BatchLinger(time.Minute))...), rxcql.WithBudget(each.budget))
			require.NoError(t, err)
			require.EqualValues(t, rows, rep.Written)
			require.Len(t, keysOf(sink.Sent{Rows: server.rows()}), rows)
			require.GreaterOrEqual(t, falls(server.rows()), each.least)
			require.LessOrEqual(t, falls(server.rows()), each.most)
			require.LessOrEqual(t, rep.PeakBytes, each.budget+int64(rep.PeakFetches)*rep.LargestPage)
		})
	}
}

func TestRowsOfAPartitionThatAreFarApartComeTogether(t *testing.T) {
	const partitions, each = 1000, 20
	for name, most := range map[string]int{"sorted": partitions / 2, "not": partitions * each / 2} {
		server := &recorder{}
		opts := []sink.TableOption{sink.BatchByReplicaSet(2, 48<<10), sink.InFlight(1), sink.BatchLinger(time.Minute)}
		if name == "sorted" {
			opts = append(opts, sink.SortByToken())
		}
		_, err := run(t, sequence(scattered(partitions, each)...), sink.TableOn[event](server.send, events(), opts...))
		require.NoError(t, err)
		require.Len(t, server.sent, most, name)
		if name != "sorted" {
			continue
		}
		last := map[int64]int32{}
		for _, r := range server.rows() { // rows of one token keep their order
			p, c := int64(binary.BigEndian.Uint64(r.Values[0].([]byte))), int32(binary.BigEndian.Uint32(r.Values[1].([]byte)))
			before, seen := last[p]
			require.True(t, !seen && c == 0 || c == before+1)
			last[p] = c
		}
	}
}

func TestRowsThatComeSlowlyAreSortedAfterASecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start := time.Now()
		var after []time.Duration
		var sizes []int
		server := func(_ context.Context, s sink.Sent) error {
			after, sizes = append(after, time.Since(start)), append(sizes, len(s.Rows))
			return nil
		}
		ch := make(chan event)
		go func() {
			for p := range int64(3) {
				ch <- event{P: p}
				time.Sleep(100 * time.Millisecond)
			}
			time.Sleep(3 * time.Second)
			ch <- event{P: 7}
			time.Sleep(300 * time.Millisecond)
			close(ch)
		}()
		_, err := run(t, source.Chan(ch), sink.TableOn[event](server, events(), byToken(sink.InFlight(1))...))
		require.NoError(t, err)
		require.Equal(t, []time.Duration{time.Second, 3600 * time.Millisecond}, after, "the last one at the end")
		require.Equal(t, []int{3, 1}, sizes)
	})
}

func TestRowsThatAreDueWhileNoWorkerIsFreeGoLaterAndOnce(t *testing.T) {
	nodes, replication := keyspaceOf(50)
	synctest.Test(t, func(t *testing.T) {
		var p *rxcql.Pipeline
		server, written := &recorder{}, 0
		server.refuse = func(s sink.Sent) error { // refuses none
			const last = 1 // a page without rows
			assert.LessOrEqual(t, p.Progress().PagesSettled, int64(written)+last, "a page is settled before it is written")
			assert.LessOrEqual(t, len(s.Rows), 5)
			written += len(s.Rows)
			return nil
		}
		slow := func(ctx context.Context, s sink.Sent) error {
			time.Sleep(400 * time.Millisecond)
			return server.send(ctx, s)
		}
		rows := source.Seq(func(yield func(event, error) bool) {
			for i := range 3000 {
				time.Sleep(5 * time.Millisecond)
				if !yield(event{P: int64(i % 1500), C: int32(i / 1500)}, nil) {
					return
				}
			}
		}, source.PageRows(1))
		var err error
		p, err = rxcql.New(rows, sink.TableOnNodes[event](slow, events(), nodes, replication, byToken(sink.InFlight(3), sink.BatchRows(5))...),
			rxcql.WithBudget(1<<20)) // in which not all rows that are due fit into batches
		require.NoError(t, err)
		rep, err := p.Run(context.Background())
		require.NoError(t, err)
		require.EqualValues(t, 3000, rep.Written)
		seen := map[string]bool{}
		for _, r := range server.rows() {
			key := string(r.Values[0].([]byte)) + string(r.Values[1].([]byte))
			require.False(t, seen[key])
			seen[key] = true
		}
		require.Len(t, seen, 3000)
		require.Zero(t, rep.BytesInFlight)
		require.Equal(t, rep.Pages, rep.PagesSettled)
	})
}

func TestRowsThatWaitToBeSortedAreNotDone(t *testing.T) {
	stop := errors.New("no more")
	server := &recorder{}
	rows := source.Seq(func(yield func(event, error) bool) {
		for _, e := range scattered(1000, 1) {
			yield(e, nil)
		}
		yield(event{}, stop)
	})
	rep, err := run(t, rows, sink.TableOn[event](server.send, events(), byToken()...))
	require.ErrorIs(t, err, stop)
	require.Empty(t, server.sent)
	require.Zero(t, rep.Written)
	require.Zero(t, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)
}

func TestARowThatIsRefusedAfterSortingIsNamedByItsPlace(t *testing.T) {
	rows := scattered(500, 1)
	rows[321].V = "bad"
	server := &recorder{refuse: badFor}
	var failed []rxcql.RowFailedEvent
	pages := source.Seq(func(yield func(event, error) bool) {
		for i := 0; i < len(rows) && yield(rows[i], nil); i++ {
		}
	}, source.PageRows(100))
	rep, err := run(t, pages, sink.TableOn[event](server.send, events(), byToken(sink.InFlight(1))...),
		rxcql.WithRowErrors(rxcql.SkipRows(10)), rxcql.WithHooks(rxcql.Hooks{RowFailed: func(_ context.Context, e rxcql.RowFailedEvent) { failed = append(failed, e) }}))
	require.NoError(t, err)
	require.EqualValues(t, 499, rep.Written)
	require.Len(t, failed, 1)
	require.Equal(t, "all", failed[0].Range)
	require.EqualValues(t, 321, failed[0].Row+int(failed[0].Page)*100)
}

func TestALargeRowIsSortedAmongSmallOnes(t *testing.T) {
	rows := scattered(2000, 1)
	for i := range rows {
		if i%500 == 77 {
			rows[i].V = strings.Repeat("x", 300<<10)
		}
	}
	server := &recorder{}
	rep, err := run(t, sequence(rows...), sink.TableOn[event](server.send, events(), byToken()...), rxcql.WithBudget(1<<20))
	require.NoError(t, err)
	require.EqualValues(t, 2000, rep.Written)
	for _, r := range server.rows() {
		want := rows[binary.BigEndian.Uint64(r.Values[0].([]byte))].V
		require.Equal(t, want, string(r.Values[2].([]byte)))
	}
}

func TestALargeRowStaysBehindTheRowsOfItsPartitionThatCameBefore(t *testing.T) {
	var rows []event
	for c := range int32(160) {
		rows = append(rows, event{P: int64(c % 2), C: c / 2})
	}
	for i := range rows {
		if i%4 == 3 {
			rows[i].V = strings.Repeat("x", 1000+i*3) // some take too much only in a request
		}
	}
	server := &recorder{}
	var sinks []rxcql.Sink[event]
	for i := range 8 { // the others are idle, and have their parts of what may wait
		about := events()
		about.ID += strings.Repeat("a", i)
		sinks = append(sinks, sink.TableOn[event](server.send, about, byToken(sink.InFlight(1))...))
	}
	_, err := run(t, sequence(rows...), sink.Route(func(event) int { return 0 }, sinks...), rxcql.WithBudget(rxcql.MinBudgetPerInput))
	require.NoError(t, err)
	next := map[int64]int32{}
	for _, r := range server.rows() {
		p, c := int64(binary.BigEndian.Uint64(r.Values[0].([]byte))), int32(binary.BigEndian.Uint32(r.Values[1].([]byte)))
		require.Equal(t, next[p], c, "partition %d", p)
		next[p]++
	}
	require.Len(t, server.rows(), len(rows))
}

func TestSortByTokenAloneIsRefused(t *testing.T) {
	server := &recorder{}
	_, err := rxcql.New(sequence(event{}), sink.TableOn[event](server.send, events(), sink.SortByToken()))
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "BatchByReplicaSet")
}
