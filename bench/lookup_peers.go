package main

import (
	"context"
	"fmt"

	"github.com/gocql/gocql"
	"github.com/reactivex/rxgo/v2"
	"github.com/samber/ro"
)

// peersRows is how many rows other libraries join: FlatMap of rxgo has one query out at a time.
const peersRows = 20_000

var (
	lookupRxgo     = register("lookup-rxgo", lookupWith(withRxgoFlatMap))
	lookupRxgoPool = register("lookup-rxgo-pool", lookupWith(withRxgoPool))
	lookupRo       = register("lookup-ro", lookupWith(withRoMergeMap))
)

// lookupPeers adds the same join by other libraries.
func (b *bench) lookupPeers(ctx context.Context, t *table) error {
	j := job{Keyspace: b.server.keyspace, Table: ratedTable, Rows: peersRows, InFlight: lookupFew}
	contenders := []contender{
		{label: "gocql by hand: goroutines, 256 in flight", child: lookupHand, job: j},
		{label: "rxcql: Lookup, 256 in flight, unordered", child: lookupUnordered, job: j},
		{label: "rxgo: Map with a pool of 256", child: lookupRxgoPool, job: j},
		{label: "rxgo: FlatMap, which has one query out at a time", child: lookupRxgo, job: j},
		{label: "samber/ro: MergeMap, which has no bound", child: lookupRo, job: j},
	}
	runs, err := b.duel(ctx, "lookup-peers", contenders)
	if err != nil {
		return err
	}
	for i, c := range contenders {
		t.add(speedCells(fmt.Sprintf("%d rows: %s", peersRows, c.label), "", runs[i], runs[0])...)
	}
	return nil
}

// asks finds the score for a key.
type asks func(ctx context.Context, key int64) (int64, error)

func lookupWith(run func(ctx context.Context, ask asks, j job) (tally, error)) work {
	return func(ctx context.Context, j job) (func() (tally, error), func(), error) {
		session, err := connect(ctx)
		if err != nil {
			return nil, nil, err
		}
		ask := askBy(session, fmt.Sprintf(selectRated, j.Keyspace+"."+j.Table))
		return func() (tally, error) { return run(ctx, ask, j) }, session.Close, nil
	}
}

func askBy(session *gocql.Session, cql string) asks {
	return func(ctx context.Context, key int64) (int64, error) {
		var r rated
		err := session.Query(cql, key).WithContext(ctx).Idempotent(true).RetryPolicy(handRetries).Scan(&r.ID, &r.Name, &r.Score)
		return int64(r.Score), err
	}
}

func rxgoKeys(j job) rxgo.Observable {
	return rxgo.Defer([]rxgo.Producer{func(_ context.Context, ch chan<- rxgo.Item) {
		for i := range j.Rows {
			ch <- rxgo.Of(lookupKey(i))
		}
	}})
}

func withRxgoFlatMap(ctx context.Context, ask asks, j job) (tally, error) {
	return sumRxgo(rxgoKeys(j).FlatMap(func(item rxgo.Item) rxgo.Observable {
		return rxgo.Defer([]rxgo.Producer{func(_ context.Context, ch chan<- rxgo.Item) {
			score, err := ask(ctx, item.V.(int64))
			if err != nil {
				ch <- rxgo.Error(err)
				return
			}
			ch <- rxgo.Of(score)
		}})
	}))
}

func withRxgoPool(ctx context.Context, ask asks, j job) (tally, error) {
	return sumRxgo(rxgoKeys(j).Map(func(_ context.Context, key any) (any, error) { return ask(ctx, key.(int64)) }, rxgo.WithPool(j.InFlight)))
}

func sumRxgo(scores rxgo.Observable) (t tally, err error) {
	for item := range scores.Observe() {
		if item.Error() {
			err = item.E
			continue
		}
		t.add(tally{1, item.V.(int64)})
	}
	return t, err
}

func withRoMergeMap(ctx context.Context, ask asks, j job) (t tally, err error) {
	keys := make([]int64, j.Rows)
	for i := range keys {
		keys[i] = lookupKey(int64(i))
	}
	scores := ro.Pipe1(ro.FromSlice(keys), ro.MergeMap(func(key int64) ro.Observable[int64] {
		return ro.Future(func() (int64, error) { return ask(ctx, key) })
	}))
	scores.Subscribe(ro.NewObserver(func(score int64) { t.add(tally{1, score}) }, func(e error) { err = e }, func() {})).Wait()
	return t, err
}
