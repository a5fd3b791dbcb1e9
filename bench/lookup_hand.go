package main

import (
	"context"
	"fmt"
	"sync/atomic"

	"golang.org/x/sync/errgroup"
)

// lookupHand is the loop that one writes without a toolkit: so many goroutines, which take keys
// from a channel and ask for each.
var lookupHand = register("lookup-hand", func(ctx context.Context, j job) (func() (tally, error), func(), error) {
	session, err := connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	cql := fmt.Sprintf(selectRated, j.Keyspace+"."+j.Table)
	return func() (tally, error) {
		group, ctx := errgroup.WithContext(ctx)
		keys := make(chan int64, j.InFlight)
		var sum atomic.Int64
		for range j.InFlight {
			group.Go(func() error {
				for key := range keys {
					var r rated
					q := session.Query(cql, key).WithContext(ctx).Idempotent(true).RetryPolicy(handRetries)
					if err := q.Scan(&r.ID, &r.Name, &r.Score); err != nil {
						return err
					}
					q.Release()
					sum.Add(int64(r.Score))
				}
				return nil
			})
		}
		for i := range j.Rows {
			select {
			case keys <- lookupKey(i):
			case <-ctx.Done():
			}
		}
		close(keys)
		err := group.Wait()
		return tally{Rows: j.Rows, Sum: sum.Load()}, err
	}, session.Close, nil
})
