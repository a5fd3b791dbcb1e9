package transfer

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/ring"
)

// ErrTooDifferent: two tables differ in more rows than MaxCandidates.
var ErrTooDifferent = errors.New("transfer: the tables differ in too many rows")

// scanned is a line of the file that the first phase of a Diff writes: a row that differed, sums of
// the rows of a page, or what could not be read.
type scanned struct {
	Key    [][]byte `json:"k,omitempty"` // encoded; of static columns, the partition key alone
	Static bool     `json:"s,omitempty"`
	Left   string   `json:"l,omitempty"` // hash of what was there; empty for nothing
	Right  string   `json:"r,omitempty"`
	// Unsure: it may well be equal, see scanning.statics. Repeated: it may be in the file already.
	Unsure   bool `json:"u,omitempty"`
	Repeated bool `json:"a,omitempty"`

	Sums   *pageSums   `json:"sums,omitempty"`
	Unread *Difference `json:"unread,omitempty"` // a part of a table that could not be read
}

// pageSums are the sums of some rows of one of the ranges of RangeSum.
type pageSums struct {
	Range     int    `json:"i"`
	LeftRows  int64  `json:"l"`
	RightRows int64  `json:"r"`
	Left      uint64 `json:"ls,string"`
	Right     uint64 `json:"rs,string"`
}

// sumRanges is in how many ranges of tokens rows are summed up.
const sumRanges = 256

// sumRange returns the range of a token: all have as many tokens.
func sumRange(token int64) int {
	return int((uint64(token) ^ 1<<63) >> 56) //nolint:gosec // order is kept: the first token is 0
}

// sumTokens is the opposite of sumRange. The first token of a range belongs to it, and ranges of
// tokens are open at their beginning, so they begin one token before.
func sumTokens(i int) [2]int64 {
	first := func(i int) int64 { return int64(uint64(i)<<56 ^ 1<<63) } //nolint:gosec // as above
	r := [2]int64{first(i) - 1, first(i+1) - 1}
	if i == 0 {
		r[0] = flow.WholeRange.Start // no row has this token
	}
	if i == sumRanges-1 {
		r[1] = flow.WholeRange.End
	}
	return r
}

// scan is the operator of the first phase: of pairs it makes a line for each that differs, and
// lines of sums for each page. So all that goes on does so with the page that it came from, and a
// position in the tables and the length of the file say all that there is to say.
//
// Static columns come with every row of a partition and are compared once. Which partition was the
// last one is not saved: a run that goes on may give static columns once more, marked as Repeated.
func scan(in rxcql.Stream[rxcql.Pair[rxcql.Row, rxcql.Row]], c *comparison, found *atomic.Int64, most int64) rxcql.Stream[scanned] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "Compare"}, func(st *rxcql.Stage, out flow.Observer[scanned]) flow.Observer[rxcql.Pair[rxcql.Row, rxcql.Row]] {
		return &scanning{
			st: st, out: out, c: c, left: newView(c, false), right: newView(c, true),
			parts: map[flow.PartID]*scannedPart{}, found: found, most: most,
		}
	})
}

type scanning struct {
	st          *rxcql.Stage
	out         flow.Observer[scanned]
	c           *comparison
	left, right *view
	parts       map[flow.PartID]*scannedPart
	lines       []scanned     // reused from page to page
	found       *atomic.Int64 // candidates, of all runs
	most        int64
}

// scannedPart is what is known of a range that is being read.
type scannedPart struct {
	partition []byte // the key of the last partition, as the ring has it
	begun     bool   // there is one
	first     bool   // it is the first one that this run has seen
	static    bool   // its static columns are dealt with
	token     int64
	sumRange  int // that its token is in

	resumed bool    // an earlier run has begun the range
	torn    []int64 // tokens of partitions of which a part could not be read
}

func (s *scanning) Next(ctx context.Context, p *flow.Page[rxcql.Pair[rxcql.Row, rxcql.Row]]) error {
	if p.Range == flow.AllParts {
		return flow.HandOn(ctx, p, []scanned(nil), s.out)
	}
	part := s.parts[p.PartID()]
	if part == nil {
		part = &scannedPart{resumed: p.Page > 0}
		s.parts[p.PartID()] = part
	}
	if p.Last {
		delete(s.parts, p.PartID())
	}
	s.lines = s.lines[:0]
	sums := pageSums{Range: -1}
	for i := range p.Rows {
		s.pair(part, &p.Rows[i], &sums)
	}
	if n := len(p.Rows); n > 0 && !p.Last {
		s.pageEnds(part, &p.Rows[n-1])
	}
	s.addSums(&sums)
	if n := len(s.lines); n > 0 && s.found.Load() > s.most {
		return s.st.Fail(fmt.Errorf("%w: more than %d; copy the table first, or read more of them again with MaxCandidates", ErrTooDifferent, s.most))
	}
	err := flow.HandOn(ctx, p, s.lines, s.out)
	clear(s.lines)
	return err
}

func (s *scanning) Done(ctx context.Context, stopped bool) error { return s.out.Done(ctx, stopped) }

// pair compares one pair, and adds lines of what differs.
func (s *scanning) pair(part *scannedPart, pair *rxcql.Pair[rxcql.Row, rxcql.Row], sums *pageSums) {
	if pair.Unread != nil {
		s.unread(part, pair.Unread)
		return
	}
	if pair.HasLeft {
		s.left.of(pair.Left)
	}
	if pair.HasRight {
		s.right.of(pair.Right)
	}
	s.enter(part, pair, sums)
	if len(s.c.static) > 0 && !part.static {
		s.statics(part, pair)
	}
	left, right := pair.HasLeft && s.left.isRow(pair.Left), pair.HasRight && s.right.isRow(pair.Right)
	switch {
	case left && right && s.c.equal(s.left, s.right, pair.Left, pair.Right, false):
		h := s.left.hash(pair.Left, false)
		sums.LeftRows, sums.Left = sums.LeftRows+1, sums.Left+h
		sums.RightRows, sums.Right = sums.RightRows+1, sums.Right+h
		return
	case !left && !right:
		return
	}
	line := scanned{}
	if right {
		sums.RightRows, sums.Right = sums.RightRows+1, sums.Right+s.right.hash(pair.Right, false)
		line.Key, line.Right = s.right.keyOf(pair.Right), hashText(s.right.hashTimes(pair.Right, false))
	}
	if left {
		sums.LeftRows, sums.Left = sums.LeftRows+1, sums.Left+s.left.hash(pair.Left, false)
		line.Key, line.Left = s.left.keyOf(pair.Left), hashText(s.left.hashTimes(pair.Left, false))
	}
	s.add(line)
}

// enter turns to the partition of a pair.
func (s *scanning) enter(part *scannedPart, pair *rxcql.Pair[rxcql.Row, rxcql.Row], sums *pageSums) {
	row, v := pair.Left, s.left
	if !pair.HasLeft {
		row, v = pair.Right, s.right
	}
	if !part.begun || !v.inPartition(row, part.partition) {
		part.first = !part.begun
		part.partition, part.begun, part.static = v.partitionKey(part.partition[:0], row), true, false
		part.token = ring.Token(part.partition)
		part.sumRange = sumRange(part.token)
		part.torn = slices.DeleteFunc(part.torn, func(token int64) bool { return token < part.token })
	}
	if sums.Range != part.sumRange {
		s.addSums(sums)
		*sums = pageSums{Range: part.sumRange}
	}
}

func (s *scanning) add(line scanned) {
	s.lines = append(s.lines, line)
	s.found.Add(1)
}

func (s *scanning) addSums(sums *pageSums) {
	if sums.LeftRows+sums.RightRows > 0 {
		of := *sums
		s.lines = append(s.lines, scanned{Sums: &of})
	}
}

// hashText is never empty.
func hashText(h uint64) string { return strconv.FormatUint(h, 36) }

// partitionKey appends the partition key of a row as the ring has it: the bytes of a single column,
// and of several the length of each, its bytes and a zero.
func (v *view) partitionKey(dst []byte, row rxcql.Row) []byte {
	if v.c.partition == 1 {
		return append(dst, row.Bytes(v.key[0])...)
	}
	for _, at := range v.key[:v.c.partition] {
		cell := row.Bytes(at)
		dst = binary.BigEndian.AppendUint16(dst, uint16(len(cell))) //nolint:gosec // no key is longer
		dst = append(append(dst, cell...), 0)
	}
	return dst
}

// inPartition reports whether a row has the partition key that partitionKey made.
func (v *view) inPartition(row rxcql.Row, key []byte) bool {
	if v.c.partition == 1 {
		return bytes.Equal(row.Bytes(v.key[0]), key)
	}
	for _, at := range v.key[:v.c.partition] {
		cell := row.Bytes(at)
		n := len(cell)
		if len(key) < n+3 || int(binary.BigEndian.Uint16(key)) != n || !bytes.Equal(cell, key[2:2+n]) {
			return false
		}
		key = key[n+3:]
	}
	return len(key) == 0
}
