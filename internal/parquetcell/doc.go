// Package parquetcell turns CQL values, as the server sends them, into the values of Parquet
// columns and back. Both ways go by plans that are made once for the columns of a file.
//
// Schema and Shredder write: a value is shredded into the leaf columns of its type, with the
// definition and repetition levels of the Parquet format
// (https://github.com/apache/parquet-format, "Nested Encoding", after the Dremel paper). Plan and
// Assembler read: they put values together again from the columns that are needed, and read no
// others.
//
// The Parquet type that a CQL type is written as is in shape.go, and in a table for users in the
// documentation of package parquet. Which types of other writers are read as which CQL types is in
// sense.go and convert.go: a conversion either is exact for all values, or is checked for each
// value.
//
// Errors hold no values of rows.
package parquetcell
