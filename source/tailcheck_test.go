package source_test

import (
	"context"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
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
				[]string{`"day" is a date, and buckets begin within a day`, "set Buckets.Value"}},
			"a number without a value": {"iot.hours", with(func(b *source.Buckets) { b.Columns[0] = "hour" }), []string{`"hour" is bigint: set Buckets.Value`}},
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
