package transfer_test

import (
	"bytes"
	"encoding/binary"
	"testing"

	"github.com/cespare/xxhash/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/transfer"
)

// Hashes are in folders that earlier versions wrote: a diff that goes on compares them with its
// own.
func TestAHashOfCellsIsThatOfTheirLengthsAndBytesWhateverTheirSizes(t *testing.T) {
	hash := transfer.NewCellHash()
	size := rapid.OneOf(rapid.IntRange(0, 20), rapid.IntRange(990, 1040), rapid.Just(5000))
	rapid.Check(t, func(t *rapid.T) {
		hash.Reset()
		var all []byte
		for i, n := range rapid.SliceOfN(size, 0, 12).Draw(t, "sizes") {
			if n == 0 && rapid.Bool().Draw(t, "null") {
				hash.Add(nil)
				all = append(all, 0)
			} else {
				cell := bytes.Repeat([]byte{byte(i + 1)}, n)
				hash.Add(cell)
				all = append(binary.AppendUvarint(all, uint64(n+1)), cell...)
			}
			if rapid.Bool().Draw(t, "ask") {
				require.Equal(t, xxhash.Sum64(all), hash.Sum())
			}
		}
		require.Equal(t, xxhash.Sum64(all), hash.Sum())
	})
}

func TestTheHashOfARowIsThatOfEarlierVersions(t *testing.T) {
	hash := transfer.NewCellHash()
	for _, cell := range [][]byte{{0, 0, 0, 7}, []byte("a"), {}, nil} {
		hash.Add(cell)
	}
	require.Equal(t, xxhash.Sum64([]byte{5, 0, 0, 0, 7, 2, 'a', 1, 0}), hash.Sum())
}
