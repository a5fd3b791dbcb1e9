package transfer

import (
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/option"
	"github.com/rxcql/rxcql/internal/schema"
)

// Reshaped returns the rows that a copy between two tables makes of others, as a stream.
func Reshaped(rows rxcql.Stream[rxcql.Row], from, to *schema.Table, opts ...CopyOption) (rxcql.Stream[rxcql.Row], error) {
	cfg := copyConfig{}
	if err := option.Apply(opts, &cfg, CopyOption.applyCopy); err != nil {
		return rows, err
	}
	m, err := cfg.resolve(from, to)
	return reshape(rows, m, new(atomic.Int64)), err
}

// Defined returns the table that Create would make.
func Defined(from *schema.Table, opts ...CopyOption) (*schema.Table, error) {
	cfg := copyConfig{}
	if err := option.Apply(opts, &cfg, CopyOption.applyCopy); err != nil {
		return nil, err
	}
	return cfg.define(from, &end{keyspace: "made", name: "t"})
}

// RingShare is ringShare.
var RingShare = ringShare
