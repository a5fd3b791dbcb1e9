package main

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/gocql/gocql"
	"golang.org/x/sync/errgroup"

	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/ring"
)

// handSplits and handPageRows are what a hand-written loop is tuned to: the
// toolkit's own split of the ring, and pages of 5000 rows (smaller and larger
// ones cost it more). The driver fetches the next page when a quarter is left.
const (
	handSplits   = 64
	handPageRows = 5000
)

// handRetries is how hand-written code gets over a server that is busy.
var handRetries = &gocql.ExponentialBackoffRetryPolicy{NumRetries: 5, Min: 100 * time.Millisecond, Max: 5 * time.Second}

// tokenRanges splits the ring as the toolkit does.
func tokenRanges(ctx context.Context, session *gocql.Session) ([]ring.Range, error) {
	d, err := driver.Wrap(session)
	if err != nil {
		return nil, err
	}
	now, err := d.Ring(ctx)
	if err != nil {
		return nil, err
	}
	return ring.Tile(now.Tokens, handSplits), nil
}

// byRange is the frame of the hand-written loops: several workers, each with one
// token range at a time, and read to scan one of them.
func byRange(ctx context.Context, session *gocql.Session, workers int, cql, key string,
	read func(ctx context.Context, worker int, iter *gocql.Iter) error,
) error {
	ranges, err := tokenRanges(ctx, session)
	if err != nil {
		return err
	}
	cql += fmt.Sprintf(" WHERE token(%s) > ? AND token(%s) <= ?", key, key)
	group, ctx := errgroup.WithContext(ctx)
	var next atomic.Int64
	for worker := range workers {
		group.Go(func() error {
			for {
				i := int(next.Add(1)) - 1
				if i >= len(ranges) {
					return nil
				}
				iter := session.Query(cql, ranges[i].Start, ranges[i].End).
					WithContext(ctx).PageSize(handPageRows).Idempotent(true).RetryPolicy(handRetries).Iter()
				err := read(ctx, worker, iter)
				if closed := iter.Close(); err == nil {
					err = closed
				}
				if err != nil {
					return err
				}
			}
		})
	}
	return group.Wait()
}
