package source

import (
	"errors"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/ring"
)

// only are the ranges of tokens that are read; nil for all.
type only []ring.Range

// Only reads only the rows with a token in one of these ranges, such as those that an earlier job
// could not read. With Shard it reads a share of them. A job goes on only with the same ranges.
// Default: the whole table.
func Only(ranges ...flow.TokenRange) RangeOption {
	all := make(only, len(ranges))
	for i, r := range ranges {
		all[i] = ring.Range(r)
	}
	return all
}

// check returns the ranges, joined where they touch.
func (o only) check() (only, error) {
	if len(o) == 0 {
		return nil, errors.New("Only: no range is given; leave the option out for the whole table")
	}
	for _, r := range o {
		if r.Start >= r.End {
			return nil, fmt.Errorf("Only: %v has no tokens; a range is (start, end], and start is less than end", r)
		}
	}
	return ring.Join(o), nil
}

func (o only) applyTable(c *readConfig) (err error) {
	c.only, err = o.check()
	return err
}

func (o only) applyPair(c *pairConfig) (err error) {
	c.only, err = o.check()
	return err
}

// of returns what of the ranges is to be read.
func (o only) of(ranges []flow.TokenRange) []flow.TokenRange {
	if o == nil {
		return ranges
	}
	others := ring.Without([]ring.Range{ring.Whole}, o)
	all := make([]ring.Range, len(ranges))
	for i, r := range ranges {
		all[i] = ring.Range(r)
	}
	var left []flow.TokenRange
	for _, r := range ring.Without(all, others) {
		left = append(left, flow.TokenRange(r))
	}
	return left
}

// facts returns what a job is known by.
func (o only) facts() []rxcql.Fact {
	if o == nil {
		return nil
	}
	return []rxcql.Fact{{Name: "ranges", Value: fmt.Sprint(slices.Clone(o))}}
}
