package sink_test

import (
	"context"
	"encoding/binary"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func widened(e event) (event, error) {
	e.V = strings.Repeat("x", 1<<10)
	return e, nil
}

// eachOf is for FlatMap: it emits the rows of a batch.
func eachOf(all []event, emit func(event) bool) error {
	for i := 0; i < len(all) && emit(all[i]); i++ {
	}
	return nil
}

// quits is a stream that ends itself on purpose after a while. It does not wait until the page that
// it has handed on is taken, as the streams of this module do. Its Next may say so too.
func quits[T any](in rxcql.Stream[T], after time.Duration, says bool) rxcql.Stream[T] {
	return rxcql.NewStream(rxcql.StageInfo{Name: "Quits"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		inner, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		timer := time.AfterFunc(after, func() { cancel(st.End()) })
		defer timer.Stop()
		err := in.Subscribe(inner, st, &handedOn[T]{out, st, says})
		if flow.IsEnd(context.Cause(inner)) {
			if err := out.Done(ctx, false); err != nil {
				return err
			}
			return st.End()
		}
		return err
	}, in)
}

type handedOn[T any] struct {
	flow.Observer[T]
	st   *rxcql.Stage
	says bool
}

func (o *handedOn[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	err := o.Observer.Next(ctx, p)
	if o.says && flow.IsEnd(context.Cause(ctx)) {
		return o.st.End()
	}
	return err
}

func TestAPageThatASinkHasGivenUpIsNotSettled(t *testing.T) {
	const rows = 2000
	slow := func(written map[int64]bool) sink.Server {
		return func(_ context.Context, s sink.Sent) error {
			time.Sleep(time.Second)
			for key := range keysOf(s) {
				written[int64(binary.BigEndian.Uint64([]byte(key)))] = true
			}
			return nil
		}
	}
	each := func(written map[int64]bool) rxcql.Sink[event] {
		return sink.Each(func(_ context.Context, e event) error { time.Sleep(time.Second / 5); written[e.P] = true; return nil }, sink.Idempotent())
	}
	table := func(written map[int64]bool, opts ...sink.TableOption) rxcql.Sink[event] {
		return sink.TableOn[event](slow(written), events(), append(opts, sink.InFlight(1), sink.BatchRows(5))...)
	}
	same := func(s rxcql.Stream[event]) rxcql.Stream[event] {
		return operators.Map(s, func(e event) (event, error) { return e, nil })
	}
	buffered := func(s rxcql.Stream[event]) rxcql.Stream[event] { // which keeps batches of its own, and waits for room for them
		batches := operators.Buffer(operators.Batch(s, operators.BatchRows(7)), 1, rxcql.OverflowBlock)
		return operators.FlatMap(batches, eachOf)
	}
	for name, of := range map[string]struct {
		behind func(rxcql.Stream[event]) rxcql.Stream[event]
		to     func(written map[int64]bool) rxcql.Sink[event]
	}{
		"Table":         {same, func(written map[int64]bool) rxcql.Sink[event] { return table(written) }},
		"Table, sorted": {same, func(written map[int64]bool) rxcql.Sink[event] { return table(written, byToken()...) }},
		"Each":          {same, each},
		"Each, some in flight": {same, func(written map[int64]bool) rxcql.Sink[event] {
			var mu sync.Mutex
			return sink.Each(func(_ context.Context, e event) error {
				time.Sleep(time.Second)
				mu.Lock()
				defer mu.Unlock()
				written[e.P] = true
				return nil
			}, sink.Idempotent(), sink.InFlight(3))
		}},
		"Each behind Buffer":   {buffered, each},
		"Each through Map":     {same, func(written map[int64]bool) rxcql.Sink[event] { return sink.Through(same, each(written)) }},
		"Each through Buffer":  {same, func(written map[int64]bool) rxcql.Sink[event] { return sink.Through(buffered, each(written)) }},
		"Table through Buffer": {same, func(written map[int64]bool) rxcql.Sink[event] { return sink.Through(buffered, table(written)) }},
		"a branch of Tee": {same, func(written map[int64]bool) rxcql.Sink[event] {
			return sink.Tee(each(written), sink.Each(func(context.Context, event) error { return nil }, sink.Idempotent()))
		}},
	} {
		for i, pageRows := range []int{3, 500, 3, 500} {
			store, failed := &jobtest.Store{}, false
			written := map[int64]bool{}
			for try := range 2 {
				synctest.Test(t, func(t *testing.T) {
					time.Sleep(time.Duration(try) * time.Minute) // each bubble begins at the same time
					in := of.behind(quits(operators.Map(inTurn(rows, source.PageRows(pageRows)), widened), []time.Duration{10 * time.Second, time.Hour}[try], i > 1))
					rep, err := rxcql.Run(t.Context(), in, of.to(written), rxcql.WithCheckpoint(store, "job"), rxcql.WithBudget(4*rxcql.MinBudgetPerInput))
					require.Equal(t, try == 1, rep.Complete, "%s, pages of %d: %v", name, pageRows, err)
					require.Zero(t, rep.BytesInFlight)
					if try == 0 {
						require.Less(t, len(written), rows)
						// Else the source may have waited to hand the next page on, and drops it on purpose.
						if failed = err != nil; failed || pageRows == 500 {
							require.ErrorContains(t, err, "stage Quits", name)
							require.ErrorContains(t, err, "end the stream when Next has returned", name)
						}
					}
				})
			}
			if !failed {
				continue
			}
			require.Equal(t, rows, len(written), "rows are lost: %s, pages of %d", name, pageRows) //nolint:testifylint // Len prints them all
		}
	}
}
