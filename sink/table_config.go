package sink

import (
	"errors"
	"fmt"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/option"
)

const (
	defaultBatchRows = 100
	maxBatchRows     = 65_535 // the protocol's maximum

	// Above 64 KiB, with what the server adds, a write goes between nodes as a large message. The
	// default leaves room for what is added.
	defaultBatchBytes = 48 << 10
	minBatchBytes     = 1 << 10
	maxBatchBytes     = 16 << 20 // the server's maximum, with its defaults

	defaultLinger = 5 * time.Millisecond
	maxLinger     = time.Minute

	maxTTL = 20 * 365 * 24 * 3600 // seconds; the server's maximum
)

// tableConfig has the options of Table.
type tableConfig struct {
	inFlight    int
	rate        *rxcql.Rate
	batchRows   int // 0 while no option says
	batchBytes  int
	linger      time.Duration
	bySet       bySet
	sorted      bool
	consistency *gocql.Consistency
	columns     []string
	leaveOut    []string // columns of rows that are not written
	nullsDelete bool
	delete      bool
	ttl         int32        // seconds, 0 for none
	ttlOf       any          // func(T) time.Duration
	timestamp   any          // func(T) int64
	times       *timesConfig // nil without Times
}

func newTableConfig(opts []TableOption) (tableConfig, error) {
	c := tableConfig{
		inFlight: DefaultInFlight, batchBytes: defaultBatchBytes, linger: defaultLinger,
	}
	errs := []error{option.Apply(opts, &c, TableOption.applyTable)}
	if c.batchRows == 0 {
		c.batchRows = max(defaultBatchRows, c.bySet.partitions)
	}
	if c.delete && (c.ttl > 0 || c.ttlOf != nil) {
		errs = append(errs, errors.New("Delete and TTL: a delete does not expire; leave one out"))
	}
	if c.delete && c.nullsDelete {
		errs = append(errs, errors.New("Delete and NullsDelete: a delete writes no columns; leave one out"))
	}
	errs = append(errs, c.checkTimes(), c.checkSorted())
	if len(c.leaveOut) > 0 && (len(c.columns) > 0 || c.times != nil) {
		errs = append(errs, errors.New("LeaveOut: it is for rows of which all other columns are written; leave out Columns and Times"))
	}
	if c.ttl > 0 && c.ttlOf != nil {
		errs = append(errs, errors.New("TTL and TTLOf: give one of them"))
	}
	return c, errors.Join(errs...)
}

// ttlSeconds returns errors without the value: values of rows stay out of messages.
func ttlSeconds(d time.Duration) (int32, error) {
	switch {
	case d < 0:
		return 0, errors.New("a time to live must not be negative")
	case d%time.Second != 0:
		return 0, errors.New("a time to live must be whole seconds")
	case d/time.Second > maxTTL:
		return 0, errors.New("a time to live must be at most 20 years")
	}
	return int32(d / time.Second), nil
}

// rowFuncs has the functions of the options, with their type.
type rowFuncs[T any] struct {
	ttl       func(T) time.Duration
	timestamp func(T) int64
}

// rowFuncsOf checks that the functions of the options take the sink's rows.
func rowFuncsOf[T any](c *tableConfig) (rowFuncs[T], error) {
	var fns rowFuncs[T]
	var errs []error
	var ok bool
	if c.ttlOf != nil {
		if fns.ttl, ok = c.ttlOf.(func(T) time.Duration); !ok {
			errs = append(errs, fmt.Errorf("TTLOf: the sink's rows are %s, the function is a %T", typeName[T](), c.ttlOf))
		}
	}
	if c.timestamp != nil {
		if fns.timestamp, ok = c.timestamp.(func(T) int64); !ok {
			errs = append(errs, fmt.Errorf("TimestampOf: the sink's rows are %s, the function is a %T", typeName[T](), c.timestamp))
		}
	}
	return fns, errors.Join(errs...)
}
