package source

import (
	"errors"

	"github.com/rxcql/rxcql/internal/option"
)

// PairOption is an option of TablePair.
type PairOption interface{ applyPair(*pairConfig) error }

// pairConfig has the options of TablePair: those of both tables together (splits and share), and
// those of each.
type pairConfig struct {
	splits      int
	shard, of   int
	only        only
	adaptive    bool
	left, right readConfig
}

type pairSide struct {
	left bool
	opts []TableOption
}

// Left gives options to the left table of TablePair alone: Columns, Consistency, PageRows, Times
// and Throttle. New reports the others.
func Left(opts ...TableOption) PairOption { return pairSide{true, opts} }

// Right gives options to the right table of TablePair alone, see Left.
func Right(opts ...TableOption) PairOption { return pairSide{false, opts} }

func (s pairSide) applyPair(c *pairConfig) error {
	side, name := &c.right, "Right"
	if s.left {
		side, name = &c.left, "Left"
	}
	before := *side
	err := option.Apply(s.opts, side, TableOption.applyTable)
	if err == nil && side.adaptive {
		return errors.New(name + ": AdaptiveSplits is for both tables: give it to TablePair itself")
	}
	if err == nil && (side.splits != before.splits || side.shard != before.shard || side.of != before.of || side.only != nil) {
		return errSideRanges(name)
	}
	return err
}

type errSideRanges string

func (name errSideRanges) Error() string {
	return string(name) + ": both tables are read by the same token ranges: give Splits, Shard and Only to TablePair itself"
}

func (o consistency) applyPair(c *pairConfig) error {
	if err := o.set(&c.left); err != nil {
		return err
	}
	return o.set(&c.right)
}

func (n pageRows) applyPair(c *pairConfig) error {
	if err := n.set(&c.left.maxRows); err != nil {
		return err
	}
	return n.set(&c.right.maxRows)
}

func (n splits) applyPair(c *pairConfig) error {
	var both readConfig
	err := n.applyTable(&both)
	c.splits = both.splits
	return err
}

func (s shard) applyPair(c *pairConfig) error {
	both := readConfig{shard: c.shard, of: c.of}
	err := s.applyTable(&both)
	c.shard, c.of = both.shard, both.of
	return err
}
