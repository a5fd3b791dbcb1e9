package operators_test

import (
	"slices"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// conforming is an operator in one way that it works, as the suite is to know it. Rows are their
// numbers, in lists: what refers to memory of a page is found out.
type conforming struct {
	operator string // the exported function
	how      string
	put      func(in rxcql.Stream[numberRow]) rxcql.Stream[numberRow]

	drops     func(n int) bool
	copies    int
	unordered bool
	ends      bool
	folds     bool
	detached  bool
	sets      bool // watermarks
}

// numberRow are the numbers of the rows that a row is made of.
type numberRow = []int

func asIs(n numberRow) (numberRow, error) { return n, nil }

func all(int) bool { return true }

func rowNumber(n numberRow) int {
	if len(n) == 0 {
		return -1
	}
	return n[0]
}

func flattened(in rxcql.Stream[[]numberRow]) rxcql.Stream[numberRow] {
	return operators.Map(in, func(rows []numberRow) (numberRow, error) { return slices.Concat(rows...), nil })
}

func inBatches(opts ...operators.BatchOption) func(rxcql.Stream[numberRow]) rxcql.Stream[numberRow] {
	return func(in rxcql.Stream[numberRow]) rxcql.Stream[numberRow] {
		return flattened(operators.Batch(in, opts...))
	}
}

func noRow() numberRow { return nil }

func join(all, n numberRow) (numberRow, error) { return append(slices.Clip(all), n...), nil }

// inGroups are rows that are together and have the same key.
func inGroups(key func(n numberRow) int) func(rxcql.Stream[numberRow]) rxcql.Stream[numberRow] {
	return func(in rxcql.Stream[numberRow]) rxcql.Stream[numberRow] {
		groups := operators.GroupAdjacent(in, key, noRow, join)
		return operators.Map(groups, func(g operators.Group[int, numberRow]) (numberRow, error) { return g.Value, nil })
	}
}

func inTurn(in rxcql.Stream[numberRow]) rxcql.Stream[numberRow] { return operators.Map(in, asIs) }

// groupedBy are all rows of each key.
func groupedBy(key func(n numberRow) int) func(rxcql.Stream[numberRow]) rxcql.Stream[numberRow] {
	return func(in rxcql.Stream[numberRow]) rxcql.Stream[numberRow] {
		groups := operators.GroupBy(in, key, noRow, join, operators.GroupByGroups(1000))
		return operators.Map(groups, func(g operators.Group[int, numberRow]) (numberRow, error) { return g.Value, nil })
	}
}

func numberAt(n numberRow) time.Time { return time.Unix(int64(rowNumber(n)), 0) }
