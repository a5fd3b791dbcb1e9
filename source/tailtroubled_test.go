package source_test

import (
	"context"
	"encoding/binary"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// troubled is a tail of a quiet table of which requests fail or take long: with an overlap of 5 s,
// and 5 s out of order. The time of a row's event is in v, and it arrives when it is written.
type troubled struct {
	*tailed
	shards int         // 2 if 0
	down   atomic.Bool // requests that match get fails
	match  func(*cqlfake.Request) bool
	fails  func() *cqlfake.Reply
	before func(rxcql.Stream[arrival]) rxcql.Stream[arrival] // EventTime; may be nil
	stall  atomic.Int64                                      // ns for which the sink stalls at each page

	mu    sync.Mutex
	slow  func(*cqlfake.Request) time.Duration
	pages int
	mark  flow.Watermark
	rows  int
	late  []time.Duration
}

func ofTable(r *cqlfake.Request) bool { return r.Reads("iot.raw") }
func ofAny(r *cqlfake.Request) bool   { return ofTable(r) || ofClock(r) }

func newTroubled(t *testing.T) *troubled {
	s := &tailed{Server: cqlfake.New(t)}
	s.Keyspace("iot", rawTable)
	f := &troubled{tailed: s, match: ofTable, fails: func() *cqlfake.Reply { return cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"}) }}
	s.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if d := f.takes(r); d > 0 {
			return cqlfake.Tables().After(d)
		}
		if f.down.Load() && f.match(r) {
			return f.fails()
		}
		return s.tellsTime(r)
	})
	s.session = s.Session("")
	return f
}

// seen returns the rows that came, by how much each late one was late, and the watermark.
func (f *troubled) seen() (rows int, late []time.Duration, mark flow.Watermark) {
	synctest.Wait()
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.rows, f.late, f.mark
}

// slowed has requests take as long as slow says; it is called for one after the other.
func (f *troubled) slowed(slow func(*cqlfake.Request) time.Duration) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.slow = slow
}

func (f *troubled) takes(r *cqlfake.Request) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.slow == nil {
		return 0
	}
	return f.slow(r)
}

// write writes a row now.
func (f *troubled) write(happened time.Time) {
	f.putInto(time.Now(), 1, time.Now(), strconv.FormatInt(happened.UnixMilli(), 10))
}

// untilItWouldBeLate waits until a row of that time would be late if it came with the next poll,
// and no longer than most.
func (f *troubled) untilItWouldBeLate(happened time.Time, most time.Duration) {
	for range most / (100 * time.Millisecond) {
		time.Sleep(100 * time.Millisecond)
		if _, _, mark := f.seen(); mark.Time().After(happened) {
			return
		}
	}
}

// nextPage waits for a page.
func (f *troubled) nextPage() {
	soFar := func() int {
		f.mu.Lock()
		defer f.mu.Unlock()
		return f.pages
	}
	for before := soFar(); soFar() == before; {
		time.Sleep(time.Millisecond)
	}
}

// start runs it, with events that are idle after a time.
func (f *troubled) start(t *testing.T, idle time.Duration, opts []source.TailOption, run ...rxcql.Option) (stop func()) {
	tail := source.Tail[arrival](f.session, "iot.raw", f.buckets(), append([]source.TailOption{source.Overlap(5 * time.Second), source.WallClock(f.wall)}, opts...)...)
	if f.before != nil {
		tail = f.before(tail)
	}
	event := operators.EventTime(tail, func(row arrival) (time.Time, error) { return eventOf(row), nil },
		operators.OutOfOrderness(5*time.Second), operators.IdleAfter(idle))
	p, err := rxcql.New(looking(event, func(p *flow.Page[arrival]) {
		f.mu.Lock()
		f.pages++
		for _, row := range p.Rows {
			f.rows++
			if flow.WatermarkAt(eventOf(row)).Before(f.mark) {
				f.late = append(f.late, f.mark.Time().Sub(eventOf(row)))
			}
		}
		f.mark = p.Watermark
		f.mu.Unlock()
		if d := time.Duration(f.stall.Load()); d > 0 {
			time.Sleep(d)
		}
	}), sink.Each(func(context.Context, arrival) error { return nil }, sink.Idempotent()), append([]rxcql.Option{rxcql.WithRetry(time.Hour, 0)}, run...)...)
	require.NoError(t, err)
	done := make(chan error, 1)
	go func() {
		_, err := p.Run(context.Background())
		done <- err
	}()
	return func() {
		f.down.Store(false)
		f.slowed(nil)
		f.stall.Store(0)
		p.Stop()
		assert.NoError(t, <-done)
	}
}

func inTrouble(t *testing.T, idle time.Duration, opts []source.TailOption, test func(t *testing.T, f *troubled)) {
	synctest.Test(t, func(t *testing.T) {
		f := newTroubled(t)
		stop := f.start(t, idle, opts)
		defer stop()
		test(t, f)
	})
}

func (f *troubled) nothingLate(t *testing.T) {
	t.Helper()
	rows, late, _ := f.seen()
	assert.Equal(t, 1, rows)
	assert.Empty(t, late)
}

// flaky has the first attempt of shard 1 fail in each poll.
func (f *troubled) flaky() {
	f.match = firstFails()
	f.down.Store(true)
}

// firstFails matches the first attempt of shard 1 in each poll.
func firstFails() func(*cqlfake.Request) bool {
	n := 0
	return func(r *cqlfake.Request) bool {
		if !ofTable(r) || shardOf(r) != 1 {
			return false
		}
		n++
		return n%2 == 1
	}
}

// nothingLateByAnOutage has requests fail for a while. A row whose event was a second after that
// began is written 2.5 s after the first page that comes again, and is not late.
func (f *troubled) nothingLateByAnOutage(t *testing.T, lasts time.Duration) {
	t.Helper()
	f.down.Store(true)
	happened := time.Now().Add(time.Second)
	time.Sleep(lasts)
	f.down.Store(false)
	f.nextPage()
	time.Sleep(2500 * time.Millisecond)
	f.write(happened)
	time.Sleep(10 * time.Second)
	f.nothingLate(t)
}

func (f *troubled) buckets() source.Buckets {
	b := daily
	if f.shards > 0 {
		b.Shards = f.shards
	}
	return b
}

// eventOf is the time of a row's event.
func eventOf(row arrival) time.Time {
	ms, _ := strconv.ParseInt(row.V, 10, 64)
	return time.UnixMilli(ms)
}

// shardOf is the shard that a request of iot.raw reads.
func shardOf(r *cqlfake.Request) int {
	if len(r.Statements) == 0 || len(r.Statements[0].Values) < 2 {
		return -1
	}
	return int(binary.BigEndian.Uint32(r.Statements[0].Values[1].Bytes))
}

// dayOf is the bucket that a request of iot.raw reads.
func dayOf(r *cqlfake.Request) time.Time {
	if len(r.Statements) == 0 || len(r.Statements[0].Values) < 2 {
		return time.Time{}
	}
	days := int64(binary.BigEndian.Uint32(r.Statements[0].Values[0].Bytes)) - 1<<31
	return time.Unix(days*24*3600, 0)
}
