package main

import (
	"context"
	"fmt"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

var (
	lookupUnordered = register("lookup-rxcql", lookupBy(lookedUp(operators.Unordered())))
	lookupOrdered   = register("lookup-rxcql-ordered", lookupBy(lookedUp()))
	lookupCached    = register("lookup-rxcql-cached", lookupBy(lookedUp(operators.LookupCache(16<<20, time.Hour))))
	lookupMap       = register("lookup-rxcql-map", lookupBy(func(keys rxcql.Stream[int64], session *gocql.Session, cql string, j job) rxcql.Stream[int64] {
		return operators.MapConcurrent(keys, j.InFlight, func(ctx context.Context, key int64) (int64, error) {
			var r rated
			q := session.Query(cql, key).WithContext(ctx).Idempotent(true).RetryPolicy(handRetries)
			err := q.Scan(&r.ID, &r.Name, &r.Score)
			q.Release()
			return int64(r.Score), err
		}, operators.Unordered())
	}))
)

// scored makes the scores of a stream of keys.
type scored func(keys rxcql.Stream[int64], session *gocql.Session, cql string, j job) rxcql.Stream[int64]

func lookedUp(opts ...operators.LookupOption) scored {
	return func(keys rxcql.Stream[int64], session *gocql.Session, cql string, j job) rxcql.Stream[int64] {
		return operators.Lookup(keys, session, cql, func(key int64) ([]any, error) { return []any{key}, nil },
			func(_ int64, found operators.Found[rated]) (int64, error) { return int64(found.Row.Score), nil },
			append(opts[:len(opts):len(opts)], operators.LookupInFlight(j.InFlight))...)
	}
}

// lookupBy is the same work as lookupHand.
func lookupBy(scores scored) work {
	return func(ctx context.Context, j job) (func() (tally, error), func(), error) {
		session, err := connect(ctx)
		if err != nil {
			return nil, nil, err
		}
		cql := fmt.Sprintf(selectRated, j.Keyspace+"."+j.Table)
		return func() (t tally, err error) {
			keys := source.Seq(generate(lookupKey, j.Rows))
			_, err = scores(keys, session, cql, j).ForEach(ctx, func(score int64) error {
				t.Rows++
				t.Sum += score
				return nil
			})
			return t, err
		}, session.Close, nil
	}
}
