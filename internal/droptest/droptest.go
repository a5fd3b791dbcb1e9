// Package droptest drops columns, on a server of cqlfake that answers as before.
package droptest

import (
	"strings"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/message"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// Column has the server say that a column of a table was dropped, as soon as gone reports so, and
// read and write what it is asked to all the same: Cassandra does so by a statement that it
// prepared in the moment of the ALTER TABLE. gone is given each request of a prepared statement.
func Column(tb testing.TB, server *cqlfake.Server, table, column string, gone func(*cqlfake.Request) bool) {
	tb.Helper()
	text := func(name string) *message.ColumnMetadata {
		return &message.ColumnMetadata{Keyspace: "system_schema", Table: "dropped_columns", Name: name, Type: datatype.Varchar}
	}
	server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if r.Kind != cqlfake.Execute || !gone(r) {
			return nil
		}
		cql, values := r.Statements[0].CQL, r.Statements[0].Values
		about := func() bool { return string(values[1].Bytes) == table }
		switch {
		case strings.Contains(cql, "system_schema.dropped_columns") && about():
			return cqlfake.Answer(&message.RowsResult{
				Metadata: &message.RowsMetadata{ColumnCount: 2, Columns: []*message.ColumnMetadata{text("column_name"), text("dropped_time")}},
				Data:     message.RowSet{{[]byte(column), []byte("now")}},
			})
		case strings.Contains(cql, "system_schema.columns") && strings.Contains(cql, "column_name = ?") && about():
			return cqlfake.Answer(&message.RowsResult{
				Metadata: &message.RowsMetadata{ColumnCount: 1, Columns: []*message.ColumnMetadata{text("column_name")}},
			})
		}
		return nil
	})
}
