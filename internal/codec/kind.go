package codec

import "github.com/gocql/gocql"

// Kind names a CQL type without its parameters.
type Kind uint8

// The kinds of CQL types. Varchar is Text: the server does not tell them apart.
const (
	Ascii Kind = iota
	Bigint
	Blob
	Boolean
	Counter
	Date
	Decimal
	Double
	Duration
	Float
	Inet
	Int
	Smallint
	Text
	Time
	Timestamp
	Timeuuid
	Tinyint
	UUID
	Varint
	List
	Set
	Map
	Tuple
	UDT
	Vector
	Custom
	kindCount
)

// facts holds what the server, the driver and a reader of errors call a kind.
type facts struct {
	cql    string
	driver gocql.Type
	class  string // Java class, without its package
	// packed is the length of a value inside a vector without a length before it; 0 means that a
	// length is written. Cassandra 5 packs fewer kinds than have a fixed width: date, time,
	// smallint, tinyint and counter carry a length.
	packed int
	// goes lists the Go types that hold the kind, for the remedy in an error.
	goes string
}

var kinds = [kindCount]facts{
	Ascii:     {"ascii", gocql.TypeAscii, "AsciiType", 0, "string or []byte"},
	Bigint:    {"bigint", gocql.TypeBigInt, "LongType", 8, "int64, another integer, big.Int or string"},
	Blob:      {"blob", gocql.TypeBlob, "BytesType", 0, "[]byte or string"},
	Boolean:   {"boolean", gocql.TypeBoolean, "BooleanType", 1, "bool"},
	Counter:   {"counter", gocql.TypeCounter, "CounterColumnType", 0, "int64, another integer, big.Int or string"},
	Date:      {"date", gocql.TypeDate, "SimpleDateType", 0, "time.Time, string, int32 (days) or int64 (milliseconds)"},
	Decimal:   {"decimal", gocql.TypeDecimal, "DecimalType", 0, "inf.Dec or *inf.Dec"},
	Double:    {"double", gocql.TypeDouble, "DoubleType", 8, "float64"},
	Duration:  {"duration", gocql.TypeDuration, "DurationType", 0, "gocql.Duration, time.Duration or int64 (nanoseconds)"},
	Float:     {"float", gocql.TypeFloat, "FloatType", 4, "float32"},
	Inet:      {"inet", gocql.TypeInet, "InetAddressType", 0, "net.IP, netip.Addr or string"},
	Int:       {"int", gocql.TypeInt, "Int32Type", 4, "int32, another integer, big.Int or string"},
	Smallint:  {"smallint", gocql.TypeSmallInt, "ShortType", 0, "int16, another integer, big.Int or string"},
	Text:      {"text", gocql.TypeVarchar, "UTF8Type", 0, "string or []byte"},
	Time:      {"time", gocql.TypeTime, "TimeType", 0, "time.Duration or int64 (nanoseconds of the day)"},
	Timestamp: {"timestamp", gocql.TypeTimestamp, "TimestampType", 8, "time.Time or int64 (milliseconds)"},
	Timeuuid:  {"timeuuid", gocql.TypeTimeUUID, "TimeUUIDType", 16, "gocql.UUID, [16]byte, string or []byte (time.Time only to read)"},
	Tinyint:   {"tinyint", gocql.TypeTinyInt, "ByteType", 0, "int8, another integer, big.Int or string"},
	UUID:      {"uuid", gocql.TypeUUID, "UUIDType", 16, "gocql.UUID, [16]byte, string or []byte"},
	Varint:    {"varint", gocql.TypeVarint, "IntegerType", 0, "*big.Int, big.Int, an integer or string"},
	List:      {"list", gocql.TypeList, "ListType", 0, "a slice or an array"},
	Set:       {"set", gocql.TypeSet, "SetType", 0, "a slice, an array or map[T]struct{}"},
	Map:       {"map", gocql.TypeMap, "MapType", 0, "map[K]V"},
	Tuple:     {"tuple", gocql.TypeTuple, "TupleType", 0, "a struct with a field for each element in order, or []any"},
	UDT:       {"", gocql.TypeUDT, "UserType", 0, "a struct with a cql tag for each field, or map[string]any"},
	Vector:    {"vector", gocql.TypeCustom, "VectorType", 0, "a slice or an array of the element type"},
	Custom:    {"custom", gocql.TypeCustom, "", 0, "[]byte or a gocql.Unmarshaler and gocql.Marshaler"},
}

// String is the CQL word for the kind.
func (k Kind) String() string {
	switch {
	case k == UDT:
		return "user-defined type"
	case k < kindCount:
		return kinds[k].cql
	}
	return "unknown"
}

// width is the length in bytes of an integer kind on the wire, 0 for the others.
func (k Kind) width() int {
	switch k {
	case Tinyint:
		return 1
	case Smallint:
		return 2
	case Int:
		return 4
	case Bigint, Counter:
		return 8
	}
	return 0
}

// kindsByName and kindsByClass find the kinds without parameters. The extra class names are older
// ones that the server still stores in schemas.
var kindsByName, kindsByClass = func() (names, classes map[string]Kind) {
	names, classes = map[string]Kind{"varchar": Text}, map[string]Kind{"LexicalUUIDType": UUID, "DateType": Timestamp}
	for k := Ascii; k < List; k++ {
		names[kinds[k].cql] = k
		classes[kinds[k].class] = k
	}
	return names, classes
}()
