package main

import (
	"context"
	"iter"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// loadInFlight is far fewer batches at once than a copy has: they need not be quick,
// and a server that shares the machine must not be driven into timeouts.
const loadInFlight = 8

// The tables are loaded with the toolkit itself, in a child process; events are
// then counted by hand.
var (
	loadEvents  = register("load-events", load(eventAt))
	loadSamples = register("load-samples", load(sampleAt))
)

func load[T any](at func(i int64) T) work {
	return func(ctx context.Context, j job) (func() (tally, error), func(), error) {
		session, err := connect(ctx)
		if err != nil {
			return nil, nil, err
		}
		return func() (tally, error) {
			p, err := rxcql.New(source.Seq(generate(at, j.Rows)), sink.Table[T](session, j.Keyspace+"."+j.Table, sink.InFlight(loadInFlight)))
			if err != nil {
				return tally{}, err
			}
			report, err := p.Run(ctx)
			return tally{Rows: report.Written}, err
		}, session.Close, nil
	}
}

func generate[T any](at func(i int64) T, rows int64) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		for i := range rows {
			if !yield(at(i), nil) {
				return
			}
		}
	}
}
