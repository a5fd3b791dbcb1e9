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
//
// # Forms of values in files
//
// What sink.CSV and sink.NDJSON write CSV and NDJSON read, as structs or as rxcql.Row,
// however it was written. Below, quotes belong to JSON and are left out in CSV.
//
//	CQL type             from a Row                    from a struct, by Go type
//	text, ascii          "any text"                    string: the same
//	blob                 "0xcafe"                      []byte: the same
//	boolean              true                          bool: the same; True is read too
//	tinyint … counter    -12                           integers: the same
//	varint               123456789012345678901         big.Int: the same
//	decimal              110E-2                        inf.Dec: "1.10", "1E300"; either is read
//	float, double        1.5 "NaN" "-Infinity"         float32, float64: the same
//	uuid, timeuuid       "13814000-1dd2-11b2-…"        gocql.UUID, [16]byte: the same
//	inet                 "127.0.0.1" "::1"             netip.Addr, net.IP: the same
//	timestamp            "2017-07-31T15:49:01.638Z"    time.Time: RFC 3339 in its zone; int64: milliseconds
//	date                 "2017-07-31"                  time.Time: midnight UTC; int32: days; int64: milliseconds
//	time                 "15:49:01.638000000"          time.Duration, int64: nanoseconds
//	duration             "14mo3d1ns"                   gocql.Duration: the same; time.Duration, int64: nanoseconds
//	list, set, vector    [1,2]                         slices, arrays, map[T]struct{}: the same
//	map                  {"key":1}                     map: the same; a key that is no string is its JSON in a string
//	tuple                [1,"x"]                       a struct without names in tags: the same; an object is read by order
//	user-defined type    {"street":"x"}                a struct with `cql` tags: the same
//
// Lists, maps and the like are JSON in CSV too. Years before 0 or of more than four
// digits have a sign. A time is also read with a blank for its T and an offset
// without a colon, as cqlsh writes it (2017-07-31 15:49:01.638+0000), and a date
// alone as midnight UTC; what is finer than a millisecond is cut where it becomes a
// timestamp. A string may hold a number, a UUID, an address or a date. An any, and a
// type with methods of its own, is as MarshalText and UnmarshalText (in CSV first) or
// encoding/json make it.
//
// What is not certain is refused: a time without a zone; a whole number for a
// time.Time, or for a date of a Row; a date with a time of day; base64; text that is
// empty and not null where no text is expected. An empty value of another type than
// text or blob, which Cassandra allows, can therefore be written and not be read.
// What a file does not tell cannot be noticed: a blob that is read into a string is
// its digits, and a text such as 0x41 that is read into a []byte is one byte.
//
// Files of other tools: cqlsh and DSBulk write quotes with a backslash (ended with an
// error; cqlsh: WITH ESCAPE='"', DSBulk: --connector.csv.escape '"'), cqlsh writes
// collections as literals of CQL and DSBulk blobs as base64 and booleans as 1 and 0
// (refused by name), and cqlsh a line break in a text as the two characters \n
// (taken as they are). DSBulk's JSON is read but for blobs.
package source
