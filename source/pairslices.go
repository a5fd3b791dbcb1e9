package source

import (
	"bytes"
	"context"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/keyorder"
	"github.com/rxcql/rxcql/internal/schema"
)

// pairSlices is how one of two tables is read by slices. A nil one is of a table that is not: it
// has no holes. It belongs to one goroutine.
type pairSlices struct {
	*cutting
	table   string                      // "left" or "right"
	compare []keyorder.Comparator       // of the clustering columns, ascending
	pinned  map[string]*driver.Encoding // by statement

	ahead       *slicePlace // behind the page
	onlyStatics bool        // of the page, only rows of static columns alone are wanted
	holes       []slice     // that could not be read, and that rows of the other table may be in
	untold      []*rxcql.Unread
}

func newPairSlices[T any](s *side[T]) *pairSlices {
	c := &pairSlices{
		cutting: newCutting(s.pages.stage, s.pages.session, s.cfg, newSlicing(s.plan)),
		table:   s.name, pinned: map[string]*driver.Encoding{},
	}
	for _, column := range c.clustering {
		compare, _ := keyorder.Of(column.Type) // the two tables were found to be mergeable
		c.compare = append(c.compare, compare)
	}
	c.left = c.note
	return c
}

// begin turns to a range, from a place in it.
func (c *pairSlices) begin(span flow.TokenRange, from sidePlace) {
	c.onlyStatics, c.holes, c.untold = false, nil, nil
	switch {
	case from.over:
		c.ahead = &slicePlace{}
	case from.sliced != nil:
		c.ahead = from.sliced.clone()
	default:
		c.ahead = &slicePlace{slices: []slice{{tokens: span, state: from.state, begun: from.state != nil}}}
	}
}

// here returns the place behind the page.
func (c *pairSlices) here() sidePlace {
	if c.ahead.over() {
		return sidePlace{over: true}
	}
	return sidePlace{sliced: c.ahead.clone()}
}

// request returns the request for a slice, see sidePlan.request.
func (c *pairSlices) request(of *slice) driver.Statement {
	types := slices.Clone(tokenTypes)
	for i := range of.equal {
		types = append(types, c.clustering[i].Type)
	}
	for _, bound := range [][]byte{of.low, of.high} {
		if bound != nil {
			types = append(types, c.clustering[len(of.equal)].Type)
		}
	}
	st := c.statement(c.cfg, of)
	st.CQL = driver.Label(st.CQL, c.about.ID, types)
	if len(types) == len(tokenTypes) {
		st.Encoding = c.slicing.pinned
		return st
	}
	if st.Encoding = c.pinned[st.CQL]; st.Encoding == nil {
		st.Encoding = c.encoding(types)
		c.pinned[st.CQL] = st.Encoding
	}
	return st
}

func (c *pairSlices) encoding(types []*codec.Type) *driver.Encoding {
	return driver.NewEncoding(types, func(ctx context.Context) error { return schema.Unchanged(ctx, c.session, c.about) })
}

// read moves the place past a page of so many rows, with these keys, and of the next page's state.
func (c *pairSlices) read(rows int, keyOf func(int) keyorder.Key, next []byte) error {
	first := &c.ahead.slices[0]
	c.failures, c.onlyStatics = 0, first.statics
	one, key := first.inPartition(), c.keyOf(c.ahead, first)
	var last [][]byte
	from := 0
	if !one && !c.onlyStatics { // only the last key matters
		from = max(0, rows-1)
	}
	for i := from; i < rows; i++ {
		cells := keyOf(i).Cells
		switch {
		case cells == nil:
			return errNotAllKeys
		case c.onlyStatics && isRowKey(cells[c.partition:]):
			continue
		case one && key == nil:
			key = keyCopy(cells[:c.partition])
		case one && !slices.EqualFunc(key, cells[:c.partition], bytes.Equal):
			return &twoPartitionsError{first.tokens.End}
		}
		last = cells
	}
	if last != nil {
		c.ahead.last, first.begun = keyCopy(last), true
	}
	if first.state = next; next == nil {
		c.ahead.slices = c.ahead.slices[1:]
		c.skip(c.ahead)
	}
	return nil
}

// getSlice is get with AdaptiveSplits: of the next slice, or of a piece of it.
func (s *side[T]) getSlice(ctx context.Context, n, most int64) error {
	c := s.cuts
	for !c.ahead.over() {
		first := &c.ahead.slices[0]
		s.part.st = c.request(first)
		s.pages.hasty = first.cut && !c.atomic(first)
		s.place = sidePlace{sliced: c.ahead.clone()}
		got, err := s.pages.fetch(ctx, s.part, n, first.state, most)
		switch {
		case err != nil && ctx.Err() == nil && mayBeCut(err):
			if err := c.cutFirst(ctx, c.ahead, err); err != nil {
				return err
			}
			continue
		case err != nil:
			return err
		}
		if err := s.take(got); err != nil {
			return err
		}
		if err := c.read(len(s.rows), s.keyed.At, got.Next()); err != nil {
			return err
		}
		s.over = c.ahead.over()
		s.leaveOut()
		return nil
	}
	s.place, s.over = sidePlace{over: true}, true
	return nil
}

// leaveOut passes over rows that are not wanted: a slice of static columns alone has all rows of
// its partition.
func (s *side[T]) leaveOut() {
	for s.cuts != nil && s.cuts.onlyStatics && s.more() && isRowKey(s.key.Cells[s.cuts.partition:]) {
		s.forward()
	}
}
