package checkpoint

import (
	"context"
	"fmt"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// TableColumns are the columns of a table of checkpoints. To create the table yourself, run CREATE
// TABLE keyspace.table followed by this. Other columns do no harm. owner is the random id of the
// lease that locks the job, and has a time to live; data is the checkpoint.
const TableColumns = "(job text PRIMARY KEY, owner uuid, data blob)"

// CreateTable creates a table for checkpoints if there is none of that name. It fails with
// rxcql.ErrSchema if there is one with other columns. The name is "keyspace.table"; the keyspace
// must exist. It needs the permissions CREATE and SELECT.
func CreateTable(ctx context.Context, session *gocql.Session, name string) error {
	keyspace, table, err := schema.ParseName(name)
	if err != nil {
		return fmt.Errorf("%w: checkpoint.CreateTable: %w", rxcql.ErrConfig, err)
	}
	s, err := driver.Wrap(session)
	if err != nil {
		return fmt.Errorf("%w: checkpoint.CreateTable %s: %w", rxcql.ErrConfig, name, err)
	}
	full := quoted(keyspace, table)
	cql := "CREATE TABLE IF NOT EXISTS " + full + " " + TableColumns
	if err := s.Exec(ctx, driver.Statement{CQL: cql}); err != nil {
		if driver.Classify(err) == driver.Invalid {
			return fmt.Errorf("%w: checkpoint.CreateTable %s: %w; make the keyspace first", rxcql.ErrSchema, name, err)
		}
		return fmt.Errorf("checkpoint.CreateTable %s: %w", name, err)
	}
	if err := checkColumns(ctx, s, full); err != nil {
		return fmt.Errorf("checkpoint.CreateTable %s: %w", name, err)
	}
	return nil
}

// checkColumns compares a table with TableColumns.
func checkColumns(ctx context.Context, s *driver.Session, full string) error {
	// The WHERE proves that job alone is the primary key: the server would demand the rest of a
	// partition key, and a clustering key would show in an IF.
	d, err := s.Describe(ctx, "UPDATE "+full+" SET owner = ?, data = ? WHERE job = ? IF owner = ?")
	if driver.Classify(err) == driver.Invalid {
		return fmt.Errorf("%w: there is another table of that name: %w; give another name, or drop it", rxcql.ErrSchema, err)
	}
	if err != nil {
		return err
	}
	for i, want := range []struct{ column, typ string }{{"owner", "uuid"}, {"data", "blob"}, {"job", "text"}} {
		if got := d.Params[i].Type.String(); got != want.typ {
			return fmt.Errorf("%w: there is another table of that name, whose column %s is of type %s, not %s; "+
				"give another name, or drop it", rxcql.ErrSchema, want.column, got, want.typ)
		}
	}
	return nil
}

func quoted(keyspace, table string) string { return schema.Quote(keyspace) + "." + schema.Quote(table) }
