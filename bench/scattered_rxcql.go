package main

import (
	"context"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

var (
	scatteredTable = register("scattered-rxcql", scatteredInto(func(j job) []sink.TableOption {
		return []sink.TableOption{sink.InFlight(j.InFlight)}
	}))
	scatteredBatches = register("scattered-rxcql-batches", scatteredInto(func(j job) []sink.TableOption {
		return []sink.TableOption{sink.InFlight(j.InFlight), sink.BatchByReplicaSet(j.Partitions, j.Bytes)}
	}))
)

// scatteredInto is the same work as scatteredHand.
func scatteredInto(options func(j job) []sink.TableOption) work {
	return func(ctx context.Context, j job) (func() (tally, error), func(), error) {
		session, err := connect(ctx)
		if err != nil {
			return nil, nil, err
		}
		return func() (tally, error) {
			p, err := rxcql.New(source.Seq(generate(scatteredAt, j.Rows)),
				sink.Table[scatteredRow](session, j.Keyspace+"."+j.Target, options(j)...))
			if err != nil {
				return tally{}, err
			}
			report, err := p.Run(ctx)
			return tally{Rows: report.Written}, err
		}, session.Close, nil
	}
}
