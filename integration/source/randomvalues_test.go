package source_test

import (
	"encoding/binary"
	"math"
	"math/big"
	"math/rand/v2"
	"slices"
	"strings"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/keyorder"
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
