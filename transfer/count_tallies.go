package transfer

import (
	"bytes"
	"cmp"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
)

// maxCountRanges is of how many ranges a count keeps numbers once they are read.
const maxCountRanges = 1024

// tallies are the numbers of a count. The part that a checkpoint has is saved.
type tallies struct {
	cfg        countConfig
	key        []codec.Column // the partition key; the first columns of each row
	clustering int            // the index of the first clustering column in a row; -1 if there is none
	static     []bool         // by column: its value is that of the partition

	saved savedCount
}

// savedCount is what a count has found so far.
type savedCount struct {
	Done    []CountRange     `json:"done"`  // read to their end; without CountRanges at most one, the sum
	Open    []*openRange     `json:"open"`  // being read
	ByRows  []countPartition `json:"rows"`  // the largest, the largest first
	ByBytes []countPartition `json:"bytes"` // likewise
}

// openRange is a range that is being read. A partition is never spread over two ranges.
type openRange struct {
	CountRange
	Last *countPartition `json:"last,omitempty"` // whose rows came last, and may go on
}

// countPartition is a partition: the values of its key as received, and what it has.
type countPartition struct {
	Key   [][]byte `json:"key"`
	Rows  int64    `json:"rows"`
	Bytes int64    `json:"bytes"`
}

// newTallies makes the numbers of a table of which these columns are read.
func newTallies(about *schema.Table, columns []string, cfg countConfig) *tallies {
	t := &tallies{cfg: cfg, clustering: -1, static: make([]bool, len(columns))}
	for _, c := range about.PartitionKey {
		t.key = append(t.key, codec.Column{Name: c.Name, Type: c.Type})
	}
	for i, name := range columns {
		c, _ := about.Column(name)
		t.static[i] = c.Kind == schema.Static
		if c.Kind == schema.Clustering && t.clustering < 0 {
			t.clustering = i
		}
	}
	return t
}

// add counts the rows of a page. last says that the range has no more.
func (t *tallies) add(tokens flow.TokenRange, rows []rxcql.Row, last bool) error {
	i := slices.IndexFunc(t.saved.Open, func(r *openRange) bool { return r.Start == tokens.Start && r.End == tokens.End })
	if i < 0 {
		i = len(t.saved.Open)
		t.saved.Open = append(t.saved.Open, &openRange{CountRange: CountRange{Start: tokens.Start, End: tokens.End}})
	}
	at := t.saved.Open[i]
	for _, row := range rows {
		t.row(at, row)
	}
	if at.Last != nil { // the page's memory is used again
		for i, cell := range at.Last.Key {
			at.Last.Key[i] = bytes.Clone(cell)
		}
	}
	if last {
		t.partitionEnds(at.Last)
		t.saved.Open = slices.Delete(t.saved.Open, i, i+1)
		t.done(at.CountRange)
	}
	return nil
}

func (t *tallies) row(at *openRange, row rxcql.Row) {
	p := at.Last
	begins := p == nil || !t.sameKey(p, row)
	if begins {
		t.partitionEnds(p)
		if p == nil {
			p = &countPartition{Key: make([][]byte, len(t.key))}
			at.Last = p
		}
		p.Rows, p.Bytes = 0, 0
		for i := range p.Key {
			p.Key[i] = row.Bytes(i)
		}
		at.Partitions++
	}
	if t.clustering >= 0 && row.Bytes(t.clustering) == nil {
		at.StaticOnly++
	} else {
		at.Rows++
		p.Rows++
	}
	if t.cfg.sizes {
		size := int64(0)
		for i := range row.Len() {
			if begins || !t.static[i] {
				size += int64(len(row.Bytes(i)))
			}
		}
		at.Bytes += size
		p.Bytes += size
	}
}

func (t *tallies) sameKey(p *countPartition, row rxcql.Row) bool {
	for i, cell := range p.Key {
		if !bytes.Equal(cell, row.Bytes(i)) {
			return false
		}
	}
	return true
}

// partitionEnds keeps a partition that is one of the largest. Nil stands for none.
func (t *tallies) partitionEnds(p *countPartition) {
	if p == nil || t.cfg.largest == 0 {
		return
	}
	t.saved.ByRows = t.keep(t.saved.ByRows, p, func(p *countPartition) int64 { return p.Rows })
	if t.cfg.sizes {
		t.saved.ByBytes = t.keep(t.saved.ByBytes, p, func(p *countPartition) int64 { return p.Bytes })
	}
}

// keep puts a partition into its place in a list of the largest. Of equal ones, those with the
// smaller key come first, so that the list is the same in whatever order the ranges are read.
func (t *tallies) keep(list []countPartition, p *countPartition, size func(*countPartition) int64) []countPartition {
	before := func(a, b *countPartition) int {
		return cmp.Or(cmp.Compare(size(b), size(a)), slices.CompareFunc(a.Key, b.Key, bytes.Compare))
	}
	if len(list) == t.cfg.largest && before(p, &list[len(list)-1]) > 0 {
		return list
	}
	at, _ := slices.BinarySearchFunc(list, p, func(a countPartition, p *countPartition) int { return before(&a, p) })
	kept := countPartition{Rows: p.Rows, Bytes: p.Bytes}
	for _, cell := range p.Key {
		kept.Key = append(kept.Key, bytes.Clone(cell))
	}
	if len(list) == t.cfg.largest {
		list = list[:len(list)-1]
	}
	return slices.Insert(list, at, kept)
}

// done adds a range that was read to its end.
func (t *tallies) done(r CountRange) {
	switch {
	case t.cfg.ranges:
		at, _ := slices.BinarySearchFunc(t.saved.Done, r, func(a, b CountRange) int { return cmp.Compare(a.Start, b.Start) })
		t.saved.Done = slices.Insert(t.saved.Done, at, r)
		if len(t.saved.Done) > 2*maxCountRanges {
			t.saved.Done = joined(t.saved.Done, maxCountRanges)
		}
	case len(t.saved.Done) == 0:
		t.saved.Done = []CountRange{r}
	default:
		t.saved.Done[0].plus(r)
	}
}

// joined adds up neighbours until there are no more than so many, as far as ranges touch.
func joined(all []CountRange, most int) []CountRange {
	for len(all) > most {
		var out []CountRange
		for i := 0; i < len(all); i++ {
			r := all[i]
			if i+1 < len(all) && all[i+1].Start == r.End {
				i++
				end := all[i].End
				r.plus(all[i])
				r.End = end
			}
			out = append(out, r)
		}
		if len(out) == len(all) {
			return out
		}
		all = out
	}
	return all
}

func (r *CountRange) plus(o CountRange) {
	r.Rows += o.Rows
	r.Partitions += o.Partitions
	r.StaticOnly += o.StaticOnly
	r.Bytes += o.Bytes
}

// report writes the numbers into a report.
func (t *tallies) report(r *CountReport) {
	all := slices.Clone(t.saved.Done)
	for _, open := range t.saved.Open {
		all = append(all, open.CountRange)
	}
	var sum CountRange
	for _, each := range all {
		sum.plus(each)
	}
	r.Rows, r.Partitions, r.StaticOnly, r.Bytes = sum.Rows, sum.Partitions, sum.StaticOnly, sum.Bytes
	if t.cfg.ranges {
		slices.SortFunc(all, func(a, b CountRange) int { return cmp.Compare(a.Start, b.Start) })
		r.Ranges = joined(all, maxCountRanges)
	}
	r.LargestByRows, r.LargestByBytes = t.named(t.saved.ByRows), t.named(t.saved.ByBytes)
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
