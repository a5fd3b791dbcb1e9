package types_test

import (
	"database/sql"
	"math/big"
	"net/netip"
	"time"

	"github.com/gocql/gocql"
	"gopkg.in/inf.v0"
)

// column is one column of the table of every type: values are CQL literals, so
// that it is the server that encodes them.
type column struct {
	name, cql string
	values    []string
}

// everyType has the table's columns except its key. Extremes, empty values and
// values that other tools are known to get wrong stand next to plain ones; null
// is in every column besides.
var everyType = []column{
	{"a", "ascii", []string{"'plain'", "''"}},
	{"big", "bigint", []string{"1", "-9223372036854775808", "9223372036854775807"}},
	{"bin", "blob", []string{"0xcafe", "0x", "0x00"}},
	{"yes", "boolean", []string{"true", "false"}},
	{"dat", "date", []string{"'1969-12-31'", "'0001-01-01'", "'-5877641-06-23'", "4294967295", "'1970-01-01'"}},
	{"dec", "decimal", []string{"1.10", "-0.000000000000000000000000000001", "123456789012345678901234567890", "0", "1e10"}},
	{"dbl", "double", []string{"1.5", "NaN", "-Infinity", "-0.0", "4.9E-324"}},
	{"dur", "duration", []string{"1y2mo3d4h5m6s7ns", "-2147483647d", "0s", "-1mo2d3ns"}},
	{"flt", "float", []string{"1.5", "NaN", "Infinity", "-0.0"}},
	{"ine", "inet", []string{"'127.0.0.1'", "'::1'", "'2001:db8::ff'"}},
	{"num", "int", []string{"-1", "-2147483648", "2147483647", "0"}},
	{"sma", "smallint", []string{"-32768", "32767"}},
	{"txt", "text", []string{"'späte Flüge 🛩 ''quoted'''", "''", "'\x01\n,\"'"}},
	{"tim", "time", []string{"'00:00:00'", "'23:59:59.999999999'"}},
	{"ts", "timestamp", []string{"'1969-12-31T23:59:59.999Z'", "-62135596800001", "0", "253402300800000"}},
	{"tuu", "timeuuid", []string{"13814000-1dd2-11b2-8080-808080808080", "now()"}},
	{"tin", "tinyint", []string{"-128", "127"}},
	{"uid", "uuid", []string{"uuid()", "00000000-0000-0000-0000-000000000000"}},
	{"vin", "varint", []string{"0", "-1", "127", "128", "-128", "-129", "123456789012345678901234567890"}},

	{"li", "list<int>", []string{"[3, 1, 2, 1]", "[]"}},
	{"se", "set<text>", []string{"{'b', 'a', ''}"}},
	{"ma", "map<text, timestamp>", []string{"{'x': -1, '': 0}"}},
	{"fli", "frozen<list<text>>", []string{"['']", "[]"}},
	{"fse", "frozen<set<int>>", []string{"{}", "{1, -1}"}},
	{"fma", "frozen<map<int, frozen<list<text>>>>", []string{"{}", "{1: [], 2: ['a', 'b']}"}},
	{"nes", "map<text, frozen<map<text, frozen<set<bigint>>>>>", []string{"{'a': {'b': {1, 2}, 'c': {}}}"}},

	{"tup", "tuple<int, text>", []string{"(1, 'x')", "(null, null)", "(1, null)", "(null, '')"}},
	{"tut", "tuple<int, tuple<text, tuple<bigint, boolean>>>", []string{"(1, ('x', (2, true)))", "(1, null)", "(null, ('x', null))"}},
	{"lit", "list<frozen<tuple<int, text>>>", []string{"[(1, 'x'), (null, null)]"}},
	{"tul", "tuple<list<int>, map<text, int>>", []string{"([1, 2], {'a': 1})", "([], null)"}},

	{"adr", "address", []string{"{street: 's', zip: 1, tags: {'x'}}", "{street: '', zip: null}"}},
	{"fad", "frozen<address>", []string{"{street: 's', zip: -1, tags: {}}", "{street: null}"}},
	{"lia", "list<frozen<address>>", []string{"[{street: 'a'}, {zip: 2}]"}},
	{"hom", "frozen<home>", []string{"{owner: 'o', at: {street: 's', zip: 1}, seen: [(1, 'x')]}"}},

	{"vec", "vector<float, 3>", []string{"[1.5, -0.0, 3]"}},
	{"ved", "vector<double, 1>", []string{"[2]"}},
	{"vet", "vector<text, 2>", []string{"['', 'abc']"}},
	{"vev", "vector<frozen<vector<int, 2>>, 2>", []string{"[[1, 2], [3, 4]]"}},
	{"liv", "list<frozen<vector<float, 2>>>", []string{"[[1, 2], [3, 4]]"}},
}

type address struct {
	Street *string  `cql:"street"`
	Zip    *int     `cql:"zip"`
	Tags   []string `cql:"tags"`
}

type home struct {
	Owner string   `cql:"owner"`
	At    *address `cql:"at"`
	Seen  []pair   `cql:"seen"`
}

type pair struct {
	N *int
	T *string
}

type inner struct {
	N *int64
	B *bool
}

type middle struct {
	T *string
	I *inner
}

type outer struct {
	N *int
	M *middle
}

type listAndMap struct {
	L []int
	M map[string]int
}

// everything is the typed row of the table. Pointers, slices, maps and sql.Null
// tell null from zero.
type everything struct {
	K int `cql:"k"`

	A   *string                       `cql:"a"`
	Big *int64                        `cql:"big"`
	Bin []byte                        `cql:"bin"`
	Yes sql.Null[bool]                `cql:"yes"`
	Dat *time.Time                    `cql:"dat"`
	Dec *inf.Dec                      `cql:"dec"`
	Dbl sql.NullFloat64               `cql:"dbl"`
	Dur *gocql.Duration               `cql:"dur"`
	Flt *float32                      `cql:"flt"`
	Ine *netip.Addr                   `cql:"ine"`
	Num sql.Null[int32]               `cql:"num"`
	Sma *int16                        `cql:"sma"`
	Txt sql.NullString                `cql:"txt"`
	Tim *time.Duration                `cql:"tim"`
	Ts  sql.NullTime                  `cql:"ts"`
	Tuu *gocql.UUID                   `cql:"tuu"`
	Tin *int8                         `cql:"tin"`
	UID *[16]byte                     `cql:"uid"`
	Vin *big.Int                      `cql:"vin"`
	Li  []int                         `cql:"li"`
	Se  map[string]struct{}           `cql:"se"`
	Ma  map[string]time.Time          `cql:"ma"`
	Fli []string                      `cql:"fli"`
	Fse []int                         `cql:"fse"`
	Fma map[int][]string              `cql:"fma"`
	Nes map[string]map[string][]int64 `cql:"nes"`

	Tup *pair       `cql:"tup"`
	Tut *outer      `cql:"tut"`
	Lit []pair      `cql:"lit"`
	Tul *listAndMap `cql:"tul"`

	Adr *address  `cql:"adr"`
	Fad *address  `cql:"fad"`
	Lia []address `cql:"lia"`
	Hom *home     `cql:"hom"`

	Vec []float32   `cql:"vec"`
	Ved *[1]float64 `cql:"ved"`
	Vet []string    `cql:"vet"`
	Vev [][2]int    `cql:"vev"`
	Liv [][]float32 `cql:"liv"`
}
