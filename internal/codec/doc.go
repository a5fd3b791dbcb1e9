// Package codec turns the bytes of CQL values into Go values and back, by plans made once for a Go
// type and the columns of a statement.
//
// # What a row type may be
//
// A struct with cql tags is a row: each tag names a column, in the server's spelling without
// quotes, and embedded structs are flattened. Every other type is one column: integers, strings,
// time.Time, gocql.UUID, sql.Null[X], slices, maps, pointers, and whatever implements
// gocql.Marshaler and gocql.Unmarshaler. A struct with tags is a row even if it implements those
// itself; as a field of a row, the methods win.
//
// # What fits what
//
// The conversions are those of gocql, and these differ: whole numbers are checked against the range
// of the other side and never cut off or wrapped around; float is float32 and double float64 only;
// a date is also an int32 of days since 1970-01-01; inet is also netip.Addr; a set reads into
// map[T]struct{}; vectors are slices and arrays of any element; a duration without months and days
// is also a time.Duration; in map[string]any a null field is nil; structs for user-defined types
// must have a field for every field of the type. A string is not parsed into a duration.
//
// # Null and empty
//
// Null becomes nil in pointers, slices, maps and any, invalid in the sql.Null types, and the zero
// value elsewhere. The empty value, of zero bytes and not null, becomes the zero value of scalars
// (the zero time.Time for times), "" or a []byte that is empty but not nil. Written back these are
// not empty but the value: 0 and not nothing. Nil slices, maps, pointers, net.IP and invalid
// netip.Addr and sql.Null values encode as null; slices and maps that are empty but not nil encode
// as empty. On the server an empty list, set or map that is not frozen is null.
//
// # Memory
//
// Text up to 256 bytes is carved from chunks of 1 KiB that are never written again, so a string
// that is kept keeps up to 1 KiB alive; longer text has memory of its own. A text column that
// repeats the value of the row before shares its string, if it is of that size. A []byte has its
// own part of a chunk and may be changed. Nothing decoded refers to the input.
//
// # Corrupt input and secrecy
//
// Bytes that are not a value of their type are an error that names the column, never a panic or an
// allocation out of proportion to their length. No error message holds a value, nor the text of an
// error from a user's method.
//
// # A new CQL type
//
// It needs a Kind, and then a place in each of these, in this order:
//
//   - kind.go: the constant and its facts (names, how a vector packs it, the Go types that errors
//     name);
//   - decode.go and encode.go: a case of the switch, and the functions in the file of its family
//     (decode_time.go, say);
//   - goscalar.go: the Go type that it becomes in an any;
//   - json.go and fromtext.go: how it is written as JSON and as text, and read again; fromjson.go
//     where that is not a string or a number;
//   - encode_collection.go (keysDistinct): whether two keys of a Go map can be one to the server;
//   - parse.go or classname.go, if it has parameters.
//
// A kind without its case is refused where a plan is made, by name. In tests drawRaw
// (property_test.go) draws its values and integration/types has a column of it. Package
// internal/gotext writes Go types as text; it needs nothing unless the type brings a new Go type.
package codec
