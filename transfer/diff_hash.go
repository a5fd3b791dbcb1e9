package transfer

import (
	"encoding/binary"

	"github.com/cespare/xxhash/v2"
)

// cellHash is the hash of cells: XXH64 of all their bytes, before each cell its length, plus one
// and as a varint, and 0 for null. Folders of a Diff have such hashes, so it must stay as it is.
//
// Most rows are small. Their cells are gathered and hashed at once, which is quicker than handing
// the digest each by itself.
type cellHash struct {
	digest   *xxhash.Digest
	digested bool   // digest has what came before pending
	pending  []byte // at most smallRow bytes
}

const smallRow = 1 << 10

func newCellHash() *cellHash {
	return &cellHash{digest: xxhash.New(), pending: make([]byte, 0, smallRow)}
}

// reset begins anew.
func (h *cellHash) reset() { h.digested, h.pending = false, h.pending[:0] }

// add adds a cell; nil is null.
func (h *cellHash) add(cell []byte) {
	n := 0
	if cell != nil {
		n = len(cell) + 1
	}
	if len(h.pending)+binary.MaxVarintLen64+len(cell) > smallRow {
		h.flush()
	}
	h.pending = binary.AppendUvarint(h.pending, uint64(n)) //nolint:gosec // not negative
	if len(h.pending)+len(cell) <= smallRow {
		h.pending = append(h.pending, cell...)
		return
	}
	h.flush()
	_, _ = h.digest.Write(cell)
}

// flush hands the digest what is pending.
func (h *cellHash) flush() {
	if !h.digested {
		h.digest.Reset()
		h.digested = true
	}
	_, _ = h.digest.Write(h.pending)
	h.pending = h.pending[:0]
}

// sum returns the hash of the cells since reset. More may be added after it.
func (h *cellHash) sum() uint64 {
	if !h.digested {
		return xxhash.Sum64(h.pending)
	}
	h.flush()
	return h.digest.Sum64()
}
