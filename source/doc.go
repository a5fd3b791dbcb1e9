// Package source makes streams: from Cassandra (Query, Table), from files (NDJSON,
// CSV), from Go iterators (Seq, SeqFrom) and from channels (Chan).
//
// # What a row may be
//
// T is rxcql.Row (columns as received, nothing decoded), a struct with at least
// one `cql` tag (columns by name; fields without a tag are left alone), or
// anything else that one column can be decoded into: int64, string, []byte,
// time.Time, gocql.UUID, sql.Null[V], pointers, slices, maps, or a type with
// UnmarshalCQL. Null is told from zero by a pointer or sql.Null; otherwise it is
// the zero value.
package source
