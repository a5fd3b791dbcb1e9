package transfer

import (
	"bytes"
	"context"
	"encoding/json"
	"sync/atomic"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/option"
	"github.com/rxcql/rxcql/internal/schema"
)

// SumRange and SumTokens are sumRange and sumTokens.
var (
	SumRange  = sumRange
	SumTokens = sumTokens
)

// SumRanges is sumRanges.
const SumRanges = sumRanges

// Scanned and Candidate are scanned and candidate.
type (
	Scanned   = scanned
	Candidate = candidate
)

// Comparison compares rows of two tables without a server.
type Comparison struct {
	c    *comparison
	v    viewPair
	most int64
}

// NewComparison matches the columns of two tables.
func NewComparison(left, right *schema.Table, times bool, opts ...CompareOption) (*Comparison, error) {
	cfg := newDiffConfig()
	if err := option.Apply(opts, &cfg, func(o CompareOption, c *diffConfig) error { return o.applyDiff(c) }); err != nil {
		return nil, err
	}
	c, err := newComparison(left, right, cfg.compareConfig, times)
	if err != nil {
		return nil, err
	}
	return &Comparison{c, viewPair{newView(c, false), newView(c, true)}, DefaultMaxCandidates}, nil
}

// Scan is scan.
func (c *Comparison) Scan(in rxcql.Stream[rxcql.Pair[rxcql.Row, rxcql.Row]], most int64) rxcql.Stream[Scanned] {
	return scan(in, c.c, new(atomic.Int64), most)
}

// Differences says how two rows differ.
func (c *Comparison) Differences(l, r rxcql.Row) (Cause, []ColumnDifference) {
	c.v.left.of(l)
	c.v.right.of(r)
	return c.c.differences(c.v.left, c.v.right, l, r, false)
}

// Equal reports whether two rows are equal, as the first phase sees it.
func (c *Comparison) Equal(l, r rxcql.Row) bool {
	c.v.left.of(l)
	c.v.right.of(r)
	return c.c.equal(c.v.left, c.v.right, l, r, false)
}

// Decided says what Repair would write about two rows, as a row, and how many deletions.
func (c *Comparison) Decided(l, r rxcql.Row, opts ...RepairOption) (row rxcql.Row, writes, deletions int, err error) {
	cfg := repairConfig{compareConfig: c.c.compareConfig}
	if err := option.Apply(opts, &cfg, RepairOption.applyRepair); err != nil {
		return row, 0, 0, err
	}
	s := seen{left: l, right: r, hasLeft: true, hasRight: true}
	c.v.left.of(l)
	c.v.right.of(r)
	c.c.compare(&c.v, &s, false)
	what := c.c.decide(&c.v, s, false, &cfg)
	m, err := newRowMaker(c.c, true)
	if err != nil {
		return row, 0, 0, err
	}
	row, err = m.make(c.v.left.keyOf(l), false, what.writes)
	return row, len(what.writes), len(what.deletions), err
}

// KeyJSON and ReadKey are keyJSON and readKey.
func (c *Comparison) KeyJSON(key [][]byte) (json.RawMessage, error) { return c.c.keyJSON(key) }

func (c *Comparison) ReadKey(text json.RawMessage, static bool) ([][]byte, error) {
	return c.c.readKey(text, static)
}

// Sift is sift, in a folder.
func Sift(ctx context.Context, path, from string) (sourceRows, candidates int64, read []Candidate, err error) {
	counts, err := sift(ctx, inFolder(path), from)
	if err != nil {
		return 0, 0, nil, err
	}
	err = eachLine(ctx, inFolder(path).file(candidatesName(1)), func(c candidate) error {
		read = append(read, c)
		return nil
	})
	return counts.SourceRows, counts.Candidates, read, err
}

// SameKey reports whether two encoded keys are equal, where empty is not null.
func SameKey(a, b [][]byte) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if (a[i] == nil) != (b[i] == nil) || !bytes.Equal(a[i], b[i]) {
			return false
		}
	}
	return true
}

// CellHash is cellHash.
type CellHash struct{ h *cellHash }

func NewCellHash() CellHash        { return CellHash{newCellHash()} }
func (c CellHash) Reset()          { c.h.reset() }
func (c CellHash) Add(cell []byte) { c.h.add(cell) }
func (c CellHash) Sum() uint64     { return c.h.sum() }
