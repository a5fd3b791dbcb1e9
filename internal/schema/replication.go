package schema

import (
	"context"
	"fmt"

	"github.com/rxcql/rxcql/internal/driver"
)

// Replication reads how a keyspace is replicated, with the strategy's class as
// "class".
func Replication(ctx context.Context, q Reader, keyspace string) (map[string]string, error) {
	var options map[string]string
	l := loader{q: q, keyspace: keyspace}
	err := l.each(ctx, func(cells [][]byte) (err error) {
		options, err = driver.TextMap(cells[0])
		return err
	}, "SELECT replication FROM system_schema.keyspaces WHERE keyspace_name = ?", keyspace)
	if err == nil && options == nil {
		err = ErrUnknownKeyspace
	}
	if err != nil {
		return nil, fmt.Errorf("replication of keyspace %s: %w", Spell(keyspace), err)
	}
	return options, nil
}
