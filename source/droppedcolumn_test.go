package source_test

import (
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

// dropColumn has the server say that v of ks.t was dropped, once a page of it was read, and answer
// all the same: Cassandra does so by a statement that it prepared in the moment of the ALTER TABLE.
func dropColumn(server *cqlfake.Server) {
	text := func(name string) *message.ColumnMetadata {
		return &message.ColumnMetadata{Keyspace: "system_schema", Table: "dropped_columns", Name: name, Type: datatype.Varchar}
	}
	var gone atomic.Bool
	server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if r.Kind != cqlfake.Execute {
			return nil
		}
		if r.Reads("ks.t") {
			gone.Store(true)
		}
		cql, values := r.Statements[0].CQL, r.Statements[0].Values
		about := func() bool { return gone.Load() && string(values[1].Bytes) == "t" }
		switch {
		case strings.Contains(cql, "system_schema.dropped_columns") && about():
			return cqlfake.Answer(&message.RowsResult{
				Metadata: &message.RowsMetadata{ColumnCount: 2, Columns: []*message.ColumnMetadata{text("column_name"), text("dropped_time")}},
				Data:     message.RowSet{{[]byte("v"), []byte("now")}},
			})
		case strings.Contains(cql, "system_schema.columns") && strings.Contains(cql, "column_name = ?") && about():
			return cqlfake.Answer(&message.RowsResult{
				Metadata: &message.RowsMetadata{ColumnCount: 1, Columns: []*message.ColumnMetadata{text("column_name")}},
			})
		}
		return nil
	})
}

func TestAColumnThatIsDroppedEndsARunThatReadsItThoughTheServerGivesRows(t *testing.T) {
	type keys struct {
		P int `cql:"p"`
	}
	count := func(s rxcql.Stream[rxcql.Row]) func(*testing.T) error {
		return func(t *testing.T) error { _, err := s.Count(t.Context()); return err }
	}
	for name, tc := range map[string]struct {
		run   func(*gocql.Session) func(*testing.T) error
		reads bool
	}{
		"Table": {func(s *gocql.Session) func(*testing.T) error { return count(source.Table[rxcql.Row](s, "ks.t")) }, true},
		"Table, others": {func(s *gocql.Session) func(*testing.T) error {
			return count(source.Table[rxcql.Row](s, "ks.t", source.Columns("p", "w")))
		}, false},
		"Table, a struct": {func(s *gocql.Session) func(*testing.T) error {
			return func(t *testing.T) error { _, err := source.Table[keys](s, "ks.t").Count(t.Context()); return err }
		}, false},
		"AdaptiveSplits": {func(s *gocql.Session) func(*testing.T) error {
			return count(source.Table[rxcql.Row](s, "ks.t", source.AdaptiveSplits()))
		}, true},
		"TablePair": {func(s *gocql.Session) func(*testing.T) error {
			return func(t *testing.T) error {
				_, err := source.TablePair[rxcql.Row, rxcql.Row](s, "ks.other", s, "ks.t").Count(t.Context())
				return err
			}
		}, true},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := cqlfake.New(t)
				server.Keyspace("ks", "t (p int PRIMARY KEY, v text, w text)", "other (p int PRIMARY KEY, v text, w text)")
				server.Exec("INSERT INTO ks.t (p, v, w) VALUES (1, 'v', 'w')", "INSERT INTO ks.other (p, v, w) VALUES (1, 'v', 'w')")
				dropColumn(server)
				session, err := server.Cluster().CreateSession()
				require.NoError(t, err)
				defer cqlfake.CloseSession(session)
				err = tc.run(session)(t)
				if !tc.reads {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, rxcql.ErrSchema)
				require.ErrorContains(t, err, `column "v" of table "ks"."t" was dropped while it was read`)
			})
		})
	}
}
