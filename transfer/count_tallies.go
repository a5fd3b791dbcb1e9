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
	Options string       `json:"options"` // that the numbers depend on
	Done    []CountRange `json:"done"`    // read to their end; without CountRanges at most one, the sum
	Open    []*openRange `json:"open"`    // being read
	largest
}

// openRange is a range that is being read. A partition is never spread over two ranges.
type openRange struct {
	CountRange
	Last *countPartition `json:"last,omitempty"` // whose rows came last, and may go on
	Torn []tornPartition `json:"torn,omitempty"`
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

// add counts the rows of a page. torn are tokens of partitions of which a part could not be read
// before it, see flow.Position.Torn. last says that the range has no more.
func (t *tallies) add(tokens flow.TokenRange, torn []int64, rows []rxcql.Row, last bool) {
	i := slices.IndexFunc(t.saved.Open, func(r *openRange) bool { return r.Start == tokens.Start && r.End == tokens.End })
	if i < 0 {
		i = len(t.saved.Open)
		t.saved.Open = append(t.saved.Open, &openRange{CountRange: CountRange{Start: tokens.Start, End: tokens.End}})
	}
	at := t.saved.Open[i]
	at.tears(torn)
	for _, row := range rows {
		t.row(at, row)
	}
	if at.Last != nil { // the page's memory is used again
		for i, cell := range at.Last.Key {
			at.Last.Key[i] = bytes.Clone(cell)
		}
	}
	if last {
		t.partitionEnds(at, at.Last)
		t.saved.Open = slices.Delete(t.saved.Open, i, i+1)
		t.done(at.CountRange)
	}
}

func (t *tallies) row(at *openRange, row rxcql.Row) {
	p := at.Last
	begins := p == nil || !p.has(row)
	if begins {
		t.partitionEnds(at, p)
		p, begins = t.partitionBegins(at, row)
	}
	switch static := t.clustering >= 0 && row.Bytes(t.clustering) == nil; {
	case !static:
		if !begins && p.Rows == 0 { // it had none when its static columns were read
			at.StaticOnly--
		}
		at.Rows++
		p.Rows++
	case begins:
		at.StaticOnly++
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
	largest := t.saved.clone()
	for _, open := range t.saved.Open {
		if open.Last != nil { // it may go on
			largest.keep(open.Last, open.had(open.Last.Key) != nil, &t.cfg)
		}
	}
	r.LargestByRows, r.LargestByBytes = t.named(largest.ByRows), t.named(largest.ByBytes)
}
