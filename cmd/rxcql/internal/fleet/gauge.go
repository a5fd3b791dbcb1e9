package fleet

import (
	"context"
	"sync/atomic"

	"github.com/rxcql/rxcql"
)

// Gauge counts the requests of a run that are in flight.
type Gauge struct{ n atomic.Int64 }

// Hooks are to be given to each pipeline of the run.
func (g *Gauge) Hooks() rxcql.Hooks {
	return rxcql.Hooks{
		FetchStart: func(ctx context.Context, _ rxcql.FetchEvent) context.Context { g.n.Add(1); return ctx },
		FetchEnd:   func(context.Context, rxcql.FetchEvent) { g.n.Add(-1) },
		WriteStart: func(ctx context.Context, _ rxcql.WriteEvent) context.Context { g.n.Add(1); return ctx },
		WriteEnd:   func(context.Context, rxcql.WriteEvent) { g.n.Add(-1) },
	}
}

// InFlight returns how many requests are in flight now.
func (g *Gauge) InFlight() int64 { return g.n.Load() }
