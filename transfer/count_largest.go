package transfer

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
)

// countPartition is a partition: the values of its key as received, and what it has. One without
// rows has static columns only.
type countPartition struct {
	Key   [][]byte `json:"key"`
	Rows  int64    `json:"rows"`
	Bytes int64    `json:"bytes"`
}

// has reports whether a row is of the partition.
func (p *countPartition) has(row rxcql.Row) bool {
	for i, cell := range p.Key {
		if !bytes.Equal(cell, row.Bytes(i)) {
			return false
		}
	}
	return true
}

// is reports whether the partition has a key.
func (p *countPartition) is(key [][]byte) bool { return slices.EqualFunc(p.Key, key, bytes.Equal) }

// clone returns a copy that does not refer to a page.
func (p *countPartition) clone() countPartition {
	kept := countPartition{Rows: p.Rows, Bytes: p.Bytes, Key: make([][]byte, len(p.Key))}
	for i, cell := range p.Key {
		kept.Key[i] = bytes.Clone(cell)
	}
	return kept
}

// largest are the largest partitions so far, the largest first.
type largest struct {
	ByRows  []countPartition `json:"rows"`
	ByBytes []countPartition `json:"bytes"`
}

func (l *largest) clone() largest {
	return largest{ByRows: slices.Clone(l.ByRows), ByBytes: slices.Clone(l.ByBytes)}
}

// keep keeps a partition if it is one of the largest. again says that a part of it was counted, and
// may be kept, already.
func (l *largest) keep(p *countPartition, again bool, cfg *countConfig) {
	if cfg.largest == 0 {
		return
	}
	l.ByRows = kept(l.ByRows, p, again, cfg.largest, func(p *countPartition) int64 { return p.Rows })
	if cfg.sizes {
		l.ByBytes = kept(l.ByBytes, p, again, cfg.largest, func(p *countPartition) int64 { return p.Bytes })
	}
}

// kept puts a partition into its place in a list of the largest. Of equal ones, those with the
// smaller key come first, so that the list is the same in whatever order the ranges are read.
func kept(list []countPartition, p *countPartition, again bool, most int, size func(*countPartition) int64) []countPartition {
	if again { // a part of a partition is no larger than all of it, so it has pushed out no other one
		list = slices.DeleteFunc(list, func(part countPartition) bool { return part.is(p.Key) })
	}
	before := func(a, b *countPartition) int {
		return cmp.Or(cmp.Compare(size(b), size(a)), slices.CompareFunc(a.Key, b.Key, bytes.Compare))
	}
	if len(list) == most && before(p, &list[len(list)-1]) > 0 {
		return list
	}
	at, _ := slices.BinarySearchFunc(list, p, func(a countPartition, p *countPartition) int { return before(&a, p) })
	if len(list) == most {
		list = list[:len(list)-1]
	}
	return slices.Insert(list, at, p.clone())
}

// named writes the keys of partitions as text.
func (t *tallies) named(list []countPartition) (out []CountPartition) {
	for _, p := range list {
		named := CountPartition{Rows: p.Rows, Bytes: p.Bytes}
		for i, cell := range p.Key {
			text, err := codec.AppendText(nil, t.key[i].Type, cell)
			if err != nil {
				text = []byte("(cannot be decoded)")
			}
			named.Key = append(named.Key, string(text))
		}
		out = append(out, named)
	}
	return out
}
