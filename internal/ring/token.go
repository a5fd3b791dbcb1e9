package ring

import (
	"encoding/binary"
	"math"
	"math/bits"
)

const (
	mix1 = 0x87c37b91114253d5
	mix2 = 0x4cf5ad432745937f
)

// Token gives the token of a serialised partition key, as Cassandra's
// Murmur3Partitioner does: the first half of MurmurHash3 x64 128, with the
// bytes of an incomplete last block taken as signed (a slip in Cassandra's
// first version that is now part of every cluster's data). A hash of -2^63
// becomes 2^63-1, and an empty key has the token -2^63, but is no legal key.
//
// A key of one column is that column's bytes; a key of several is, for each,
// its length in two bytes, its bytes and a zero byte.
func Token(key []byte) int64 {
	if len(key) == 0 {
		return math.MinInt64
	}
	if h := int64(murmur3(key)); h != math.MinInt64 {
		return h
	}
	return math.MaxInt64
}

func murmur3(key []byte) uint64 {
	var h1, h2 uint64
	tail := key
	for len(tail) >= 16 {
		h1 ^= scramble1(binary.LittleEndian.Uint64(tail))
		h1 = (bits.RotateLeft64(h1, 27)+h2)*5 + 0x52dce729
		h2 ^= scramble2(binary.LittleEndian.Uint64(tail[8:]))
		h2 = (bits.RotateLeft64(h2, 31)+h1)*5 + 0x38495ab5
		tail = tail[16:]
	}
	if len(tail) > 8 {
		h2 ^= scramble2(signed(tail[8:]))
		tail = tail[:8]
	}
	h1 ^= scramble1(signed(tail)) // of nothing this is zero

	h1 ^= uint64(len(key))
	h2 ^= uint64(len(key))
	h1 += h2
	h2 += h1
	return finish(h1) + finish(h2)
}

// signed folds up to eight bytes, each extended by its sign.
func signed(tail []byte) (k uint64) {
	for i, b := range tail {
		k ^= uint64(int64(int8(b))) << (8 * i)
	}
	return k
}

func scramble1(k uint64) uint64 { return bits.RotateLeft64(k*mix1, 31) * mix2 }

func scramble2(k uint64) uint64 { return bits.RotateLeft64(k*mix2, 33) * mix1 }

func finish(h uint64) uint64 {
	h = (h ^ h>>33) * 0xff51afd7ed558ccd
	h = (h ^ h>>33) * 0xc4ceb9fe1a85ec53
	return h ^ h>>33
}
