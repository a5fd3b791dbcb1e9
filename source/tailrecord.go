package source

import (
	"cmp"
	"encoding/binary"
	"slices"
)

// seenRecord gathers rows of one partition for a record.
type seenRecord struct {
	rows    []byte
	n       int
	arrived int64 // of the last one
}

func (s *seenRecord) add(hash rowHash, row seenRow) {
	s.rows = binary.AppendVarint(append(s.rows, hash[:]...), row.arrived-s.arrived)
	s.rows = binary.AppendUvarint(s.rows, row.content)
	s.n++
	s.arrived = row.arrived
}

// appendTo writes the record, if there are rows, and forgets them.
func (s *seenRecord) appendTo(to []byte, of tailPartition) []byte {
	if s.n > 0 {
		to = binary.AppendUvarint(appendPartition(to, recordSeen, of), uint64(s.n)) //nolint:gosec // not negative
		to = append(to, s.rows...)
	}
	s.drop()
	return to
}

func (s *seenRecord) drop() { *s = seenRecord{rows: s.rows[:0]} }

// inOrder returns the rows in the order of their arrival, so that a record of them is short.
func (s seenRows) inOrder() []tailRow {
	rows := make([]tailRow, 0, len(s))
	for hash, row := range s {
		rows = append(rows, tailRow{hash, row})
	}
	slices.SortFunc(rows, func(a, b tailRow) int { return cmp.Compare(a.arrived, b.arrived) })
	return rows
}
