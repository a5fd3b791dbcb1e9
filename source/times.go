package source

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// Times adds the write time and the expiry of each value to the rows that a table source reads.
// Rows must be a rxcql.Row. After the columns that are read (see Columns), a row has two more for
// each regular or static column c of these, in the same order:
//
//   - "writetime(c)", a bigint: the write time in microseconds, as WRITETIME gives it. It is null
//     where the value is null.
//   - "expires(c)", a bigint: when the value expires, in whole seconds since 1970. It is null where
//     the value never expires.
//
// The name inside the parentheses is exact, without quotes. If c is a map, a set, a list or a
// user-defined type that is not frozen, both are a list<bigint> with an element for each element of
// the value (for each field of a user-defined type), in its order. An element that never expires is
// null there, and so is a field that is not set.
//
// The server tells how many seconds are left of a value (TTL). Its expiry is that, counted from the
// whole second in which the page was asked for, by this machine's clock. So a clock that is wrong
// does no harm where the remaining seconds are computed by the same clock again, as sink.Times
// does. What the request waits for in the driver makes the expiry earlier by as much; it is never
// later by more than a second.
//
// Servers before Cassandra 5.0 do not tell times of elements. There the two columns are left out
// for each column that has elements; UntimedColumns returns these. Rows without write times (of
// keys alone) have no more to say: CQL does not tell the time of a row itself.
//
// Names that are taken already, because a column is called "writetime(c)", are a rxcql.ErrSchema.
// The source's position in a job depends on Times, so a job that has begun without it cannot go on
// with it.
func Times() RangeOption { return times{} }

type times struct{}

func (times) applyTable(c *readConfig) error {
	c.times = true
	return nil
}

func (times) applyPair(c *pairConfig) error {
	c.left.times, c.right.times = true, true
	return nil
}

// UntimedColumns returns the columns of a table whose elements' times the server cannot tell: those
// that Times gives no times of. The name is as for Table. There are none from Cassandra 5.0 on. It
// asks the server for its version and the table's schema; errors are those of Check.
func UntimedColumns(ctx context.Context, session *gocql.Session, name string) ([]string, error) {
	keyspace, table, nameErr := schema.ParseName(name)
	s, sessionErr := driver.Wrap(session)
	if err := errors.Join(nameErr, sessionErr); err != nil {
		return nil, fmt.Errorf("source.UntimedColumns: %w: %w", rxcql.ErrConfig, err)
	}
	about, err := loadKnown(ctx, s, keyspace, table)
	if err != nil {
		return nil, err
	}
	perElement, err := tellsElements(ctx, s)
	if err != nil || perElement {
		return nil, err
	}
	var untimed []string
	for _, c := range about.Columns {
		if elementwise(c) {
			untimed = append(untimed, c.Name)
		}
	}
	return untimed, nil
}

// timedColumn is a column of which Times reads the times.
type timedColumn struct {
	schema.Column
	list bool // a time for each element
}

// timesOf returns the columns, of those that are read, of which the server tells times.
func timesOf(about *schema.Table, names []string, perElement bool) (timed []timedColumn, err error) {
	var errs []error
	for _, name := range names {
		c, _ := about.Column(name)
		for _, taken := range []string{writeTimeName(name), expiresName(name)} {
			if slices.Contains(names, taken) {
				errs = append(errs, fmt.Errorf("Times: the table has a column %q, which is the name for a time of column %q: leave out one of them by Columns", taken, name))
			}
		}
		if c.Kind != schema.Regular && c.Kind != schema.Static {
			continue
		}
		list := elementwise(c)
		if list && !perElement {
			continue
		}
		timed = append(timed, timedColumn{c, list})
	}
	return timed, errors.Join(errs...)
}

func writeTimeName(column string) string { return "writetime(" + column + ")" }
func expiresName(column string) string   { return "expires(" + column + ")" }

// terms are what a SELECT reads of the times.
func terms(timed []timedColumn) (list []string) {
	for _, c := range timed {
		name := schema.Quote(c.Name)
		list = append(list,
			"WRITETIME("+name+") AS "+schema.Quote(writeTimeName(c.Name)),
			"TTL("+name+") AS "+schema.Quote(expiresName(c.Name)))
	}
	return list
}

// elementwise reports whether each element of a column's values has a time of its own.
func elementwise(c schema.Column) bool {
	if c.Type.Frozen {
		return false
	}
	switch c.Type.Kind {
	case codec.Map, codec.Set, codec.List, codec.UDT:
		return true
	}
	return false
}

// tellsElements reports whether the server tells the times of elements: Cassandra does from 5.0 on.
func tellsElements(ctx context.Context, s *driver.Session) (bool, error) {
	var version string
	err := retried(ctx)(func() (err error) {
		version, err = s.Version(ctx)
		return err
	})
	major, _, _ := strings.Cut(version, ".")
	n, parseErr := strconv.Atoi(major)
	return parseErr == nil && n >= 5, err
}
