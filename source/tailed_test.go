package source_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// arrival is a row of the table iot.raw.
type arrival struct {
	ID int64  `cql:"id"`
	V  string `cql:"v"`
}

const rawTable = "raw (day date, shard int, arrived timestamp, id bigint, v text, PRIMARY KEY ((day, shard), arrived, id))"

// daily are its buckets.
var daily = source.Buckets{Columns: []string{"day"}, Size: 24 * time.Hour, Shard: "shard", Shards: 2, Arrived: "arrived"}

// tailed is a server with iot.raw, and clocks that can be set.
type tailed struct {
	*cqlfake.Server
	session *gocql.Session

	mu           sync.Mutex
	here, theirs time.Duration // by how much this machine's clock and the server's are ahead
}

func newTailed(t *testing.T, tables ...string) *tailed {
	s := &tailed{Server: cqlfake.New(t)}
	s.Keyspace("iot", append([]string{rawTable}, tables...)...)
	s.Control(s.tellsTime)
	session, err := s.Cluster().CreateSession()
	require.NoError(t, err)
	t.Cleanup(func() {
		time.Sleep(time.Millisecond) // a session that is closed before its heartbeat has begun leaves it
		session.Close()
		time.Sleep(time.Millisecond)
	})
	s.session = session
	return s
}

// ofClock reports whether a request asks for the server's clock.
func ofClock(r *cqlfake.Request) bool {
	return r.Kind == cqlfake.Execute && strings.Contains(r.Statements[0].CQL, "now()")
}

// tellsTime answers who asks for the server's clock, and nobody else.
func (s *tailed) tellsTime(r *cqlfake.Request) *cqlfake.Reply {
	if !ofClock(r) {
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	now := binary.BigEndian.AppendUint64(nil, uint64(time.Now().Add(s.theirs).UnixMilli()))
	column := &message.ColumnMetadata{Keyspace: "system", Table: "local", Name: "now", Type: datatype.Timestamp}
	return cqlfake.Answer(&message.RowsResult{
		Metadata: &message.RowsMetadata{ColumnCount: 1, Columns: []*message.ColumnMetadata{column}}, Data: message.RowSet{{now}},
	})
}

// jump sets the two clocks.
func (s *tailed) jump(here, theirs time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.here, s.theirs = here, theirs
}

func (s *tailed) wall() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return time.Now().Add(s.here).Round(0)
}

// put writes a row, which is visible at once. The bucket is made from the time of arrival.
func (s *tailed) put(id int64, arrived time.Time) { s.putInto(arrived, id, arrived, "") }

func (s *tailed) putInto(bucket time.Time, id int64, arrived time.Time, v string) {
	s.Exec(fmt.Sprintf("INSERT INTO iot.raw (day, shard, arrived, id, v) VALUES ('%s', %d, '%s', %d, '%s')",
		bucket.UTC().Format(time.DateOnly), id%2, arrived.UTC().Format("2006-01-02T15:04:05.000Z"), id, v))
}

// tail is a stream of iot.raw.
func (s *tailed) tail(opts ...source.TailOption) rxcql.Stream[arrival] {
	return source.Tail[arrival](s.session, "iot.raw", daily, append([]source.TailOption{source.WallClock(s.wall)}, opts...)...)
}

// follower runs a stream and notes what it gives.
type follower struct {
	cancel context.CancelCauseFunc
	done   chan struct{}

	mu     sync.Mutex
	rows   []arrival
	at     map[int64]time.Time // when a row came
	report rxcql.Report
	err    error
}

var errFollowed = errors.New("that is enough")

// follow runs a stream until the test ends, or stop.
func follow(t *testing.T, in rxcql.Stream[arrival], opts ...rxcql.Option) *follower {
	ctx, cancel := context.WithCancelCause(t.Context())
	f := &follower{cancel: cancel, done: make(chan struct{}), at: map[int64]time.Time{}}
	p, err := rxcql.New(in, sink.Each(func(_ context.Context, row arrival) error {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.rows = append(f.rows, row)
		f.at[row.ID] = time.Now()
		return nil
	}, sink.Idempotent(), sink.InFlight(1)), opts...)
	require.NoError(t, err)
	go func() {
		defer close(f.done)
		f.report, f.err = p.Run(ctx)
	}()
	t.Cleanup(func() { cancel(errFollowed); <-f.done })
	return f
}

// ids are those of the rows so far, in order of their numbers.
func (f *follower) ids() []int64 {
	ids := f.inOrder()
	slices.Sort(ids)
	return ids
}

// inOrder are the same in the order in which they came.
func (f *follower) inOrder() (ids []int64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, row := range f.rows {
		ids = append(ids, row.ID)
	}
	return ids
}

// stop ends the stream, which must not have failed.
func (f *follower) stop(t *testing.T) {
	t.Helper()
	f.cancel(errFollowed)
	<-f.done
	require.ErrorIs(t, f.err, errFollowed)
	require.Zero(t, f.report.BytesInFlight)
}

func upTo(n int64) (ids []int64) {
	for id := range n {
		ids = append(ids, id)
	}
	return ids
}

func inTail(t *testing.T, test func(t *testing.T, s *tailed)) {
	t.Helper()
	inTailAfter(t, 0, test)
}

// inTailAfter is inTail at another time than the first midnight of 2000.
func inTailAfter(t *testing.T, d time.Duration, test func(t *testing.T, s *tailed)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(d) // before there is a session, which would have heartbeats
		test(t, newTailed(t))
	})
}
