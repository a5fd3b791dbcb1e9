// Package ringtest makes partition keys of any token, for tests.
package ringtest

import (
	"encoding/binary"
	"math/bits"
)

// KeyOf returns a partition key of 16 bytes that has the token, a different one for each n. Over
// one block Murmur3 is a permutation, so it can be run backwards from two halves that add up to the
// token.
func KeyOf(token int64, n uint64) []byte {
	a, b := unfinish(n), unfinish(uint64(token)-n)
	h2 := b - a
	h1 := (a - h2) ^ 16
	h2 ^= 16
	k2 := bits.RotateLeft64((h2-0x38495ab5)*inverse(5)-h1, -31)
	k1 := bits.RotateLeft64((h1-0x52dce729)*inverse(5), -27)
	k1 = bits.RotateLeft64(k1*inverse(mix2), -31) * inverse(mix1)
	k2 = bits.RotateLeft64(k2*inverse(mix1), -33) * inverse(mix2)
	return binary.LittleEndian.AppendUint64(binary.LittleEndian.AppendUint64(nil, k1), k2)
}

const (
	mix1 = 0x87c37b91114253d5
	mix2 = 0x4cf5ad432745937f
)

func unfinish(h uint64) uint64 {
	h = (h ^ h>>33) * inverse(0xc4ceb9fe1a85ec53)
	h = (h ^ h>>33) * inverse(0xff51afd7ed558ccd)
	return h ^ h>>33
}

// inverse is the number by which an odd one makes 1, modulo 2^64.
func inverse(odd uint64) uint64 {
	x := odd
	for range 6 { // Newton's: each step doubles the bits that are right
		x *= 2 - odd*x
	}
	return x
}
