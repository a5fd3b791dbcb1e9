// Package source makes streams: from Cassandra (Query, Table, TablePair for two tables side by
// side, and Tail for rows as they arrive), from files (NDJSON, CSV, JSONArray; several at once, and
// from an io.Reader), from Go iterators (Seq, SeqFrom) and values (Of), from channels (Chan), from
// a function that returns one page after the other (Pages), and from rxgo (FromObservable).
//
// # What a row may be
//
// T is one of these:
//
//   - rxcql.Row: columns as received, nothing decoded;
//   - a struct with at least one `cql` tag: columns by name. Fields without a tag are left alone;
//   - anything else that one column can be decoded into: int64, string, []byte, time.Time,
//     gocql.UUID, sql.Null[V], pointers, slices, maps, or a type with UnmarshalCQL.
//
// Null becomes the zero value. Use a pointer or sql.Null to tell null from zero.
//
// # Forms of values in files
//
// CSV and NDJSON read what sink.CSV and sink.NDJSON write, as structs or as rxcql.Row, whichever it
// was written from. In the table, quotes belong to JSON; CSV has none there.
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
//	timestamp            "2017-07-31T15:49:01.638Z"    time.Time: RFC 3339; int64: milliseconds
//	date                 "2017-07-31"                  time.Time: midnight UTC; integers: below
//	time                 "15:49:01.638000000"          time.Duration, int64: nanoseconds
//	duration             "14mo3d1ns"                   gocql.Duration: the same; others: nanoseconds
//	list, set, vector    [1,2]                         slices, arrays, map[T]struct{}: the same
//	map                  {"key":1}                     map: the same; other keys: JSON in a string
//	tuple                [1,"x"]                       a struct without names in tags: the same
//	user-defined type    {"street":"x"}                a struct with `cql` tags: the same
//
// A time.Time is written in its zone. A date is the days since 1970 as an int32, and milliseconds
// as an int64. The key of a map that is not a string is its JSON in a string. An object is read
// into a tuple by its order.
//
// Lists, maps and the like are JSON in CSV too. Years before 0 or of more than four digits have a
// sign. A timestamp is also read as cqlsh writes it, with a space for its T and an offset without a
// colon (2017-07-31 15:49:01.638+0000), and as a date alone, which is midnight UTC. Fractions of a
// millisecond are refused for a Row and for an int64. A time.Time keeps them, and they are cut off
// when it becomes a timestamp of Cassandra. A string may hold a number, a UUID, an address or a
// date.
//
// A type with methods of its own is written and read by them: in CSV by MarshalText and
// UnmarshalText if it has both, in JSON as encoding/json does. In JSON a method for one direction
// only is used too; such values may then be written that cannot be read. An any is written and read
// as by encoding/json in both.
//
// What is ambiguous is refused:
//
//   - a time without a zone;
//   - a whole number for a time.Time, or for a date of a Row;
//   - a date with a time of day where a date is needed;
//   - bytes in base64;
//   - ::ffff:1.2.3.4 for a net.IP, which would be another address when it is written;
//   - text that is empty and not null, where something other than text is expected. So an empty
//     value of a type that is not text or blob, which Cassandra allows, can be written but not
//     read.
//
// What a file does not tell cannot be noticed: a blob that is read into a string becomes its
// digits, and a text such as 0x41 that is read into a []byte becomes one byte.
//
// Files of other tools: with Dialect they are read as cqlsh (dialect.Cqlsh) and DSBulk
// (dialect.DSBulk) write them. Without it:
//
//   - cqlsh and DSBulk write quotes with a backslash, which ends the run with an error.
//   - cqlsh writes collections as CQL literals, DSBulk writes blobs as base64 and booleans as 1 and
//     0. Each such row is a row error that says so.
//   - cqlsh writes a line break in a text as the two characters \n. The file does not show that, so
//     it is read as it stands.
//   - JSON written by DSBulk is read, except blobs.
//
// cqlsh rounds floats and doubles, also in vectors (see its FLOATPRECISION and DOUBLEPRECISION).
package source
