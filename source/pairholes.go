package source

import (
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/keyorder"
)

// leftBefore takes the holes that earlier runs have left, and told of.
func (c *pairSlices) leftBefore(holes []slice) {
	if c != nil {
		c.holes = holes
	}
}

// note notes a slice that cannot be read.
func (c *pairSlices) note(_ *slicePlace, s slice, reason driver.Class) {
	c.holes = append(c.holes, s)
	c.untold = append(c.untold, &rxcql.Unread{
		Stage: c.stage.Name(), Table: c.table, Tokens: s.tokens, Range: s.tokens.String(), Within: c.within(&s), Reason: reason.String(),
	})
}

// tell returns the holes that have come since the last call.
func (c *pairSlices) tell() (parts []*rxcql.Unread) {
	if c == nil {
		return nil
	}
	parts, c.untold = c.untold, nil
	return parts
}

// open returns the holes that rows of the other table may still be in.
func (c *pairSlices) open() []slice {
	if c == nil {
		return nil
	}
	return c.holes
}

// covers reports whether a row with a key may be in one of the holes.
func (c *pairSlices) covers(key *keyorder.Key) bool {
	if c == nil || len(c.holes) == 0 {
		return false
	}
	token := c.order.Token(key)
	return slices.ContainsFunc(c.holes, func(hole slice) bool {
		return token > hole.tokens.Start && token <= hole.tokens.End && c.has(&hole, key.Cells[c.partition:])
	})
}

// has reports whether a slice has a row with these clustering columns, if it has its token.
func (c *pairSlices) has(s *slice, values [][]byte) bool {
	switch {
	case s.statics:
		return !isRowKey(values)
	case !s.inPartition():
		return true
	case !isRowKey(values):
		return false
	}
	for i, value := range s.equal {
		if c.compare[i](values[i], value) != 0 {
			return false
		}
	}
	if next := len(s.equal); s.low != nil || s.high != nil {
		if s.low != nil && c.compare[next](values[next], s.low) <= 0 {
			return false
		}
		if s.high != nil {
			order := c.compare[next](values[next], s.high)
			return order < 0 || order == 0 && !s.open
		}
	}
	return true
}

// isRowKey reports whether the clustering columns are those of a row, and not of a partition that
// has static columns only.
func isRowKey(clustering [][]byte) bool {
	return len(clustering) == 0 || slices.ContainsFunc(clustering, func(cell []byte) bool { return cell != nil })
}

// passed forgets holes that no row of the other table can be in once a pair with this key was
// handed on: those in partitions before it.
func (c *pairSlices) passed(key *keyorder.Key) {
	if c == nil || len(c.holes) == 0 {
		return
	}
	token := c.order.Token(key)
	c.holes = slices.DeleteFunc(slices.Clone(c.holes), func(hole slice) bool { return hole.tokens.End < token })
}

// tell adds a pair for each part of a table that could not be read.
func (m *merging[L, R]) tell(page *fetched[rxcql.Pair[L, R]]) {
	for _, cuts := range []*pairSlices{m.left.cuts, m.right.cuts} {
		for _, part := range cuts.tell() {
			page.rows = append(page.rows, rxcql.Pair[L, R]{Unread: part})
		}
	}
}
