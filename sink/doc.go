// Package sink is where streams drain: into a Cassandra table (Table), any CQL
// statement (Exec), a file (NDJSON, CSV), a Go function (Each), several sinks at once (Tee), or
// operators and then a sink (Through).
//
// # What a row may be
//
// For Table, T is rxcql.Row (columns as received, copied byte for byte under
// their names), a struct with at least one `cql` tag (columns by name), or
// anything else that one column can be encoded from, with Columns naming it.
// Exec and Each take any T.
//
// # Delivery
//
// A row's receipt is settled when the row is durable as the session's
// consistency means it, or the function has returned. Rows of a page that was
// not settled come again in a later run: delivery is at least once. Table
// makes repeats harmless, files hold each row once, and Exec repeats nothing within
// a run unless Idempotent allows it (see there).
package sink
