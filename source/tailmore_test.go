package source_test

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestTheCheckOfATailNamesAllThatDoesNotFit(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := newTailed(t,
			"sensors (sensor int, day date, arrived timestamp, v text, PRIMARY KEY ((sensor, day), arrived))",
			"numbers (day int, shard text, arrived bigint, v text, PRIMARY KEY ((day, shard), arrived))",
			"plain (day date PRIMARY KEY, v text)",
			"small (day date, shard tinyint, arrived timestamp, v text, PRIMARY KEY ((day, shard), arrived))",
			"hours (hour bigint, arrived timestamp, v text, PRIMARY KEY (hour, arrived))",
		)
		day := source.Buckets{Columns: []string{"day"}, Size: 24 * time.Hour, Arrived: "arrived"}
		with := func(change func(b *source.Buckets)) source.Buckets {
			b := day
			b.Columns = slices.Clone(day.Columns)
			change(&b)
			return b
		}
		for name, c := range map[string]struct {
			table   string
			buckets source.Buckets
			says    []string
		}{
			"no table": {"iot.none", daily, []string{"no such table"}},
			"a column of the partition key that is not named": {"iot.sensors", day,
				[]string{`has the column "sensor", which Buckets does not name`, "PRIMARY KEY ((day, shard), arrived, id)"}},
			"columns that are not of the partition key": {"iot.raw", with(func(b *source.Buckets) { b.Columns = []string{"v"} }),
				[]string{`no column "v"`, `the column "day", which Buckets does not name`, `the column "shard", which`}},
			"no clustering": {"iot.plain", day, []string{`"arrived" is not its first clustering column`}},
			"a time of arrival that is a number": {"iot.numbers", with(func(b *source.Buckets) { b.Shard, b.Shards = "shard", 1 }),
				[]string{`"arrived" is bigint: the time of arrival must be a timestamp or a timeuuid`}},
			"another first clustering column": {"iot.raw", with(func(b *source.Buckets) { b.Shard, b.Shards, b.Arrived = "shard", 1, "id" }),
				[]string{`"id" is not its first clustering column`}},
			"a date of buckets of an hour": {"iot.raw", with(func(b *source.Buckets) { b.Shard, b.Shards, b.Size = "shard", 2, time.Hour }),
				[]string{`"day" is a date, and buckets begin within a day`, "Value must say"}},
			"a number without a value": {"iot.hours", with(func(b *source.Buckets) { b.Columns[0] = "hour" }), []string{`"hour" is bigint: Value must say what it is`}},
			"a value of another type": {"iot.hours", with(func(b *source.Buckets) {
				b.Columns[0], b.Value = "hour", func(time.Time) []any { return []any{"secret"} }
			}), []string{`column "hour"`}},
			"too many values": {"iot.hours", with(func(b *source.Buckets) {
				b.Columns[0], b.Value = "hour", func(time.Time) []any { return []any{int64(1), int64(2)} }
			}), []string{"returned 2 values for the 1 columns hour"}},
			"null": {"iot.hours", with(func(b *source.Buckets) {
				b.Columns[0], b.Value = "hour", func(time.Time) []any { return []any{nil} }
			}), []string{"null or empty"}},
			"too many shards": {"iot.small", with(func(b *source.Buckets) { b.Shard, b.Shards = "shard", 200 }), []string{`"shard" is tinyint, which 200 shards do not fit`}},
			"a bucket that does not have its moment": {"iot.raw", with(func(b *source.Buckets) {
				b.Shard, b.Shards, b.Size = "shard", 2, 0
				b.Span = func(t time.Time) (start, end time.Time) { return t, t }
			}), []string{"Buckets.Span", "which the moment is not in"}},
		} {
			p, err := rxcql.New(source.Tail[string](s.session, c.table, c.buckets, source.Columns("v")), sink.Each(func(context.Context, string) error { return nil }))
			require.NoError(t, err, name)
			err = p.Check(t.Context())
			require.ErrorIs(t, err, rxcql.ErrSchema, name)
			for _, text := range c.says {
				require.ErrorContains(t, err, text, name)
			}
			require.NotContains(t, err.Error(), "secret", name)
		}
	})
}

func TestOptionsOfATailThatAreWrongAreReportedByNew(t *testing.T) {
	for text, c := range map[string]struct {
		buckets source.Buckets
		opt     source.TailOption
	}{
		"name the Columns":            {source.Buckets{Size: time.Hour, Arrived: "a"}, nil},
		"name the column Arrived":     {source.Buckets{Size: time.Hour, Columns: []string{"day"}}, nil},
		"say by Size":                 {source.Buckets{Columns: []string{"day"}, Arrived: "a"}, nil},
		"Size or Span, not both":      {source.Buckets{Columns: []string{"day"}, Arrived: "a", Size: time.Hour, Span: func(t time.Time) (start, end time.Time) { return t, t }}, nil},
		"must be whole seconds":       {source.Buckets{Columns: []string{"day"}, Arrived: "a", Size: time.Millisecond}, nil},
		"Shard names no column":       {source.Buckets{Columns: []string{"day"}, Arrived: "a", Size: time.Hour, Shards: 3}, nil},
		"Shards 0: must be":           {source.Buckets{Columns: []string{"day"}, Arrived: "a", Size: time.Hour, Shard: "s"}, nil},
		`"day" is named twice`:        {source.Buckets{Columns: []string{"day", "day"}, Arrived: "a", Size: time.Hour}, nil},
		"Value must say what the 2":   {source.Buckets{Columns: []string{"day", "hour"}, Arrived: "a", Size: time.Hour}, nil},
		"PollEvery(0s)":               {daily, source.PollEvery(0)},
		"Overlap(-1s)":                {daily, source.Overlap(-time.Second)},
		"Delay(-1s)":                  {daily, source.Delay(-time.Second)},
		"SeenBytes(0)":                {daily, source.SeenBytes(0)},
		"TailFrom: the time is zero":  {daily, source.TailFrom(time.Time{})},
		"TailUntil: the time is zero": {daily, source.TailUntil(time.Time{})},
		"Consistency(99)":             {daily, source.Consistency(99)},
		"PageRows(0)":                 {daily, source.PageRows(0)},
		"the *gocql.Session is nil":   {daily, nil},
	} {
		opts := []source.TailOption{}
		if c.opt != nil {
			opts = append(opts, c.opt)
		}
		_, err := rxcql.New(source.Tail[arrival](nil, "iot.raw", c.buckets, opts...), sink.Each(func(context.Context, arrival) error { return nil }))
		require.ErrorContains(t, err, text)
	}
	past := time.Unix(1000, 0)
	_, err := rxcql.New(source.Tail[arrival](nil, "iot.raw", daily, source.TailFrom(past), source.TailUntil(past)), sink.Each(func(context.Context, arrival) error { return nil }))
	require.ErrorContains(t, err, "must be after TailFrom")
}

func TestThePastOfATableIsReadInOrderAndEnds(t *testing.T) {
	const days = 40 * 24 * time.Hour
	inTailAfter(t, days, func(t *testing.T, s *tailed) {
		begin := time.Now().Add(-days)
		for id := range int64(400) {
			s.put(id, begin.Add(time.Duration(id)*144*time.Minute/2*3))
		}
		s.put(1000, begin.Add(-time.Millisecond))
		rows, err := s.tail(source.TailFrom(begin), source.TailUntil(begin.Add(30*24*time.Hour)), source.PageRows(3)).Collect(t.Context())
		require.NoError(t, err)
		want := int64(0)
		for ; begin.Add(time.Duration(want) * 144 * time.Minute / 2 * 3).Before(begin.Add(30 * 24 * time.Hour)); want++ {
		}
		var ids []int64
		for _, row := range rows {
			ids = append(ids, row.ID)
		}
		require.Equal(t, upTo(want), ids, "in the order of arrival, over both shards")
	})
}

func TestATailWithAnEndWaitsForItsOverlap(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		until := time.Now().Add(time.Minute)
		f := follow(t, s.tail(source.TailUntil(until), source.Overlap(20*time.Second)))
		time.Sleep(75 * time.Second)
		s.put(1, until.Add(-time.Millisecond))
		s.put(2, until)
		<-f.done
		require.NoError(t, f.err)
		require.True(t, f.report.Complete)
		require.Equal(t, []int64{1}, f.ids())
		require.GreaterOrEqual(t, time.Since(until), 20*time.Second)
		require.Less(t, time.Since(until), 23*time.Second)
	})
}

func TestATableInDescendingOrderAndOneOfTimeuuidsAreTailed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		time.Sleep(31*24*time.Hour - time.Minute) // to a minute before February
		s := newTailed(t,
			"down (day date, shard int, arrived timestamp, id bigint, v text, PRIMARY KEY ((day, shard), arrived, id)) WITH CLUSTERING ORDER BY (arrived DESC, id ASC)",
			"uuids (month text, at timeuuid, id bigint, v text, PRIMARY KEY (month, at))",
		)
		months := source.Buckets{
			Columns: []string{"month"}, Arrived: "at",
			Span: func(t time.Time) (start, end time.Time) {
				start = time.Date(t.Year(), t.Month(), 1, 0, 0, 0, 0, time.UTC)
				return start, start.AddDate(0, 1, 0)
			},
			Value: func(start time.Time) []any { return []any{start.Format("2006-01")} },
		}
		down := follow(t, source.Tail[arrival](s.session, "iot.down", daily, source.PageRows(2)))
		uuids := follow(t, source.Tail[arrival](s.session, "iot.uuids", months, source.PageRows(2)))
		time.Sleep(time.Second)
		var want []int64
		for id := range int64(120) {
			now := time.Now().UTC()
			s.Exec(fmt.Sprintf("INSERT INTO iot.down (day, shard, arrived, id) VALUES ('%s', 0, '%s', %d)", now.Format(time.DateOnly), now.Format("2006-01-02T15:04:05Z"), id))
			for range 3 { // of one time
				s.Exec(fmt.Sprintf("INSERT INTO iot.uuids (month, at, id) VALUES ('%s', %s, %d)", now.Format("2006-01"), gocql.UUIDFromTime(now), id))
				want = append(want, id)
			}
			time.Sleep(time.Second)
		}
		time.Sleep(time.Minute)
		require.Equal(t, upTo(120), down.ids())
		require.Equal(t, want, uuids.ids())
		past, err := source.Tail[arrival](s.session, "iot.down", daily, source.PageRows(7), source.TailFrom(time.Now().Add(-time.Hour)),
			source.TailUntil(time.Now().Add(-31*time.Second))).Collect(t.Context())
		require.NoError(t, err)
		require.Len(t, past, 120)
		require.True(t, slices.IsSortedFunc(past, func(a, b arrival) int { return int(a.ID - b.ID) }), "oldest first")
		down.stop(t)
		uuids.stop(t)
	})
}

func TestAnUpsertComesAgainOnlyIfThatIsAskedFor(t *testing.T) {
	for asked, want := range map[bool][]string{false: {"a"}, true: {"a", "b", "a"}} {
		inTail(t, func(t *testing.T, s *tailed) {
			var opts []source.TailOption
			if asked {
				opts = append(opts, source.Upserts())
			}
			f := follow(t, s.tail(opts...))
			time.Sleep(5 * time.Second)
			arrived := time.Now()
			for _, v := range []string{"a", "b", "a"} {
				s.putInto(arrived, 7, arrived, v)
				time.Sleep(3 * time.Second)
			}
			time.Sleep(time.Minute)
			f.stop(t)
			var got []string
			for _, row := range f.rows {
				got = append(got, row.V)
			}
			require.Equal(t, want, got)
		})
	}
}

func TestWithADelayOfTheOverlapRowsComeInOrderAndNoneIsReadAgain(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		f := follow(t, s.tail(source.Overlap(20*time.Second), source.Delay(20*time.Second), source.SeenBytes(128)))
		time.Sleep(time.Minute)
		written := map[int64]time.Time{}
		for id := range int64(60) { // in pairs, the second of which is a second before the first
			at := time.Now().Add(-time.Duration(id%4/2*2) * time.Second)
			written[id] = at
			s.put(id, at)
			time.Sleep(500 * time.Millisecond)
		}
		time.Sleep(time.Minute)
		f.stop(t)
		require.Equal(t, upTo(60), f.ids())
		last := map[int64]time.Time{}
		for _, id := range f.inOrder() {
			require.False(t, written[id].Before(last[id%2]), "row %d", id)
			last[id%2] = written[id]
			require.GreaterOrEqual(t, f.at[id].Sub(written[id]), 20*time.Second)
			require.LessOrEqual(t, f.at[id].Sub(written[id]), 23*time.Second)
		}
	})
}

func TestMoreKeysThanMayBeRememberedEndATailAndTheErrorSaysWhatToDo(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		f := follow(t, s.tail(source.SeenBytes(50*128)))
		time.Sleep(time.Minute)
		for id := range int64(51) {
			s.put(id, time.Now())
		}
		<-f.done
		require.ErrorIs(t, f.err, source.ErrTailFull)
		for _, word := range []string{"51 rows", "6528 bytes of 6400", "Overlap shorter", "Delay", "SeenBytes"} {
			require.ErrorContains(t, f.err, word)
		}
		require.Empty(t, f.ids(), "nothing is given that could come twice")
		require.Zero(t, f.report.BytesInFlight)

		past := time.Now()
		time.Sleep(time.Minute)
		rows, err := s.tail(source.TailFrom(past.Add(-time.Hour)), source.TailUntil(past.Add(time.Second)), source.SeenBytes(128)).Collect(t.Context())
		require.NoError(t, err)
		require.Len(t, rows, 51, "what is older than the overlap is not remembered")
	})
}

func TestATableThatIsDroppedOrMadeAgainEndsATail(t *testing.T) {
	for name, again := range map[string]bool{"dropped": false, "dropped and made again": true} {
		inTail(t, func(t *testing.T, s *tailed) {
			f := follow(t, s.tail())
			time.Sleep(10 * time.Second)
			s.put(1, time.Now())
			time.Sleep(10 * time.Second)
			s.Exec("DROP TABLE iot.raw")
			if again {
				s.Exec("CREATE TABLE iot." + rawTable)
			}
			<-f.done
			require.ErrorIs(t, f.err, rxcql.ErrSchema)
			require.ErrorContains(t, f.err, `table "iot"."raw" was `+name+" while it was read")
			require.Equal(t, []int64{1}, f.ids())
		})
	}
}

func TestAPollThatFailsIsRepeatedAndNothingComesTwice(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		n := 0
		s.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if !r.Reads("iot.raw") {
				return nil
			}
			switch n++; n % 5 {
			case 0:
				return cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
			case 1:
				return cqlfake.Fail(&message.ReadTimeout{ErrorMessage: "late", Consistency: primitive.ConsistencyLevelQuorum})
			case 2:
				return cqlfake.EmptyPage()
			}
			return nil
		})
		f := follow(t, s.tail(source.PageRows(2)))
		time.Sleep(time.Second)
		for id := range int64(100) {
			s.put(id, time.Now())
			time.Sleep(100 * time.Millisecond)
		}
		time.Sleep(2 * time.Minute)
		require.Equal(t, upTo(100), f.ids())
		f.stop(t)
	})
}

func TestARowThatCannotBeDecodedFailsOnce(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		type short struct {
			ID int8 `cql:"id"`
		}
		tail := source.Tail[short](s.session, "iot.raw", daily)
		p, err := rxcql.New(tail, sink.Each(func(context.Context, short) error { return nil }, sink.Idempotent()),
			rxcql.WithRowErrors(rxcql.SkipRows(1000)))
		require.NoError(t, err)
		done := make(chan error)
		var report rxcql.Report
		go func() {
			var err error
			report, err = p.Run(context.Background())
			done <- err
		}()
		time.Sleep(time.Second)
		for id := range int64(256) {
			s.put(id, time.Now())
		}
		time.Sleep(10 * time.Second)
		p.Stop()
		require.NoError(t, <-done)
		require.EqualValues(t, 128, report.Skipped)
		require.EqualValues(t, 128, report.Written)
	})
}

func TestTakeEndsATail(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		for id := range int64(100) {
			s.put(id, time.Now().Add(time.Second))
		}
		rows, err := operators.Take(s.tail(), 60).Collect(t.Context())
		require.NoError(t, err)
		require.Len(t, rows, 60)
	})
}

// seenPage is a page, and when it came.
type seenPage struct {
	rows     int
	idle, at time.Time
}

// looking calls look with each page, before it goes on.
func looking[T any](in rxcql.Stream[T], look func(p *flow.Page[T])) rxcql.Stream[T] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "Looking", OneToOne: true}, func(_ *rxcql.Stage, out flow.Observer[T]) flow.Observer[T] {
		return &looker[T]{Observer: out, look: look}
	})
}

type looker[T any] struct {
	flow.Observer[T]
	look func(p *flow.Page[T])
}

func (l *looker[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	l.look(p)
	return l.Observer.Next(ctx, p)
}

func TestAPartIsIdleByAPollThatSucceededAndFoundNothing(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		var pages []seenPage
		var down atomic.Bool
		s.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if down.Load() && r.Reads("iot.raw") {
				return cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
			}
			return nil
		})
		f := follow(t, looking(s.tail(source.Overlap(20*time.Second)), func(p *flow.Page[arrival]) {
			assert.Equal(t, 20*time.Second, p.Source.Overlap())
			n, known := p.Source.Parts()
			assert.True(t, known)
			assert.Equal(t, 1, n)
			pages = append(pages, seenPage{rows: len(p.Rows), idle: p.IdleAt, at: time.Now()})
		}))
		take := func() []seenPage { synctest.Wait(); all := pages; pages = nil; return all }
		time.Sleep(500 * time.Millisecond)
		s.put(1, time.Now())
		time.Sleep(3 * time.Second)
		all := take()
		require.Len(t, all, 5)
		require.True(t, all[0].idle.IsZero(), "it says where the tail begins")
		for i, page := range all[1:] {
			require.Equal(t, i == 1, page.rows == 1)
			require.Equal(t, page.rows == 0, !page.idle.IsZero())
			if page.rows == 0 {
				require.True(t, page.at.Equal(page.idle), "requests take no time here")
			}
		}
		down.Store(true)
		time.Sleep(10 * time.Second)
		require.Empty(t, take(), "nobody knows whether there are rows")
		down.Store(false)
		time.Sleep(30 * time.Second)
		require.NotEmpty(t, take())
		f.stop(t)
	})
}

// A sink that stalls for longer than IdleAfter: rows go on being written, and none of them is
// behind a watermark when it comes.
func TestNothingIsLateBecauseASinkStalls(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		type timed struct {
			ID int64     `cql:"id"`
			At time.Time `cql:"arrived"`
		}
		tail := source.Tail[timed](s.session, "iot.raw", daily, source.Overlap(20*time.Second), source.WallClock(s.wall))
		event := operators.EventTime(tail, func(row timed) (time.Time, error) { return row.At, nil },
			operators.OutOfOrderness(20*time.Second), operators.IdleAfter(10*time.Second))
		watermark := flow.Watermark{}
		rows, idled := 0, false
		stall := 0
		p, err := rxcql.New(looking(event, func(p *flow.Page[timed]) {
			for _, row := range p.Rows {
				rows++
				assert.False(t, flow.WatermarkAt(row.At).Before(watermark), "row %d of %v is late at %v: %v", row.ID, row.At, time.Now(), watermark)
			}
			assert.False(t, p.Watermark.Before(watermark))
			idled = idled || len(p.Rows) == 0 && watermark.Before(p.Watermark) && p.IdleAt.Sub(p.Watermark.Time()) == 40*time.Second
			watermark = p.Watermark
			if stall++; stall%20 == 0 {
				time.Sleep(5 * time.Minute)
			}
		}), sink.Each(func(context.Context, timed) error { return nil }, sink.Idempotent()))
		require.NoError(t, err)
		done := make(chan error)
		go func() {
			_, err := p.Run(context.Background())
			done <- err
		}()
		id := int64(0)
		for range 20 {
			for range 100 {
				s.put(id, time.Now().Add(-time.Duration(id%19)*time.Second))
				id++
				time.Sleep(time.Second)
			}
			time.Sleep(2 * time.Minute)
		}
		time.Sleep(time.Hour)
		p.Stop()
		require.NoError(t, <-done)
		require.EqualValues(t, id, rows)
		require.True(t, idled, "the watermark goes on where the table is quiet")
	})
}

// A job that is broken off in a partition of many rows goes on behind the last one that is settled,
// and reads no row before it again.
func TestAJobGoesOnInTheMiddleOfABucket(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		begin := time.Now()
		for id := range int64(2000) {
			s.put(id*2, begin.Add(time.Duration(id/7)*time.Second)) // of one shard, several at one time
		}
		time.Sleep(2 * time.Hour)
		var from []int64
		s.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if r.Reads("iot.raw") && len(r.PageState) == 0 {
				values := r.Statements[0].Values
				if binary.BigEndian.Uint32(values[1].Bytes) == 0 {
					from = append(from, int64(binary.BigEndian.Uint64(values[2].Bytes)))
				}
			}
			return nil
		})
		store := &jobtest.Store{}
		var got []int64
		for run := 0; ; run++ {
			require.Less(t, run, 1000)
			from = nil
			var p *rxcql.Pipeline
			n := 0
			tail := s.tail(source.TailFrom(begin), source.TailUntil(begin.Add(time.Hour)), source.PageRows(10))
			p, err := rxcql.New(tail, sink.Each(func(_ context.Context, row arrival) error {
				got = append(got, row.ID)
				if n++; n == 45 {
					p.Stop()
				}
				return nil
			}, sink.Idempotent(), sink.InFlight(1)), rxcql.WithCheckpoint(store, "job"))
			require.NoError(t, err)
			before := len(got)
			report, err := p.Run(t.Context())
			require.NoError(t, err)
			require.EqualValues(t, before, report.ResumedRows)
			if before > 0 && before < 2000 {
				require.Equal(t, begin.Add(time.Duration(got[before-1]/2/7)*time.Second).UnixMilli(), from[0])
			}
			if report.Complete {
				break
			}
		}
		var want []int64
		for id := range int64(2000) {
			want = append(want, id*2)
		}
		require.Equal(t, want, got)
	})
}

func TestAJobIsRefusedForOtherBuckets(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		store := &jobtest.Store{}
		run := func(buckets source.Buckets, opts ...source.TailOption) error {
			var p *rxcql.Pipeline
			p, err := rxcql.New(looking(source.Tail[arrival](s.session, "iot.raw", buckets, opts...), func(*flow.Page[arrival]) { p.Stop() }),
				sink.Each(func(context.Context, arrival) error { return nil }, sink.Idempotent()), rxcql.WithCheckpoint(store, "job"))
			require.NoError(t, err)
			_, err = p.Run(t.Context())
			return err
		}
		require.NoError(t, run(daily))
		require.NoError(t, run(daily, source.Overlap(time.Hour), source.PollEvery(time.Minute), source.Delay(time.Second), source.TailFrom(time.Now())), "options may change")
		more := daily
		more.Shards = 3
		require.ErrorIs(t, run(more), rxcql.ErrCheckpointForeign)
		weekly := daily
		weekly.Size = 7 * 24 * time.Hour
		require.ErrorIs(t, run(weekly), rxcql.ErrCheckpointForeign)
		state, err := store.State("job")
		require.NoError(t, err)
		require.NotEmpty(t, state.Sources[0].Parts)
		s.Exec("DROP TABLE iot.raw", "CREATE TABLE iot."+rawTable)
		require.ErrorIs(t, run(daily), rxcql.ErrCheckpointForeign)
	})
}

// A job that was killed before it had read a row goes on from when it began, not from now.
func TestWhatArrivesWhileAJobIsDownComes(t *testing.T) {
	inTail(t, func(t *testing.T, s *tailed) {
		store := &jobtest.Store{}
		run := func() *follower {
			return follow(t, s.tail(), rxcql.WithCheckpoint(store, "job"))
		}
		f := run()
		time.Sleep(5 * time.Second)
		saved := store.Get("job")
		f.stop(t)
		store.Put("job", saved) // as a kill leaves it
		time.Sleep(time.Second)
		for id := range int64(50) {
			s.put(id, time.Now())
			time.Sleep(20 * time.Minute)
		}
		f = run()
		time.Sleep(time.Second)
		require.Equal(t, upTo(50), f.ids())
		s.put(50, time.Now())
		time.Sleep(2 * time.Second)
		require.Equal(t, upTo(51), f.ids())
		f.stop(t)
	})
}

var errTailBroken = errors.New("broken on purpose")
