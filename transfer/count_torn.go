package transfer

import (
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/keyorder"
)

// tornPartition is a partition of which a part could not be read. A later run may read it, behind
// other partitions.
type tornPartition struct {
	Token int64           `json:"token"`
	Had   *countPartition `json:"had,omitempty"` // what was counted of it; nil for nothing yet
}

// torn returns the partition with a token, if a part of it could not be read; else nil.
func (r *openRange) torn(token int64) *tornPartition {
	i := slices.IndexFunc(r.Torn, func(torn tornPartition) bool { return torn.Token == token })
	if i < 0 {
		return nil
	}
	return &r.Torn[i]
}

// tears notes partitions of which a part could not be read.
func (r *openRange) tears(tokens []int64) {
	for _, token := range tokens {
		if r.torn(token) == nil {
			r.Torn = append(r.Torn, tornPartition{Token: token})
		}
	}
}

// had returns the numbers of a partition that was counted in part before others; nil if it was not.
func (r *openRange) had(key [][]byte) *countPartition {
	if len(r.Torn) == 0 {
		return nil
	}
	if torn := r.torn(tokenOf(key)); torn != nil && torn.Had != nil && torn.Had.is(key) {
		return torn.Had
	}
	return nil
}

func tokenOf(key [][]byte) int64 {
	order, _ := keyorder.New(len(key)) // fails for clustering columns only
	return order.Token(&keyorder.Key{Cells: key})
}

// partitionBegins turns to the partition of a row, as the last one of a range. begins is false if
// rows of it have been counted before others.
func (t *tallies) partitionBegins(at *openRange, row rxcql.Row) (p *countPartition, begins bool) {
	if at.Last == nil {
		at.Last = &countPartition{Key: make([][]byte, len(t.key))}
	}
	p = at.Last
	for i := range p.Key {
		p.Key[i] = row.Bytes(i)
	}
	p.Rows, p.Bytes = 0, 0
	if had := at.had(p.Key); had != nil {
		p.Rows, p.Bytes = had.Rows, had.Bytes
		return p, false
	}
	at.Partitions++
	return p, true
}

// partitionEnds keeps a partition that is one of the largest, or may go on later. Nil stands for
// none.
func (t *tallies) partitionEnds(at *openRange, p *countPartition) {
	if p == nil {
		return
	}
	t.saved.keep(p, at.had(p.Key) != nil, &t.cfg)
	if len(at.Torn) == 0 {
		return
	}
	if torn := at.torn(tokenOf(p.Key)); torn != nil {
		had := p.clone()
		torn.Had = &had
	}
}
