package source

import (
	"slices"
	"strings"

	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/keyorder"
	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/internal/schema"
)

// slice is a piece of a token range that is read by one statement: all rows of some tokens, or of
// one token those rows whose first clustering columns are given, and whose next one is between two
// values. All slices of a range follow each other in the order of the server.
type slice struct {
	tokens flow.TokenRange
	equal  [][]byte // of the first clustering columns
	// The next clustering column is greater than low, and at most high; nil stands for no bound.
	low, high []byte
	open      bool // it is less than high
	statics   bool // only a row of static columns, of a partition that has no other

	cut   bool   // from another slice, which could not be read
	begun bool   // rows of it have been read, the last one is that of the place
	state []byte // of the next page
}

// slicing cuts slices of one table.
type slicing struct {
	*sidePlan
	partition  int // columns of the partition key
	clustering []schema.Column
	statics    bool   // the table has static columns: those alone are a row, whatever is read
	token      string // in CQL
	tuple      string // a clustering column that is a tuple, which the driver cannot bind; "" if there is none
}

func newSlicing(plan *sidePlan) *slicing {
	s := &slicing{sidePlan: plan, partition: len(plan.about.PartitionKey), clustering: plan.about.ClusteringKey}
	names := make([]string, s.partition)
	for i, c := range plan.about.PartitionKey {
		names[i] = schema.Quote(c.Name)
	}
	s.token = "token(" + strings.Join(names, ", ") + ")"
	for _, c := range s.clustering {
		if c.Type.Kind == codec.Tuple {
			s.tuple = c.Name
		}
	}
	s.statics = slices.ContainsFunc(plan.about.Columns, func(c schema.Column) bool { return c.Kind == schema.Static })
	return s
}

// columns returns how many columns a key has.
func (s *slicing) columns() int { return s.partition + len(s.clustering) }

// statement returns the request for a slice.
func (s *slicing) statement(cfg readConfig, of *slice) driver.Statement {
	st := driver.Statement{CQL: s.cql, Args: []any{of.tokens.Start, of.tokens.End}, Consistency: cfg.consistency, Idempotent: true}
	where := func(column int, op string, value []byte) {
		st.CQL += " AND " + schema.Quote(s.clustering[column].Name) + " " + op + " ?"
		st.Args = append(st.Args, &driver.Value{Bytes: value})
	}
	for i, value := range of.equal {
		where(i, "=", value)
	}
	if of.low != nil {
		where(len(of.equal), ">", of.low)
	}
	switch {
	case of.high == nil:
	case of.open:
		where(len(of.equal), "<", of.high)
	default:
		where(len(of.equal), "<=", of.high)
	}
	if len(st.Args) > 2 {
		st.CQL += " ALLOW FILTERING"
	}
	return st
}

// onePerPartition asks which partitions have rows in some tokens.
func (s *slicing) onePerPartition(cfg readConfig, tokens flow.TokenRange) driver.Statement {
	column := schema.Quote(s.about.PartitionKey[0].Name)
	return driver.Statement{
		CQL:  "SELECT " + column + " FROM " + s.about.Quoted() + " WHERE " + s.token + " > ? AND " + s.token + " <= ? PER PARTITION LIMIT 1",
		Args: []any{tokens.Start, tokens.End}, Consistency: cfg.consistency, Idempotent: true,
	}
}

// halves cuts a slice of which no row has been read; nil if it cannot be cut.
func (s *slicing) halves(of slice) []slice {
	one := len(of.equal)
	switch {
	case of.statics:
		return nil
	case ring.Range(of.tokens).Width() > 1:
		var pieces []slice
		for _, half := range ring.Range(of.tokens).Split(2) {
			pieces = append(pieces, slice{tokens: flow.TokenRange(half), cut: true})
		}
		return pieces
	case one == len(s.clustering):
		return nil
	}
	column := s.clustering[one]
	below, above := of, of
	mid := keyorder.Middle(column.Type, of.low, of.high)
	switch {
	case of.high != nil && !of.open && (mid == nil || len(mid) > len(of.high)): // it may be that value alone
		below.open = true
		above = slice{tokens: of.tokens, equal: append(of.equal[:one:one], of.high)}
	case mid == nil:
		return nil
	default:
		below.high, below.open, above.low = mid, false, mid
	}
	pieces := []slice{below, above}
	if column.Descending {
		pieces[0], pieces[1] = pieces[1], pieces[0]
	}
	for i := range pieces {
		pieces[i].cut, pieces[i].begun, pieces[i].state = true, false, nil
	}
	if one == 0 && of.low == nil && of.high == nil && s.statics {
		pieces = append(pieces, slice{tokens: of.tokens, statics: true, cut: true})
	}
	return pieces
}

// behind returns what of a slice comes behind a row of it. The row's token is given.
func (s *slicing) behind(of slice, row [][]byte, token int64) (pieces []slice) {
	at := flow.TokenRange{Start: token - 1, End: token}
	values := row[s.partition:]
	for i := len(values) - 1; i >= len(of.equal); i-- {
		if values[i] == nil {
			continue // a row of static columns alone, behind which the partition has none
		}
		piece := slice{tokens: at, equal: values[:i:i], cut: true}
		if i == len(of.equal) {
			piece.low, piece.high, piece.open = of.low, of.high, of.open
		}
		if s.clustering[i].Descending {
			piece.high, piece.open = values[i], true
		} else {
			piece.low = values[i]
		}
		pieces = append(pieces, piece)
	}
	if token < of.tokens.End {
		pieces = append(pieces, slice{tokens: flow.TokenRange{Start: token, End: of.tokens.End}, cut: true})
	}
	return pieces
}

// within says which rows of a token's a slice has, without their values.
func (s *slicing) within(of *slice) string {
	switch {
	case of.statics:
		return "static columns of a partition without rows"
	case len(of.equal) == len(s.clustering) && len(of.equal) > 0:
		return "one row"
	case len(of.equal) > 0 || of.low != nil || of.high != nil:
		return "rows between two values of " + s.clustering[len(of.equal)].Name
	}
	return ""
}
