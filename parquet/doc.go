// Package parquet reads and writes Parquet files: Read is a source, Write a sink.
//
//	flights := parquet.Read[Flight]("flights.parquet")
//	report, err := rxcql.Run(ctx, flights, sink.Table[Flight](session, "air.flights"))
//
// Both take structs with `cql` tags, and rxcql.Row, which is not decoded. The format is that of
// https://parquet.apache.org/docs/file-format/; files are read and written by parquet-go.
//
// # How CQL types are written
//
//	ascii, text                 STRING
//	tinyint, smallint, int      INT32 (INT(8), INT(16), INT(32), signed)
//	bigint, counter             INT64 (INT(64), signed)
//	varint, decimal             STRING, all digits; a decimal keeps its scale: 1.50 is not 1.5
//	float, double, boolean      FLOAT, DOUBLE, BOOLEAN
//	blob, types of Java classes BYTE_ARRAY
//	timestamp                   INT64 (TIMESTAMP in milliseconds, UTC)
//	date                        INT32 (DATE)
//	time                        INT64 (TIME in nanoseconds, not adjusted to UTC)
//	duration                    STRING, as CQL writes it: 1mo2d3ns
//	uuid, timeuuid              FIXED_LEN_BYTE_ARRAY(16) (UUID)
//	inet                        STRING
//	list, set, vector           LIST
//	map                         MAP
//	user-defined types          a group with its fields
//	tuples                      a group with the fields _1, _2 and so on
//
// What is written so is read back byte for byte, with the types of the same table, with these
// exceptions. A varint that was written with more bytes than it needs comes back with as few as it
// needs. A tuple or user-defined type from before its type got more fields comes back with nulls
// for these.
//
// # What is read as which type
//
// A conversion is exact for all values, or is checked for each: a value that does not fit is a row
// that failed.
//
//	text, ascii       STRING, ENUM, JSON; BYTE_ARRAY that is UTF-8
//	whole numbers     INT32 and INT64, signed and unsigned
//	varint            these, DECIMAL without a scale, STRING
//	decimal           these, DECIMAL, STRING
//	float             FLOAT, DOUBLE if exact
//	double            DOUBLE, FLOAT, INT32
//	boolean           BOOLEAN
//	blob              BYTE_ARRAY that is not text, FIXED_LEN_BYTE_ARRAY, BSON, UUID
//	timestamp         TIMESTAMP, INT96 (of Impala and old versions of Spark). One that is not
//	                  adjusted to UTC is taken as if it were. See TruncateTimes
//	date              DATE
//	time              TIME
//	duration          STRING, INTERVAL
//	uuid, timeuuid    UUID, 16 bytes, STRING
//	inet              STRING
//	list, set, vector LIST of two or three levels, a field that repeats
//	map               MAP
//	user-defined type a group, by the names of its fields. One that the group does not have is null
//	tuple             a group with as many fields, in their order
//
// For a struct the CQL type of a column is the one that its Go type is kept in (int32: int,
// time.Time: timestamp, []string: list<text>), or, if the file's type cannot be read as that, the
// one that is closest to the file's. Types and TypesOf set it.
package parquet
