// Package sink has the sinks that streams drain into: a Cassandra table (Table), any CQL statement
// (Exec), a file (NDJSON, CSV), a Go function (Each), several sinks at once (Tee), one of several
// sinks for each row (Route), or operators and then a sink (Through).
//
// # What a row may be
//
// For Table, T is one of these:
//
//   - rxcql.Row: columns as received, copied byte for byte under their names;
//   - a struct with at least one `cql` tag: columns by name;
//   - anything else that one column can be encoded from. Columns names that column.
//
// Exec and Each take any T.
//
// # Delivery
//
// A row's receipt is settled when the row is durable at the session's consistency, or the function
// has returned. Rows of a page that was not settled come again in a later run, so delivery is at
// least once. With Table repeats are harmless; a file holds each row once; Exec repeats nothing
// within a run unless Idempotent allows it (see there).
package sink
