package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// prepare reads the schemas, and decides what is compared.
func (j *DiffJob) prepare(ctx context.Context) (*comparison, *rowPair, []string, error) {
	return pairRows(ctx, j.left, j.right, j.cfg.compareConfig, &j.cfg.config, j.cfg.times)
}

// pairRows reads the schemas of two tables, and returns what compares their rows, and notes of what
// is not compared.
func pairRows(ctx context.Context, left, right *end, cfg compareConfig, shared *config, times bool) (*comparison, *rowPair, []string, error) {
	var about [2]*schema.Table
	var elements [2]bool
	var notes []string
	for i, e := range []*end{left, right} {
		side := [2]string{"source", "target"}[i]
		var err error
		if about[i], err = e.about(ctx); err != nil {
			return nil, nil, nil, fmt.Errorf("%s: %w", side, err)
		}
		if about[i].Virtual {
			return nil, nil, nil, fmt.Errorf("%w: the %s %s is a virtual table, which has no token ranges and cannot be compared: copy it into a table, and compare that",
				rxcql.ErrSchema, side, e)
		}
		var ring driver.Ring
		err = rxcql.Retry(ctx, driver.MayPass, func() (err error) {
			ring, err = e.session.Ring(ctx)
			return err
		})
		if err != nil {
			return nil, nil, nil, fmt.Errorf("%s: %w", side, err)
		}
		if elements[i] = saysElements(ring.ReleaseVersion); !elements[i] && hasMultiCell(about[i]) {
			notes = append(notes, fmt.Sprintf("the %s is Cassandra %s, which cannot say when elements of collections were written", side, ring.ReleaseVersion))
		}
	}
	if err := another(ctx, left, right, about[0], about[1]); err != nil {
		return nil, nil, nil, err
	}
	c, err := newComparison(about[0], about[1], cfg, times)
	if err != nil {
		return nil, nil, nil, err
	}
	if err := errors.Join(c.unmasked(ctx, left, false), c.unmasked(ctx, right, true)); err != nil {
		return nil, nil, nil, err
	}
	for _, p := range slices.Concat(c.static, c.regular) {
		if times && isList(p.left.Type) {
			notes = append(notes, fmt.Sprintf("column %q is a list: its write times are not compared", p.left.Name))
		}
	}
	rows := newRowPair(c, newPointReader(left, about[0], c, false, elements[0], shared.read),
		newPointReader(right, about[1], c, true, elements[1], shared.read))
	return c, rows, notes, nil
}

// unmasked refuses columns of one side whose masks would be compared instead of their values.
func (c *comparison) unmasked(ctx context.Context, e *end, right bool) error {
	about := c.left
	if right {
		about = c.right
	}
	names := c.columns(right)
	for i := range c.key {
		names = append(names, c.key[i].of(right).Name)
	}
	masks, err := masked(ctx, e.session, about, names)
	switch {
	case err != nil:
		return fmt.Errorf("%s: %w", about.Quoted(), err)
	case len(masks) > 0:
		return fmt.Errorf("%w: %s cannot be compared: %w, or LeaveOut the columns", rxcql.ErrSchema, about.Quoted(), masks.error())
	}
	return nil
}

func hasMultiCell(t *schema.Table) bool {
	return slices.ContainsFunc(t.Columns, func(c schema.Column) bool { return multiCell(c.Type) })
}
