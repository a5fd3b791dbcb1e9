package source_test

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/keyorder"
	"github.com/rxcql/rxcql/source"
)

// values makes random values of types, as bytes; those of two calls are often one to the server.
type values struct{ *rand.Rand }

// of returns a value of a type.
func (v values) of(t *codec.Type) []byte {
	switch t.Kind {
	case codec.Ascii, codec.Text:
		return []byte(v.word(t.Kind == codec.Text))
	case codec.Blob:
		return v.bytes(v.IntN(4))
	case codec.Boolean:
		return []byte{byte(v.IntN(3))}
	case codec.Tinyint:
		return v.number(1)
	case codec.Smallint:
		return v.number(2)
	case codec.Int, codec.Date:
		return v.number(4)
	case codec.Bigint, codec.Timestamp, codec.Time:
		return v.number(8)
	case codec.Float:
		f := v.float()
		b := binary.BigEndian.AppendUint32(nil, math.Float32bits(float32(f)))
		if math.IsNaN(f) {
			b[3] = byte(v.IntN(3))
		}
		return b
	case codec.Double:
		f := v.float()
		b := binary.BigEndian.AppendUint64(nil, math.Float64bits(f))
		if math.IsNaN(f) {
			b[7] = byte(v.IntN(3))
		}
		return b
	case codec.Inet:
		return append(v.bytes(1), make([]byte, []int{3, 15}[v.IntN(2)])...)
	case codec.UUID, codec.Timeuuid:
		b := make([]byte, 16)
		for range 3 {
			b[v.IntN(16)] = byte(v.IntN(256))
		}
		b[6] = b[6]&0x0f | 0x10
		if t.Kind == codec.UUID {
			b[6] = b[6]&0x0f | []byte{0x00, 0x10, 0x10, 0x40, 0x70, 0xf0}[v.IntN(6)]
		}
		b[8] = b[8]&0x3f | 0x80
		return b
	case codec.Varint:
		return v.varint()
	case codec.Decimal:
		scale := int32(v.IntN(7) - 3)
		if v.IntN(10) == 0 {
			scale = []int32{math.MinInt32, math.MaxInt32, -1 << 20, 1 << 20}[v.IntN(4)]
		}
		return append(binary.BigEndian.AppendUint32(nil, uint32(scale)), v.varint()...)
	case codec.List:
		return v.collection(t, v.several(t.Elems[0]))
	case codec.Set, codec.Map:
		return v.collection(t, v.distinct(t.Elems[0]))
	case codec.Tuple, codec.UDT:
		var b []byte
		types := t.Elems
		for _, f := range t.Fields {
			types = append(types[:len(types):len(types)], f.Type)
		}
		if t.Kind == codec.UDT && v.IntN(3) == 0 {
			types = types[:1+v.IntN(len(types))] // as before the type got its last fields
		}
		for _, each := range types {
			b = v.part(b, each, true)
		}
		return b
	case codec.Vector:
		var b []byte
		for range t.Dim {
			e := v.of(t.Elems[0])
			if t.Elems[0].PackedLen() == 0 {
				b = append(b, byte(len(e)))
			}
			b = append(b, e...)
		}
		return b
	}
	panic(t.String())
}

func (v values) bytes(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = []byte{0, 1, 0x7f, 0x80, 0xff, byte(v.IntN(256))}[v.IntN(6)]
	}
	return b
}

func (v values) word(wide bool) string {
	letters := []string{"a", "b", "A", "~", "\x00"}
	if wide {
		letters = append(letters, "é", "ÿ", "😀", "\uffff")
	}
	var b strings.Builder
	for range v.IntN(4) {
		b.WriteString(letters[v.IntN(len(letters))])
	}
	return b.String()
}

func (v values) number(width int) []byte {
	b := v.bytes(width)
	if v.IntN(2) == 0 { // a small one
		for i := range width - 1 {
			b[i] = 0
		}
	}
	return b
}

func (v values) float() float64 {
	return []float64{0, math.Copysign(0, -1), 1, -1, math.NaN(), math.Inf(1), math.Inf(-1), v.NormFloat64(), v.NormFloat64() * 1e30}[v.IntN(9)]
}

// varint returns a number in two's complement, perhaps with bytes that only repeat its sign.
func (v values) varint() []byte {
	n := big.NewInt([]int64{0, 1, -1, 10, -10, 100, 1000, 127, 128, -128, -129, 255, 256, v.Int64(), -v.Int64()}[v.IntN(15)])
	if v.IntN(5) == 0 {
		n.Mul(n, big.NewInt(v.Int64()))
	}
	width := n.BitLen()/8 + 1
	if v.IntN(3) == 0 {
		width += v.IntN(3)
	}
	return new(big.Int).Add(n, new(big.Int).Lsh(big.NewInt(1), uint(8*width))).FillBytes(make([]byte, width+1))[1:]
}

func (v values) several(t *codec.Type) (all [][]byte) {
	for range v.IntN(4) {
		all = append(all, v.of(t))
	}
	return all
}

// distinct returns values in their order, as a server wants the elements of sets.
func (v values) distinct(t *codec.Type) [][]byte {
	compare, err := keyorder.Of(t)
	if err != nil {
		panic(err)
	}
	all := v.several(t)
	slices.SortFunc(all, compare)
	return slices.CompactFunc(all, func(a, b []byte) bool { return compare(a, b) == 0 })
}

func (v values) collection(t *codec.Type, elements [][]byte) []byte {
	b := binary.BigEndian.AppendUint32(nil, uint32(len(elements)))
	for _, e := range elements {
		b = append(binary.BigEndian.AppendUint32(b, uint32(len(e))), e...)
		if t.Kind == codec.Map {
			b = v.part(b, t.Elems[1], false)
		}
	}
	return b
}

func (v values) part(b []byte, t *codec.Type, null bool) []byte {
	if null && v.IntN(3) == 0 {
		return binary.BigEndian.AppendUint32(b, math.MaxUint32)
	}
	e := v.of(t)
	return append(binary.BigEndian.AppendUint32(b, uint32(len(e))), e...)
}

// clusteringTypes are types that clustering columns may have, and whether an empty value is one.
var clusteringTypes = map[string]bool{
	"ascii": true, "text": true, "blob": true, "boolean": true, "tinyint": false, "smallint": false, "int": true, "bigint": true,
	"timestamp": true, "date": false, "time": false, "float": true, "double": true, "inet": true, "uuid": true, "timeuuid": true,
	"varint": true, "decimal": true, "frozen<list<int>>": false, "frozen<list<text>>": false, "frozen<set<bigint>>": false,
	"frozen<set<decimal>>": false, "frozen<map<text, double>>": false, "frozen<map<int, frozen<set<timeuuid>>>>": false,
	"frozen<udt>": true, "frozen<list<frozen<udt>>>": false, "frozen<tuple<int, text, decimal>>": false,
	"vector<float, 2>": false, "vector<uuid, 2>": false, "vector<text, 2>": false, "vector<date, 2>": false, "vector<smallint, 1>": false,
	"vector<vector<int, 1>, 2>": false, "vector<frozen<set<int>>, 1>": false,
}

// The rows of a partition, with a clustering column of each type in both directions, are in the
// order that package keyorder says, and values of which it says that they are one are one row.
func TestRowsComeInTheOrderThatIsKnownForEachTypeAndDirection(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TYPE %s.udt (a int, b text, c decimal)", ks)
	n := 0
	for spelled, mayBeEmpty := range clusteringTypes {
		for _, direction := range []string{"ASC", "DESC"} {
			n++
			table := fmt.Sprintf("%s.t%d", ks, n)
			t.Run(spelled+" "+direction, func(t *testing.T) {
				typ, err := codec.Parse(spelled, func(string) (*codec.Type, error) {
					return &codec.Type{Kind: codec.UDT, Keyspace: ks, Name: "udt", Fields: []codec.Field{
						{Name: "a", Type: &codec.Type{Kind: codec.Int}}, {Name: "b", Type: &codec.Type{Kind: codec.Text}}, {Name: "c", Type: &codec.Type{Kind: codec.Decimal}},
					}}, nil
				})
				require.NoError(t, err)
				exec(t, session, "CREATE TABLE %s (p int, c %s, n int, PRIMARY KEY (p, c)) WITH CLUSTERING ORDER BY (c %s)", table, spelled, direction)
				all := insertRandom(t, session, table, typ, mayBeEmpty)
				compare, err := keyorder.Of(typ)
				require.NoError(t, err)
				inOrder := func(a, b []byte) int {
					if direction == "DESC" {
						return compare(b, a)
					}
					return compare(a, b)
				}
				var got [][]byte
				_, err = source.Query[rxcql.Row](session, "SELECT c FROM "+table+" WHERE p = 1", source.PageRows(7)).ForEach(t.Context(), func(r rxcql.Row) error {
					got = append(got, r.Clone().Bytes(0))
					return nil
				})
				require.NoError(t, err)
				for i := 1; i < len(got); i++ {
					require.Negative(t, inOrder(got[i-1], got[i]), "%x and %x", got[i-1], got[i])
				}
				slices.SortFunc(all, inOrder)
				all = slices.CompactFunc(all, func(a, b []byte) bool { return inOrder(a, b) == 0 })
				require.Len(t, got, len(all), "values that are one are one row")
				for i := range all {
					require.Zero(t, inOrder(all[i], got[i]))
				}
			})
		}
	}
}

// insertRandom inserts rows of random values, and returns those that the server took.
func insertRandom(t *testing.T, session *gocql.Session, table string, typ *codec.Type, mayBeEmpty bool) (all [][]byte) {
	random := values{rand.New(rand.NewPCG(uint64(len(table)), 9))}
	batch := session.NewBatch(gocql.UnloggedBatch)
	for i := range 150 {
		value := random.of(typ)
		if mayBeEmpty && i == 20 {
			value = []byte{}
		}
		all = append(all, value)
		if typ.Kind == codec.Tuple { // which the driver cannot bind to one marker
			var args []any
			for rest := value; len(rest) > 0; {
				length := int32(binary.BigEndian.Uint32(rest))
				if rest = rest[4:]; length < 0 {
					args = append(args, nil)
					continue
				}
				args = append(args, asSent(rest[:length]))
				rest = rest[length:]
			}
			batch.Query("INSERT INTO "+table+" (p, c, n) VALUES (1, (?, ?, ?), ?)", append(args, i)...)
		} else {
			batch.Query("INSERT INTO "+table+" (p, c, n) VALUES (1, ?, ?)", asSent(value), i)
		}
	}
	require.NoError(t, session.ExecuteBatch(batch), "values that the server refuses are none of the type")
	return all
}

// Rows of a table that is read by token ranges are in the order of package keyorder as a whole.
func TestRowsOfARangeComeInTheOrderThatIsKnown(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE %s.t (a int, b text, c decimal, d boolean, PRIMARY KEY ((a, b), c, d)) WITH CLUSTERING ORDER BY (c DESC, d ASC)", ks)
	for i := range 300 {
		require.NoError(t, session.Query("INSERT INTO "+ks+".t (a, b, c, d) VALUES (?, ?, ?, ?)", i%40, fmt.Sprint(i%3),
			asSent{0, 0, 0, byte(i % 5), byte(i)}, i%2 == 0).Exec())
	}
	order, err := keyorder.New(2, keyorder.Clustering{Name: "c", Type: &codec.Type{Kind: codec.Decimal}, Descending: true},
		keyorder.Clustering{Name: "d", Type: &codec.Type{Kind: codec.Boolean}})
	require.NoError(t, err)
	var last *keyorder.Key
	rows := 0
	_, err = source.Table[rxcql.Row](session, ks+".t", source.Columns("a", "b", "c", "d"), source.Splits(1)).ForEach(t.Context(), func(r rxcql.Row) error {
		r = r.Clone()
		key := &keyorder.Key{Cells: [][]byte{r.Bytes(0), r.Bytes(1), r.Bytes(2), r.Bytes(3)}}
		if last != nil {
			require.Equal(t, -1, cmp.Compare(order.Compare(last, key), 0))
		}
		last = key
		rows++
		return nil
	}, rxcql.WithWorkers(1))
	require.NoError(t, err)
	require.Greater(t, rows, 200)
}
