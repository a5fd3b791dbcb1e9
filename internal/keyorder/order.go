// Package keyorder is the order in which Cassandra gives rows: by token, by the bytes of the
// partition key, and by the clustering columns, each by the comparator of its type.
package keyorder

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/ring"
)

// Clustering is a clustering column.
type Clustering struct {
	Name       string
	Type       *codec.Type
	Descending bool
}

// Order is that of the rows of tables whose keys are alike. It belongs to one goroutine; Fork makes
// more of them.
type Order struct {
	partition  int // columns
	clustering []Comparator
	scratch    [2][]byte
}

// New returns the order of tables with a partition key of so many columns, and these clustering
// columns. The error names those whose order is not known.
func New(partition int, clustering ...Clustering) (*Order, error) {
	o := &Order{partition: partition}
	for _, c := range clustering {
		compare, err := Of(c.Type)
		if err != nil {
			return nil, fmt.Errorf("clustering column %q: %w", c.Name, err)
		}
		if c.Descending {
			ascending := compare
			compare = func(a, b []byte) int { return ascending(b, a) }
		}
		o.clustering = append(o.clustering, compare)
	}
	return o, nil
}

// Fork returns the same order for another goroutine.
func (o *Order) Fork() *Order { return &Order{partition: o.partition, clustering: o.clustering} }

// Columns returns how many columns a key has.
func (o *Order) Columns() int { return o.partition + len(o.clustering) }

// Key is the key of a row: the encoded values of the partition key and of the clustering columns. A
// clustering column is nil in the row of a partition that has static columns only.
type Key struct {
	Cells [][]byte
	token int64
	known bool // the token
}

// Compare returns the order of two keys: negative if a comes first, 0 if they are of one row. Of
// clustering columns, values may be one to the server although their bytes differ (decimal 1.0 and
// 1.00); of the partition key they may not. Compare notes the tokens that it has needed.
func (o *Order) Compare(a, b *Key) int {
	if !o.samePartition(a, b) {
		if order := cmp.Compare(o.token(a), o.token(b)); order != 0 {
			return order
		}
		return bytes.Compare(o.serialize(a, 0), o.serialize(b, 1))
	}
	switch {
	case a.known:
		b.token, b.known = a.token, true
	case b.known:
		a.token, a.known = b.token, true
	}
	for i, compare := range o.clustering {
		x, y := a.Cells[o.partition+i], b.Cells[o.partition+i]
		if x == nil || y == nil { // null comes first, in descending columns too
			if (x == nil) != (y == nil) {
				return cmp.Compare(present(x), present(y))
			}
			continue
		}
		if order := compare(x, y); order != 0 {
			return order
		}
	}
	return 0
}

func present(cell []byte) int {
	if cell == nil {
		return 0
	}
	return 1
}

func (o *Order) samePartition(a, b *Key) bool {
	for i := range o.partition {
		if !bytes.Equal(a.Cells[i], b.Cells[i]) {
			return false
		}
	}
	return true
}

// Token returns the token of a key. It needs the partition key alone.
func (o *Order) Token(k *Key) int64 { return o.token(k) }

func (o *Order) token(k *Key) int64 {
	if !k.known {
		k.token, k.known = ring.Token(o.serialize(k, 0)), true
	}
	return k.token
}

// serialize returns the partition key as the ring has it. The slice is valid until the next call
// with the same n.
func (o *Order) serialize(k *Key, n int) []byte {
	if o.partition == 1 {
		return k.Cells[0]
	}
	key := o.scratch[n][:0]
	for _, cell := range k.Cells[:o.partition] {
		key = binary.BigEndian.AppendUint16(key, uint16(len(cell))) //nolint:gosec // no key is longer
		key = append(append(key, cell...), 0)
	}
	o.scratch[n] = key
	return key
}
