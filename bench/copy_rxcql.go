package main

import (
	"context"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

var (
	copyRow    = register("copy-rxcql-row", copyTable[rxcql.Row])
	copyStruct = register("copy-rxcql-struct", copyTable[event])
)

// copyTable is the same work as copyHand, with as many workers.
func copyTable[T any](ctx context.Context, j job) (func() (tally, error), func(), error) {
	session, err := connect(ctx)
	if err != nil {
		return nil, nil, err
	}
	return func() (tally, error) {
		p, err := rxcql.New(
			source.Table[T](session, j.Keyspace+"."+j.Table),
			sink.Table[T](session, j.Keyspace+"."+j.Target),
			rxcql.WithWorkers(copyWorkers))
		if err != nil {
			return tally{}, err
		}
		report, err := p.Run(ctx)
		if err == nil && !report.Complete {
			err = fmt.Errorf("the run is not complete: %s", report)
		}
		return tally{Rows: report.Written}, err
	}, session.Close, nil
}
