package sink_test

import (
	"context"
	"fmt"
	"sync"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

// ender is a stage that ends its stream after a while, by the context in which it reads. It notes
// the rows that it has handed on.
type ender struct {
	careful  bool // it never does so while a page is on its way downstream
	inner    bool // a page is handed on in that context
	wraps    bool // the cause wraps the end
	says     bool // so does its Next
	swallows bool // it forgets other errors
	after    time.Duration

	mu     sync.Mutex
	handed map[int64]bool
}

func (e *ender) stream(in rxcql.Stream[event]) rxcql.Stream[event] {
	return rxcql.NewStream(rxcql.StageInfo{Name: "Ender"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[event]) error {
		inner, cancel := context.WithCancelCause(ctx)
		defer cancel(nil)
		o := &enderObserver{Observer: out, e: e, st: st, outer: ctx, lock: make(chan struct{}, 1)}
		timer := time.AfterFunc(e.after, func() {
			if e.careful {
				defer o.alone()()
				o.over = true
			}
			end := st.End()
			if e.wraps {
				end = fmt.Errorf("enough: %w", end)
			}
			cancel(end)
		})
		defer timer.Stop()
		err := in.Subscribe(inner, st, o)
		defer o.alone()()
		if err != nil && !flow.IsEnd(err) && !e.swallows {
			return err
		}
		if !flow.IsEnd(context.Cause(inner)) || ctx.Err() != nil {
			return err
		}
		if !o.done {
			if err := out.Done(ctx, false); err != nil {
				return err
			}
		}
		return st.End()
	}, in)
}

type enderObserver struct {
	flow.Observer[event]
	e          *ender
	st         *rxcql.Stage
	outer      context.Context //nolint:containedctx // of the stage
	lock       chan struct{}   // for which a bubble's time goes on, unlike for a Mutex
	over, done bool
}

func (o *enderObserver) alone() (leave func()) {
	o.lock <- struct{}{}
	return func() { <-o.lock }
}

//nolint:contextcheck // it is what is tested
func (o *enderObserver) Next(ctx context.Context, p *flow.Page[event]) error {
	if o.e.careful {
		defer o.alone()()
		if o.over {
			return o.st.End()
		}
	}
	if !o.e.inner {
		ctx = o.outer
	} else if ctx.Err() != nil {
		return o.st.End()
	}
	o.e.mu.Lock()
	for _, r := range p.Rows {
		o.e.handed[r.P] = true
	}
	o.e.mu.Unlock()
	err := o.Observer.Next(ctx, p)
	if o.e.says && err == nil && flow.IsEnd(context.Cause(ctx)) {
		return o.st.End()
	}
	return err
}

func (o *enderObserver) Done(_ context.Context, stopped bool) error {
	if o.e.careful {
		defer o.alone()()
		if o.over {
			return o.st.End()
		}
	}
	o.done = true
	return o.Observer.Done(o.outer, stopped) //nolint:contextcheck // as above
}
