package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/ddl"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// creation is what Create would make, and what it would not.
type creation struct {
	statements []string
	notes      []string
}

// creation finds out what is missing for a table to be made, or of a table that exists: then only
// its indexes.
func (j *CopyJob) creation(ctx context.Context, from, to *schema.Table, exists bool) (*creation, error) {
	c := &creation{}
	var errs []error
	if !exists {
		errs = append(errs, j.missingTypes(ctx, to, c), j.missingTable(ctx, from, to, c))
	}
	errs = append(errs, j.missingIndexes(ctx, from, to, c))
	left, err := ddl.Dependents(ctx, j.from.session, from)
	for _, name := range left {
		c.notes = append(c.notes, "not made: "+name)
	}
	return c, errors.Join(append(errs, err)...)
}

func (j *CopyJob) missingTypes(ctx context.Context, to *schema.Table, c *creation) error {
	known, err := ddl.UserTypes(ctx, j.to.session, to.Keyspace)
	errs := []error{err}
	for _, t := range ddl.Types(to.Columns) {
		switch there, found := known[t.Name]; {
		case !found:
			c.statements = append(c.statements, ddl.CreateType(to.Keyspace, t))
		case !there.Like(t):
			errs = append(errs, fmt.Errorf("%w: the target has a type %s with other fields: drop it, make the table yourself, or copy into another keyspace",
				rxcql.ErrSchema, schema.Spell(t.Name)))
		}
	}
	return errors.Join(errs...)
}

func (j *CopyJob) missingTable(ctx context.Context, from, to *schema.Table, c *creation) error {
	options, err := ddl.Options(ctx, j.from.session, from)
	if err != nil {
		return err
	}
	fit, unknown, err := ddl.Fit(ctx, j.to.session, options)
	if err != nil {
		return err
	}
	for _, o := range unknown {
		c.notes = append(c.notes, fmt.Sprintf("not made: the option %s, which the target's server does not have", o.Name))
	}
	c.statements = append(c.statements, ddl.CreateTable(to, fit))
	return nil
}

// missingIndexes finds the indexes of the source that the target has under no name. Those of
// dropped columns are left out.
func (j *CopyJob) missingIndexes(ctx context.Context, from, to *schema.Table, c *creation) error {
	wanted, err := ddl.Indexes(ctx, j.from.session, from.Keyspace, from.Name)
	if err != nil || len(wanted) == 0 {
		return err
	}
	there, err := ddl.Indexes(ctx, j.to.session, to.Keyspace, to.Name)
	if err != nil {
		return err
	}
	names, err := ddl.IndexNames(ctx, j.to.session, to.Keyspace)
	if err != nil {
		return err
	}
	for _, ix := range wanted {
		name, copied := j.cfg.target(ix.Column)
		if !copied {
			c.notes = append(c.notes, fmt.Sprintf("not made: the index %s, whose column is dropped", schema.Spell(ix.Name)))
			continue
		}
		if ix.Column = name; ix.Has(there) {
			continue
		}
		if _, taken := names[ix.Name]; taken {
			ix.Name = to.Name + "_" + ix.Name
		}
		if _, taken := names[ix.Name]; taken {
			return fmt.Errorf("%w: the target's keyspace has indexes of the names that the index of column %q could get: make it yourself, under another name",
				rxcql.ErrSchema, ix.Column)
		}
		names[ix.Name] = to.Name
		c.statements = append(c.statements, ix.Create(to.Keyspace, to.Name))
	}
	return nil
}

// create runs the statements in order, and returns those that were run. Each waits until all nodes
// know the schema, because the next one may need it.
func (j *CopyJob) create(ctx context.Context, statements []string) (done []string, err error) {
	for _, cql := range statements {
		err := rxcql.Retry(ctx, driver.MayPass, func() error {
			return j.to.session.Exec(ctx, driver.Statement{CQL: cql, Idempotent: true}) // it says IF NOT EXISTS
		})
		if err == nil {
			err = j.to.Session.AwaitSchemaAgreement(ctx)
		}
		if err != nil {
			if class := driver.Classify(err); class == driver.Invalid || class == driver.Syntax {
				err = fmt.Errorf("%w: %w", rxcql.ErrSchema, err)
			}
			return done, fmt.Errorf("%s: %w", cql, err)
		}
		done = append(done, cql)
	}
	return done, nil
}

// noKeyspace is the error for a target whose keyspace does not exist, with a statement that makes
// it as the source's is.
func (j *CopyJob) noKeyspace(ctx context.Context, err error) error {
	options, failed := schema.Replication(ctx, j.from.session, j.from.keyspace)
	if failed != nil {
		return err
	}
	var pairs []string
	for key, value := range options {
		pairs = append(pairs, fmt.Sprintf("'%s': '%s'", key, value))
	}
	slices.Sort(pairs)
	return fmt.Errorf("%w; make it first. As the source's keyspace is replicated: CREATE KEYSPACE %s WITH replication = {%s}",
		err, schema.Quote(j.to.keyspace), strings.Join(pairs, ", "))
}
