package tables

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// State is what a table is known by: whether it is still the one that it was, and has rows.
type State struct {
	ID    string // empty if there is no such table
	Empty bool
	// Truncated is when the table was last emptied by TRUNCATE, as the node that answers says, in the
	// time of this machine; zero if that is not known.
	Truncated time.Time
}

// Look looks at a table. rows asks for more than the id; what the servers do not say of that is
// left out.
func Look(ctx context.Context, session *gocql.Session, n Name, rows bool) (s State, err error) {
	wrapped, err := driver.Wrap(session)
	if err != nil {
		return s, err
	}
	var about *schema.Table
	err = rxcql.Retry(ctx, driver.MayPass, func() (err error) {
		about, err = schema.Load(ctx, wrapped, n.Keyspace, n.Table)
		return err
	})
	switch {
	case errors.Is(err, schema.ErrUnknownTable) || errors.Is(err, schema.ErrUnknownKeyspace):
		return s, nil
	case err != nil:
		return s, fmt.Errorf("looking at %s: %w", n, err)
	}
	s.ID = about.ID
	if !rows || about.Virtual {
		return s, nil
	}
	// A table in which the first row cannot be found, for tombstones say, is not called empty.
	first := session.Query("SELECT " + schema.Quote(about.PartitionKey[0].Name) + " FROM " + about.Quoted() + " LIMIT 1").WithContext(ctx).Iter()
	found := first.NumRows() > 0
	s.Empty = first.Close() == nil && !found
	s.Truncated = truncated(ctx, session, s.ID)
	if ctx.Err() != nil {
		return s, context.Cause(ctx)
	}
	return s, nil
}

// truncated reads when a table was truncated. Each node knows when it did so, by its own clock;
// its time now tells how long ago that was.
func truncated(ctx context.Context, session *gocql.Session, id string) (at time.Time) {
	key, err := gocql.ParseUUID(id)
	if err != nil {
		return at
	}
	var all map[gocql.UUID][]byte
	var now time.Time
	err = session.Query("SELECT truncated_at, toTimestamp(now()) FROM system.local").WithContext(ctx).Consistency(gocql.One).Scan(&all, &now)
	text := all[key]
	if err != nil || len(text) < 8 { // not every server has this
		return at
	}
	// A position in the commit log, and the milliseconds since 1970 (SystemKeyspace.java).
	millis := int64(binary.BigEndian.Uint64(text[len(text)-8:]))
	return time.Now().Add(time.UnixMilli(millis).Sub(now))
}
