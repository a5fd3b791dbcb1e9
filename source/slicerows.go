package source

import (
	"bytes"
	"slices"

	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/rows"
)

// slicedRows reads the rows of a slice, and keeps the key of the last one.
type slicedRows[T any] struct {
	keyed     keyedReader[T]
	partition int
	narrow    func(rows []T) // see narrowing; nil if there is nothing to take out

	one     bool     // all rows are to have one partition key
	key     [][]byte // that one, if it is known
	token   int64    // its token
	statics bool     // only rows of static columns alone are wanted
	last    [][]byte // the key of the last row of the page, a copy; nil if it has none
}

func newSlicedRows[T any](s *slicing, reader rows.Reader[T]) *slicedRows[T] {
	return &slicedRows[T]{keyed: keyedOf(s, reader), partition: s.partition, narrow: narrowing[T](s)}
}

// begin turns to a slice. key is the partition key of its rows; nil if that is not known.
func (r *slicedRows[T]) begin(s *slice, key [][]byte) {
	r.one, r.key, r.token, r.statics, r.last = s.inPartition(), key, s.tokens.End, s.statics, nil
}

// inPartition reports whether the slice is a part of a partition, so that its rows have one key.
func (s *slice) inPartition() bool { return len(s.equal) > 0 || s.low != nil || s.high != nil }

// Read reads a page, see rows.Reader.
func (r *slicedRows[T]) Read(p *driver.Page, to []T) ([]T, []rows.Undecoded, int64, error) {
	before := len(to)
	to, bad, size, err := r.keyed.Read(p, to)
	defer r.keyed.Drop()
	if err != nil {
		return to, bad, size, err
	}
	r.last = nil
	if !r.one && !r.statics && len(bad) == 0 { // only the last key matters
		return r.asTheyAre(to, before, size)
	}
	left, failed := to[:before], bad[:0]
	for i := before; i < len(to); i++ {
		key := r.keyed.At(i - before).Cells
		if key == nil {
			return to, bad, size, errNotAllKeys
		}
		undecoded := len(bad) > 0 && bad[0].Index == i // it has its place in the page
		if r.statics && slices.ContainsFunc(key[r.partition:], func(cell []byte) bool { return cell != nil }) {
			if undecoded {
				bad = bad[1:]
			}
			continue
		}
		if r.one && r.key == nil {
			r.key = keyCopy(key[:r.partition])
		}
		if r.one && !slices.EqualFunc(r.key, key[:r.partition], bytes.Equal) {
			return to, bad, size, &twoPartitionsError{r.token}
		}
		if undecoded {
			failed, bad = append(failed, bad[0]), bad[1:]
		} else {
			left = append(left, to[i])
		}
		if i == len(to)-1 || r.statics {
			r.last = keyCopy(key)
		}
	}
	clear(to[len(left):])
	if r.narrow != nil {
		r.narrow(left[before:])
	}
	return left, failed, size, nil
}

// asTheyAre ends Read of a page of which all rows behind before go on.
func (r *slicedRows[T]) asTheyAre(to []T, before int, size int64) ([]T, []rows.Undecoded, int64, error) {
	if n := len(to) - before; n > 0 {
		key := r.keyed.At(n - 1).Cells
		if key == nil {
			return to, nil, size, errNotAllKeys
		}
		r.last = keyCopy(key)
	}
	if r.narrow != nil {
		r.narrow(to[before:])
	}
	return to, nil, size, nil
}

func keyCopy(cells [][]byte) [][]byte {
	all := make([][]byte, len(cells))
	for i, cell := range cells {
		all[i] = bytes.Clone(cell) // nil stays nil
	}
	return all
}
