package transfer

import (
	"slices"

	"github.com/rxcql/rxcql"
)

// statics compares the static columns of a partition, as soon as a pair says enough of them. If it
// has a row of one side only, and that has static values, the other side may have the same ones in
// a row that is still to come: they are read again to be sure. So they are where a part of the
// partition could not be read, since the other side's rows there, and their static values, do not
// come.
func (s *scanning) statics(part *scannedPart, pair *rxcql.Pair[rxcql.Row, rxcql.Row]) {
	line := scanned{Static: true, Repeated: part.first}
	switch {
	case pair.Both():
		part.static = true
		if s.c.equal(s.left, s.right, pair.Left, pair.Right, true) {
			return
		}
		line.Left, line.Right = hashText(s.left.hashTimes(pair.Left, true)), hashText(s.right.hashTimes(pair.Right, true))
	case pair.HasLeft && s.left.hasStatics(pair.Left):
		line.Unsure, line.Left = true, hashText(s.left.hashTimes(pair.Left, true))
	case pair.HasRight && s.right.hasStatics(pair.Right):
		line.Unsure, line.Right = true, hashText(s.right.hashTimes(pair.Right, true))
	case part.isTorn():
		line.Unsure = true
	default:
		return
	}
	s.addStatics(part, pair, line)
}

func (s *scanning) addStatics(part *scannedPart, pair *rxcql.Pair[rxcql.Row, rxcql.Row], line scanned) {
	part.static = true
	row, v := pair.Left, s.left
	if !pair.HasLeft {
		row, v = pair.Right, s.right
	}
	line.Key = v.keyOf(row)[:s.c.partition]
	s.add(line)
}

// isTorn reports whether a part of the partition could not be read. What an earlier run was told is
// not known, so in a range that it has begun that may be so anywhere.
func (p *scannedPart) isTorn() bool { return p.resumed || slices.Contains(p.torn, p.token) }

// pageEnds has static columns read again of which nothing is known at the end of a page. The next
// page may say that the rest of the partition cannot be read, and may be one of another run.
func (s *scanning) pageEnds(part *scannedPart, last *rxcql.Pair[rxcql.Row, rxcql.Row]) {
	if last.Unread == nil && len(s.c.static) > 0 && !part.static {
		s.addStatics(part, last, scanned{Static: true, Repeated: part.first, Unsure: true})
	}
}
