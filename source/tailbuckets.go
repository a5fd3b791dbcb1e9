package source

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
)

// Buckets says how a table is cut into partitions by the time at which rows arrive, for Tail. For
//
//	CREATE TABLE weather.raw (day date, shard int, arrived timestamp, id uuid, …,
//		PRIMARY KEY ((day, shard), arrived, id))
//
// it is
//
//	source.Buckets{
//		Columns: []string{"day"}, Size: 24 * time.Hour, Shard: "shard", Shards: 16, Arrived: "arrived",
//	}
//
// Whoever writes a row makes its bucket from the moment at which the row arrives, the time of the
// writer's clock, and not from a time in the row's data. So a device that was offline for a day
// adds to today's bucket, and is late and not lost.
type Buckets struct {
	// Columns are those of the partition key that are made from the bucket's start. Names are
	// exactly as the schema spells them.
	Columns []string
	// Size is how long a bucket is: whole seconds, counted from 1970 in UTC. So a day begins at
	// midnight UTC.
	Size time.Duration
	// Span is for buckets of other lengths, such as months, instead of Size. It returns the bucket
	// of a moment: start is in it, end is the start of the next one.
	Span func(t time.Time) (start, end time.Time)
	// Value returns the values of Columns for the bucket that begins at start, which is in UTC. If
	// it is nil there must be one column, a date or a timestamp, that has start itself.
	Value func(start time.Time) []any
	// Shard is the column of the partition key that spreads the rows of a bucket over several
	// partitions, an integer from 0 to Shards-1. Leave both out if there is none.
	Shard  string
	Shards int
	// Arrived is the first clustering column: when the row arrived, a timestamp or a timeuuid. Its
	// order may be ascending or descending.
	Arrived string
}

// wrong returns all that is wrong with b by itself.
func (b *Buckets) wrong() error {
	var errs []error
	add := func(format string, args ...any) { errs = append(errs, fmt.Errorf("Buckets: "+format, args...)) }
	names := slices.Concat(b.Columns, []string{b.Shard, b.Arrived})
	for i, name := range names {
		if name != "" && slices.Index(names, name) < i {
			add("%q is named twice", name)
		}
	}
	if len(b.Columns) == 0 || slices.Contains(b.Columns, "") {
		add("name the Columns that are made from the time of arrival")
	}
	if b.Arrived == "" {
		add("name the column Arrived, the first clustering column")
	}
	switch {
	case b.Size != 0 && b.Span != nil:
		add("give Size or Span, not both")
	case b.Size == 0 && b.Span == nil:
		add("say by Size how long a bucket is, or by Span")
	case b.Size < 0, b.Size%time.Second != 0:
		add("Size %v: must be whole seconds, at least 1", b.Size)
	}
	switch {
	case b.Shard == "" && b.Shards != 0:
		add("Shards is %d, and Shard names no column", b.Shards)
	case b.Shard != "" && (b.Shards < 1 || b.Shards > maxShards):
		add("Shards %d: must be from 1 to %d, as many as are written", b.Shards, maxShards)
	}
	if b.Value == nil && len(b.Columns) > 1 {
		add("Value must say what the %d columns %s are", len(b.Columns), strings.Join(b.Columns, ", "))
	}
	return errors.Join(errs...)
}

// maxShards is a bound for mistakes: each shard is a request for each bucket and poll.
const maxShards = 1 << 10

// shards returns how many partitions a bucket has.
func (b *Buckets) shards() int { return max(1, b.Shards) }

// of returns the bucket of a moment, in milliseconds since 1970.
func (b *Buckets) of(at int64) (start, end int64, err error) {
	if b.Span == nil {
		size := b.Size.Milliseconds()
		start = at - at%size
		if start > at { // before 1970
			start -= size
		}
		return start, start + size, nil
	}
	moment := time.UnixMilli(at).UTC()
	from, to := b.Span(moment)
	start, end = from.UnixMilli(), to.UnixMilli()
	if start > at || end <= at {
		return 0, 0, fmt.Errorf("Buckets.Span: for %s it returned a bucket from %s to %s, which the moment is not in",
			stamp(at), from.Format(time.RFC3339Nano), to.Format(time.RFC3339Nano))
	}
	return start, end, nil
}

// stamp spells a moment.
func stamp(ms int64) string { return time.UnixMilli(ms).UTC().Format(time.RFC3339Nano) }

// values encodes the values of Columns for a bucket. types are those of the columns.
func (b *Buckets) values(start int64, types []*codec.Type) ([]driver.Value, error) {
	given := []any{time.UnixMilli(start).UTC()}
	if b.Value != nil {
		given = b.Value(time.UnixMilli(start).UTC())
	} else if err := b.holdsItself(start, types[0]); err != nil {
		return nil, err
	}
	if len(given) != len(b.Columns) {
		return nil, fmt.Errorf("Buckets.Value returned %d values for the %d columns %s", len(given), len(b.Columns), strings.Join(b.Columns, ", "))
	}
	values := make([]driver.Value, len(given))
	for i, v := range given {
		cell, err := keyValue(types[i], v)
		if err != nil {
			return nil, fmt.Errorf("Buckets: column %q: %w", b.Columns[i], err)
		}
		values[i].Bytes = cell
	}
	return values, nil
}

// holdsItself reports what is wrong where the one column has the start itself.
func (b *Buckets) holdsItself(start int64, t *codec.Type) error {
	switch {
	case t.Kind == codec.Timestamp:
		return nil
	case t.Kind != codec.Date:
		return fmt.Errorf("Buckets: column %q is %s: set Buckets.Value, which says what the column is for a bucket", b.Columns[0], t)
	case start%(24*time.Hour).Milliseconds() != 0:
		return fmt.Errorf("Buckets: column %q is a date, and buckets begin within a day (%s): set Buckets.Value, which says what the column is for a bucket, or make Size whole days",
			b.Columns[0], stamp(start))
	}
	return nil
}

// keyValue encodes a value of the partition key. The error does not show it.
func keyValue(t *codec.Type, v any) ([]byte, error) {
	cell, known, err := codec.EncodeValue(t, v)
	switch {
	case err != nil:
		return nil, err
	case !known:
		return nil, fmt.Errorf("a %T cannot be written as %s", v, t)
	case len(cell) == 0:
		return nil, errors.New("the value is null or empty, which no part of a key can be")
	}
	return cell, nil
}
