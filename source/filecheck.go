package source

import (
	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/rowcheck"
)

// checkRows refuses rows of a file as records that are no rows; see package rowcheck.
type checkRows func(rxcql.Row) error

func init() {
	rowcheck.Option = func(check any) any {
		return checkRows(check.(func(rxcql.Row) error)) //nolint:forcetypeassert // see there
	}
}

func (fn checkRows) applyNDJSON(c *fileConfig) error { return fn.set(c) }
func (fn checkRows) applyCSV(c *fileConfig) error    { return fn.set(c) }

func (fn checkRows) set(c *fileConfig) error {
	c.check = fn
	return nil
}

// checked returns what is wrong with a row, if a check is given.
func (c *fileConfig) checked(row rxcql.Row) error {
	if c.check == nil {
		return nil
	}
	return c.check(row)
}
