package source_test

import (
	"encoding/binary"
	"math/bits"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/ring"
)

// keyOf gives a partition key of 16 bytes with the token that is wanted, a
// different one for each n: over one block Murmur3 is a permutation, so it can be
// run backwards from two halves that add up to the token.
func keyOf(token int64, n uint64) []byte {
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

func TestAKeyCanBeMadeForAnyToken(t *testing.T) {
	for _, token := range []int64{-1 << 63, -1<<63 + 1, -1, 0, 1, 1<<63 - 2, 1<<63 - 1} {
		if token == -1<<63 { // no row has it: the partitioner makes the other end of it
			require.Equal(t, int64(1<<63-1), ring.Token(keyOf(token, 7)))
			continue
		}
		require.Equal(t, token, ring.Token(keyOf(token, 7)))
		require.NotEqual(t, keyOf(token, 7), keyOf(token, 8))
	}
}
