package transfer

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/rxcql/rxcql"
)

// hasTTL returns an error if no record of files, in which each record names its columns, has the
// one that TTLColumn names: all rows would live for ever. It reads up to the first record that has
// it. In a job that goes on it reads from the beginning too, so the answer is that of the first
// run. What else is wrong with the files is left to the run.
func (j *LoadJob) hasTTL(ctx context.Context, files inputFiles) error {
	ttl := j.cfg.ttl
	if ttl == "" || j.path == stream || !files.namesColumns() {
		return nil
	}
	without := false
	if l := files.letters; l != nil && len(l.columns) > 0 { // those of CSV have the columns of their file
		if slices.ContainsFunc(l.columns, func(of []string) bool { return slices.Contains(of, ttl) }) {
			return nil
		}
		others := *l
		others.columns, files.letters, without = nil, &others, true
		if !others.json && !others.rows {
			return errNoTTL(ttl)
		}
	}
	// A record whose time to live cannot be read has one, and fails.
	var unreadable atomic.Bool
	hooks := rxcql.Hooks{RowFailed: func(_ context.Context, e rxcql.RowFailedEvent) {
		if strings.Contains(e.Reason, fmt.Sprintf("column %q (%s)", ttl, bigintType)) {
			unreadable.Store(true)
		}
	}}
	only := &loadColumns{inFiles: []rxcql.Column{{Name: ttl, Type: bigintType}}, ignore: true}
	skip := rxcql.WithRowErrors(rxcql.SkipRows(math.MaxInt64))
	for row, err := range j.read(files, only, nil).All(ctx, skip, rxcql.WithHooks(hooks)) {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil || j.isStopped() {
			return nil // the run meets it too
		}
		if _, has := row.Lookup(ttl); has {
			return nil
		}
		without = true
	}
	if !without || unreadable.Load() {
		return nil
	}
	return errNoTTL(ttl)
}

func errNoTTL(ttl string) error {
	return fmt.Errorf("%w: no record has a column %q, which TTLColumn names: the rows would be written without a time to live",
		rxcql.ErrSchema, ttl)
}

// noTTL returns an error if records were written, and none of them had the column that TTLColumn
// names: that is a wrong name rather than rows without a time to live.
func (f *rowsOfFiles) noTTL(written int64) error {
	if f.columns.ttl == "" || !f.lines || written == 0 || f.sawTTL.Load() {
		return nil
	}
	return fmt.Errorf("%w: no record that was written has a column %q, which TTLColumn names: the rows were written without a time to live", rxcql.ErrSchema, f.columns.ttl)
}
