package checkpoint

import (
	"bytes"
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/driver"
)

// row is the row of a job on the server. Each call is one request.
type row interface {
	// swap makes a change if the owner is the one that it starts from. If it was not made, owner is
	// the owner of the row.
	swap(ctx context.Context, c change) (applied bool, owner gocql.UUID, err error)
	// owner reads at serial consistency, which first completes or discards what earlier requests
	// have begun.
	owner(ctx context.Context) (gocql.UUID, error)
	data(ctx context.Context) ([]byte, error)
	// fail says in which table, and for which job, something could not be done.
	fail(doing string, err error) error
}

// change is a conditional write of a row.
type change struct {
	from, to gocql.UUID    // owner before and after; nobody stands for none
	lease    time.Duration // how long the new owner lasts
	data     []byte        // nil: they stay as they are
}

// nobody is the owner of a row that is not locked.
var nobody gocql.UUID

// cqlRow is the row of a job in a table of Cassandra.
type cqlRow struct {
	*table
	job                                    string
	selectOwner, selectData, update, batch string
	serial                                 gocql.SerialConsistency
	read, commit                           gocql.Consistency
}

func newCQLRow(t *table, job string) *cqlRow {
	full := quoted(t.keyspace, t.table)
	r := &cqlRow{
		table:       t,
		job:         job,
		selectOwner: "SELECT owner FROM " + full + " WHERE job = ?",
		selectData:  "SELECT data FROM " + full + " WHERE job = ?",
		// An UPDATE, since an INSERT would give the row itself a time to live.
		update: "UPDATE " + full + " USING TTL ? SET owner = ? WHERE job = ? IF owner = ?",
		// Two statements, since a time to live applies to everything that one statement sets. 0
		// means none, whatever default_time_to_live the table has.
		batch: "BEGIN UNLOGGED BATCH UPDATE " + full + " USING TTL 0 SET data = ? WHERE job = ? IF owner = ?; " +
			"UPDATE " + full + " USING TTL ? SET owner = ? WHERE job = ?; APPLY BATCH",
		serial: t.cfg.serial, read: gocql.Consistency(gocql.Serial), commit: gocql.Quorum,
	}
	if r.serial == gocql.LocalSerial {
		r.read, r.commit = gocql.Consistency(gocql.LocalSerial), gocql.LocalQuorum
	}
	return r
}

func (r *cqlRow) swap(ctx context.Context, c change) (applied bool, owner gocql.UUID, err error) {
	st := driver.Statement{
		CQL:         r.update,
		Args:        []any{ttl(c.lease), ownerArg(c.to), r.job, ownerArg(c.from)},
		Consistency: &r.commit, SerialConsistency: &r.serial,
	}
	if c.data != nil {
		st.CQL = r.batch
		st.Args = []any{c.data, r.job, ownerArg(c.from), ttl(c.lease), ownerArg(c.to), r.job}
	}
	answered := false
	err = r.first(ctx, st, func(name string, cell []byte) error {
		switch name {
		case "[applied]":
			applied, answered = bytes.Equal(cell, []byte{1}), true
		case "owner":
			owner, err = ownerOf(cell)
		}
		return err
	})
	if err == nil && !answered {
		err = errors.New("the server did not say whether it made a conditional write")
	}
	return applied, owner, err
}

func (r *cqlRow) owner(ctx context.Context) (owner gocql.UUID, err error) {
	err = r.first(ctx, r.selection(r.selectOwner), func(_ string, cell []byte) error {
		owner, err = ownerOf(cell)
		return err
	})
	return owner, err
}

func (r *cqlRow) data(ctx context.Context) (data []byte, err error) {
	err = r.first(ctx, r.selection(r.selectData), func(_ string, cell []byte) error {
		data = slices.Clone(cell)
		return nil
	})
	return data, err
}

func (r *cqlRow) selection(cql string) driver.Statement {
	return driver.Statement{CQL: cql, Args: []any{r.job}, Consistency: &r.read, Idempotent: true}
}

// first runs a statement and calls cell for each column of its first row.
func (r *cqlRow) first(ctx context.Context, st driver.Statement, cell func(name string, value []byte) error) error {
	page, err := r.session.Fetch(ctx, st, 2, nil)
	if err != nil {
		return err
	}
	cells := make([][]byte, len(page.Columns()))
	if !page.Scan(cells) {
		return page.Err()
	}
	for i, column := range page.Columns() {
		if err := cell(column.Name, cells[i]); err != nil {
			return err
		}
	}
	return nil
}

// ttl returns the time to live of an owner in seconds. It is never less than the lease, though the
// server counts from the beginning of the current second (1 s) and servers' clocks differ (1 s).
func ttl(lease time.Duration) int {
	return int((lease+time.Second-1)/time.Second) + 2
}

func ownerArg(owner gocql.UUID) any {
	if owner == nobody {
		return nil
	}
	return owner
}

func ownerOf(cell []byte) (gocql.UUID, error) {
	if len(cell) == 0 {
		return nobody, nil
	}
	return gocql.UUIDFromBytes(cell)
}
