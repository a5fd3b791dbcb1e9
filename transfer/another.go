package transfer

import (
	"context"
	"fmt"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// another checks that source and target are two tables. A table's id alone does not tell, since a
// cluster that was restored from another one has the same ids: the nodes are compared too.
func another(ctx context.Context, from, to *end, source, target *schema.Table) error {
	if source.ID != target.ID || source.ID == "" || source.Keyspace != target.Keyspace || source.Name != target.Name {
		return nil
	}
	here, err := nodeIDs(ctx, from.session)
	if err != nil {
		return err
	}
	there, err := nodeIDs(ctx, to.session)
	if err != nil {
		return err
	}
	for id := range there {
		if here[id] {
			return fmt.Errorf("%w: %s is both the source and the target: give another table", rxcql.ErrConfig, from)
		}
	}
	return nil
}

// nodeIDs reads the ids of the nodes that one node knows, its own included.
func nodeIDs(ctx context.Context, s *driver.Session) (map[string]bool, error) {
	ids := map[string]bool{}
	one := gocql.One
	for _, table := range []string{"system.local", "system.peers"} {
		st := driver.Statement{CQL: "SELECT host_id FROM " + table, Consistency: &one, Idempotent: true}
		err := rxcql.Retry(ctx, driver.MayPass, func() error {
			return s.Each(ctx, st, func(_ string, cells [][]byte) error {
				if cells[0] != nil {
					ids[string(cells[0])] = true
				}
				return nil
			})
		})
		if err != nil {
			return nil, fmt.Errorf("reading the nodes: %w", err)
		}
	}
	return ids, nil
}
