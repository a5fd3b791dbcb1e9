package keyorder

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"math/big"
)

// compareVarint compares by value: bytes in front that only repeat the sign do not count.
func compareVarint(a, b []byte) int {
	if len(a) == 0 || len(b) == 0 {
		return cmp.Compare(len(a), len(b))
	}
	a, b = shortest(a), shortest(b)
	switch {
	case negative(a) != negative(b):
		return cmp.Compare(int8(a[0]), int8(b[0]))
	case len(a) != len(b) && negative(a):
		return cmp.Compare(len(b), len(a))
	case len(a) != len(b):
		return cmp.Compare(len(a), len(b))
	}
	return bytes.Compare(a, b) // of one sign and length, two's complement is in order
}

func negative(b []byte) bool { return b[0] >= 0x80 }

// shortest returns the bytes of an integer without those that only repeat its sign.
func shortest(b []byte) []byte {
	for len(b) > 1 && (b[0] == 0 && b[1] < 0x80 || b[0] == 0xff && b[1] >= 0x80) {
		b = b[1:]
	}
	return b
}

// compareDecimal compares by value: 1.0 and 1.00 are one. A decimal is the number of its digits
// behind the point, in four bytes, and a varint.
func compareDecimal(a, b []byte) int {
	if len(a) <= 4 || len(b) <= 4 {
		return cmp.Or(cmp.Compare(len(a), len(b)), bytes.Compare(a, b))
	}
	scaleA, scaleB := int64(int32(binary.BigEndian.Uint32(a))), int64(int32(binary.BigEndian.Uint32(b)))
	if a, b = shortest(a[4:]), shortest(b[4:]); scaleA == scaleB {
		return compareVarint(a, b)
	}
	if order := cmp.Compare(sign(a), sign(b)); order != 0 || sign(a) == 0 {
		return order
	}
	x, y := magnitude(a), magnitude(b)
	digitsX, digitsY := digits(x), digits(y)
	order := cmp.Compare(digitsX-scaleA, digitsY-scaleB)
	if order == 0 { // of one size, so the scales differ by no more than the digits do
		if scaleA < scaleB {
			x.Mul(x, power(scaleB-scaleA))
		} else {
			y.Mul(y, power(scaleA-scaleB))
		}
		order = x.Cmp(y)
	}
	return order * sign(a)
}

// sign is that of an integer without bytes that only repeat it.
func sign(b []byte) int {
	switch {
	case negative(b):
		return -1
	case len(b) == 1 && b[0] == 0:
		return 0
	}
	return 1
}

// magnitude returns the absolute value of an integer.
func magnitude(b []byte) *big.Int {
	v := new(big.Int).SetBytes(b)
	if negative(b) {
		v.Sub(new(big.Int).Lsh(big.NewInt(1), uint(8*len(b))), v)
	}
	return v
}

// digits returns how many decimal digits a positive number has.
func digits(v *big.Int) int64 { return int64(len(v.Append(nil, 10))) }

func power(n int64) *big.Int { return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil) }
