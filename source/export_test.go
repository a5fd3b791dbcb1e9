package source

import (
	"fmt"
	"time"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/schema"
)

// Fingerprint is the hash of bound values in a checkpoint.
var Fingerprint = fingerprint

// PairPlace is a position in two tables: what is saved for pages of which the states, nil at the
// beginning, are those, or that are over.
type PairPlace struct {
	Left, Right         []byte
	LeftOver, RightOver bool
	Last                [][]byte
}

// Save writes it down.
func (p PairPlace) Save() []byte {
	place := pairPlace{left: sidePlace{state: p.Left, over: p.LeftOver}, right: sidePlace{state: p.Right, over: p.RightOver}, last: p.Last}
	return place.save()
}

// ParsePairPlace reads one.
func ParsePairPlace(state []byte, columns int) (PairPlace, error) {
	p, err := parsePairPlace(state, flow.WholeRange, columns)
	return PairPlace{p.left.state, p.right.state, p.left.over, p.right.over, p.last}, err
}

// WallClock has a tail take now for what this machine's clock says.
func WallClock(now func() time.Time) TailOption {
	return tailFunc(func(c *tailConfig) error { c.wall = now; return nil })
}

// TailPlace is a position in a table that is tailed, as records that change it.
type TailPlace struct {
	records []byte
	fold    tailFold
	state   []byte
}

// NewTailPlace begins one of keys of so many columns.
func NewTailPlace(cells int, from, first int64) *TailPlace {
	return &TailPlace{records: appendBegin(nil, from, first), fold: tailFold{cells: cells}}
}

// Edge, Over and Seen change it, and Settle saves that.
func (p *TailPlace) Edge(bucket int64, shard int, at int64, after ...[]byte) {
	p.records = appendEdge(p.records, tailPartition{bucket, shard}, tailEdge{at, after})
}

func (p *TailPlace) Over(first int64) { p.records = appendOver(p.records, first) }

func (p *TailPlace) Seen(bucket int64, shard int, hash byte, arrived int64, content uint64) {
	var record seenRecord
	record.add(rowHash{hash, byte(arrived), byte(arrived >> 8)}, seenRow{arrived, content})
	p.records = record.appendTo(p.records, tailPartition{bucket, shard})
}

// Shorten makes what is not settled yet shorter, and returns its length.
func (p *TailPlace) Shorten() int {
	p.records = shortened(p.records, p.fold.cells)
	return len(p.records)
}

func (p *TailPlace) Settle() []byte {
	p.state = p.fold.fold(p.state, p.records)
	p.records = nil
	return p.state
}

// ParseTailPlace reads a state, and returns it as text.
func ParseTailPlace(state []byte, cells int) (string, error) {
	p, err := parseTailPlace(state, cells)
	if err != nil {
		return "", err
	}
	return fmt.Sprint(p.from, p.first, p.edges, p.seen, p.keys), nil // maps are printed in order
}

// MostSeenInJob is the default of SeenBytes in a job, where the budget is large.
const MostSeenInJob = mostSeenInJob

// TimeTerms are what a SELECT reads of the times of columns.
func TimeTerms(about *schema.Table, names []string, perElement bool) ([]string, error) {
	timed, err := timesOf(about, names, perElement)
	return terms(timed), err
}

// ExpiryOf makes expiries of the seconds that were left at a time.
func ExpiryOf(left []byte, list bool, at int64) ([]byte, error) {
	return new(timesReader).expiry(left, list, at)
}
