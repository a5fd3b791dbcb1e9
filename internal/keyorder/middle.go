package keyorder

import (
	"encoding/binary"
	"math"
	"math/big"

	"github.com/rxcql/rxcql/internal/codec"
)

// Middle returns an encoded value between two others of a type, greater than low and less than
// high, so that the values greater than low fall into two parts: up to the middle, and beyond it.
// nil stands for no bound. It returns nil if there is no such value, or the type is one that it
// does not know: inet, decimal, and types that consist of others.
//
// Whoever cuts rows at the middle need not rely on it: each value is at or before it, or beyond it,
// by the order of the server. If the middle is badly placed, one part has all rows, and that is
// all.
func Middle(t *codec.Type, low, high []byte) []byte {
	switch t.Kind {
	case codec.Tinyint, codec.Smallint, codec.Int, codec.Bigint, codec.Timestamp,
		codec.Date, codec.Time, codec.Boolean, codec.Float, codec.Double:
		return middleOfNumbers(t.Kind, low, high)
	case codec.Ascii, codec.Text, codec.Blob:
		return middleOfTexts(t.Kind, low, high)
	case codec.UUID:
		return middleOfUUIDs(low, high)
	case codec.Timeuuid:
		return middleOfTimeUUIDs(low, high)
	case codec.Varint:
		return middleOfVarints(low, high)
	}
	return nil
}

// between returns a number about halfway between two bounds, neither of them; false if there is
// none. Without a low bound 0 is possible, without a high one most is no use: nothing is beyond it.
func between(low, high *uint64, most uint64) (uint64, bool) {
	from, to := uint64(0), most
	if low != nil {
		if *low >= most {
			return 0, false
		}
		from = *low + 1
	}
	if high != nil {
		to = min(to, *high)
	}
	if from >= to {
		return 0, false
	}
	to-- // it is less than the bound
	return from + (to-from)/2, true
}

// width is the length of a number, and the most that it can be as an unsigned one in order.
var widths = map[codec.Kind]struct {
	bytes int
	most  uint64
}{
	codec.Tinyint: {1, math.MaxUint8}, codec.Smallint: {2, math.MaxUint16}, codec.Int: {4, math.MaxUint32},
	codec.Bigint: {8, math.MaxUint64}, codec.Timestamp: {8, math.MaxUint64}, codec.Date: {4, math.MaxUint32},
	codec.Time: {8, 24*60*60*1e9 - 1}, codec.Boolean: {1, 1}, codec.Float: {4, math.MaxUint32}, codec.Double: {8, math.MaxUint64},
}

func middleOfNumbers(kind codec.Kind, low, high []byte) []byte {
	w := widths[kind]
	from, ok1 := inOrder(kind, w.bytes, low)
	to, ok2 := inOrder(kind, w.bytes, high)
	if !ok1 || !ok2 {
		return nil
	}
	n, found := between(from, to, w.most)
	if !found {
		return nil
	}
	b := binary.BigEndian.AppendUint64(nil, turned(kind, w.bytes, n, false))
	return b[8-w.bytes:]
}

// inOrder returns a value as a number such that greater values have greater numbers; nil for no
// bound. It reports false if the value is not of the type's length.
func inOrder(kind codec.Kind, bytes int, value []byte) (*uint64, bool) {
	if value == nil {
		return nil, true
	}
	if len(value) != bytes {
		return nil, false
	}
	var n uint64
	for _, b := range value {
		n = n<<8 | uint64(b)
	}
	n = turned(kind, bytes, n, true)
	return &n, true
}

// turned makes a number of the bits of a value that is in its order, or the bits of the number.
func turned(kind codec.Kind, bytes int, n uint64, order bool) uint64 {
	sign := uint64(1) << (8*bytes - 1)
	all := sign<<1 - 1 // of eight bytes too
	switch kind {
	case codec.Date, codec.Time, codec.Boolean:
		return n
	case codec.Float, codec.Double: // of negative ones the greater bits are less
		if negative := n&sign != 0; negative == order {
			return ^n & all
		}
	}
	return n ^ sign
}

// middleOfUUIDs takes the version for the first digit, as the server does. Of version 1 the server
// compares the time; then the middle is not halfway.
func middleOfUUIDs(low, high []byte) []byte {
	from, to := big.NewInt(-1), new(big.Int).Lsh(big.NewInt(1), 128)
	for _, bound := range []struct {
		value []byte
		set   *big.Int
	}{{low, from}, {high, to}} {
		switch len(bound.value) {
		case 16:
			bound.set.SetBytes(versionFirst(bound.value))
		default:
			if bound.value != nil {
				return nil
			}
		}
	}
	mid := halfway(from, to)
	if mid == nil {
		return nil
	}
	return versionBack(mid.FillBytes(make([]byte, 16)))
}

// versionNibble is where a UUID has its version.
const versionNibble = 12

func versionFirst(uuid []byte) []byte { return moveNibble(uuid, versionNibble, 0) }

func versionBack(b []byte) []byte { return moveNibble(b, 0, versionNibble) }

// moveNibble moves a half of a byte to another place, and those between by one.
func moveNibble(b []byte, from, to int) []byte {
	nibbles := make([]byte, 0, 2*len(b))
	for _, each := range b {
		nibbles = append(nibbles, each>>4, each&15)
	}
	moved := nibbles[from]
	if from < to {
		copy(nibbles[from:to], nibbles[from+1:to+1])
	} else {
		copy(nibbles[to+1:from+1], nibbles[to:from])
	}
	nibbles[to] = moved
	out := make([]byte, len(b))
	for i := range out {
		out[i] = nibbles[2*i]<<4 | nibbles[2*i+1]
	}
	return out
}

// middleOfTimeUUIDs is that of their times. Of one time it has all UUIDs on one side.
func middleOfTimeUUIDs(low, high []byte) []byte {
	from, ok1 := timeOf(low)
	to, ok2 := timeOf(high)
	if !ok1 || !ok2 {
		return nil
	}
	t, found := between(from, to, 1<<60-1)
	if !found {
		return nil
	}
	b := binary.BigEndian.AppendUint32(nil, uint32(t))             //nolint:gosec // its low bits
	b = binary.BigEndian.AppendUint16(b, uint16(t>>32))            //nolint:gosec // likewise
	b = binary.BigEndian.AppendUint16(b, uint16(t>>48)|1<<12)      //nolint:gosec // version 1
	return binary.BigEndian.AppendUint64(b, 0x7f7f_7f7f_7f7f_7f7f) // the greatest, since bytes have a sign there
}

func timeOf(uuid []byte) (*uint64, bool) {
	switch {
	case uuid == nil:
		return nil, true
	case len(uuid) != 16:
		return nil, false
	}
	t := uint64(binary.BigEndian.Uint32(uuid)) | uint64(binary.BigEndian.Uint16(uuid[4:]))<<32 |
		uint64(binary.BigEndian.Uint16(uuid[6:])&0xfff)<<48
	return &t, true
}

// halfway returns the number halfway between two, nil if there is none between them.
func halfway(low, high *big.Int) *big.Int {
	mid := new(big.Int).Add(low, high)
	mid.Rsh(mid, 1)
	if mid.Cmp(low) <= 0 || mid.Cmp(high) >= 0 {
		return nil
	}
	return mid
}

// middleOfVarints doubles the bound that there is if there is only one, or goes on from 0.
func middleOfVarints(low, high []byte) []byte {
	if low != nil && len(low) == 0 || high != nil && len(high) == 0 {
		return nil
	}
	mid := new(big.Int)
	switch one := big.NewInt(1); {
	case low != nil && high != nil:
		if mid = halfway(varint(low), varint(high)); mid == nil {
			return nil
		}
	case low != nil:
		if mid = varint(low); mid.Sign() >= 0 {
			mid.Add(mid.Lsh(mid, 1), one)
		} else {
			mid.SetInt64(0)
		}
	case high != nil:
		if mid = varint(high); mid.Sign() <= 0 {
			mid.Sub(mid.Lsh(mid, 1), one)
		} else {
			mid.SetInt64(0)
		}
	}
	return appendVarint(mid)
}

func varint(b []byte) *big.Int {
	v := magnitude(b)
	if negative(b) {
		v.Neg(v)
	}
	return v
}

// appendVarint writes two's complement, with a byte for the sign where one is needed.
func appendVarint(v *big.Int) []byte {
	if v.Sign() >= 0 {
		b := v.Bytes()
		if len(b) == 0 || b[0] >= 0x80 {
			b = append([]byte{0}, b...)
		}
		return b
	}
	bytes := v.BitLen()/8 + 1
	v = new(big.Int).Add(v, new(big.Int).Lsh(big.NewInt(1), uint(8*bytes))) //nolint:gosec // positive
	return v.FillBytes(make([]byte, bytes))
}
