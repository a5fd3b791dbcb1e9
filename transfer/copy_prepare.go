package transfer

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/schema"
)

// prepared is what a copy would do, as both schemas are now.
type prepared struct {
	from, to *schema.Table // to may be about to be made
	mapping  *mapping
	creates  []string
	counters bool // counters are added to counters

	differences, lossy, notes []string
}

// prepare reads both schemas and compares them. It changes nothing. The error has all that is
// wrong.
func (j *CopyJob) prepare(ctx context.Context) (*prepared, error) {
	from, err := j.from.about(ctx)
	if err != nil {
		return nil, fmt.Errorf("source: %w", err)
	}
	p := &prepared{from: from}
	exists := true
	switch p.to, err = j.to.about(ctx); {
	case errors.Is(err, schema.ErrUnknownKeyspace):
		return nil, fmt.Errorf("target: %w", j.noKeyspace(ctx, err))
	case errors.Is(err, schema.ErrUnknownTable) && j.cfg.create:
		exists = false
		if p.to, err = j.cfg.define(from, j.to); err != nil {
			return nil, fmt.Errorf("%w: %w", rxcql.ErrConfig, err)
		}
	case errors.Is(err, schema.ErrUnknownTable):
		return nil, fmt.Errorf("target: %w; give Create to have it made", err)
	case err != nil:
		return nil, fmt.Errorf("target: %w", err)
	}
	var mapErr error
	if p.mapping, mapErr = j.cfg.resolve(from, p.to); mapErr != nil {
		mapErr = fmt.Errorf("%w: copy of %s to %s: %w", rxcql.ErrSchema, j.from, j.to, mapErr)
	}
	p.mapping.once = p.mapping.once && !j.cfg.times // sink.Times sees to that
	errs := []error{mapErr, j.possible(p), another(ctx, j.from, j.to, p.from, p.to), j.timed(ctx, p), j.unmasked(ctx, p)}
	if j.cfg.create {
		made, err := j.creation(ctx, from, p.to, exists)
		p.creates, p.notes = made.statements, append(p.notes, made.notes...)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	j.compare(p)
	return p, nil
}

// possible checks that rows of the source can be read and written at all, and finds out whether
// counters are copied to counters.
func (j *CopyJob) possible(p *prepared) error {
	var errs []error
	switch {
	case p.to.View:
		errs = append(errs, fmt.Errorf("the target %s is a materialized view: write to its base table %s", j.to, schema.Spell(p.to.BaseTable)))
	case p.to.Virtual:
		errs = append(errs, fmt.Errorf("the target %s is a virtual table, which keeps no rows", j.to))
	}
	switch {
	case p.from.Counter && p.to.Counter && !j.cfg.counters:
		errs = append(errs, errors.New("the tables have counters, which are added and not replaced: give Counters if the target is empty, or copy into a table of bigints"))
	case p.from.Counter && p.to.Counter && j.cfg.store != nil:
		errs = append(errs, errors.New("counters cannot be copied with a checkpoint: a job that goes on would count rows twice"))
	case p.from.Counter && p.to.Counter:
		p.counters = true
	case p.to.Counter:
		errs = append(errs, errors.New("the target has counters, and the source has none"))
	case j.cfg.counters:
		errs = append(errs, errors.New("Counters: the tables do not both have counters; leave it out"))
	}
	if p.from.Virtual && j.cfg.of > 1 {
		errs = append(errs, errors.New("WithShard: the source is a virtual table, which has no token ranges: copy it in one process"))
	}
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("%w: copy of %s to %s: %w", rxcql.ErrSchema, j.from, j.to, err)
	}
	return nil
}

// compare notes what is different and does not stop a copy.
func (j *CopyJob) compare(p *prepared) {
	for _, c := range p.mapping.columns {
		if c.widen != nil || c.from.Type.String() != c.to.Type.String() {
			p.differences = append(p.differences, fmt.Sprintf("column %q is %s, and %q %s at the target", c.from.Name, c.from.Type, c.to.Name, c.to.Type))
		}
		if c.from.Kind != c.to.Kind {
			p.differences = append(p.differences, fmt.Sprintf("column %q is of kind %s, and %s at the target", c.from.Name, c.from.Kind, c.to.Kind))
		}
		if c.from.Descending != c.to.Descending {
			p.differences = append(p.differences, fmt.Sprintf("column %q is in another clustering order at the target", c.from.Name))
		}
	}
	for _, name := range j.cfg.drops {
		p.differences = append(p.differences, fmt.Sprintf("column %q is not copied", name))
	}
	written := p.mapping.writes()
	for _, col := range p.to.Columns {
		if !slices.ContainsFunc(written, func(c schema.Column) bool { return c.Name == col.Name }) {
			p.differences = append(p.differences, fmt.Sprintf("column %q of the target gets no value", col.Name))
		}
	}
	if p.from.DefaultTTL != p.to.DefaultTTL {
		p.differences = append(p.differences, fmt.Sprintf("the default time to live is %d s, and %d s at the target", p.from.DefaultTTL, p.to.DefaultTTL))
	}
	if p.mapping.homeless {
		p.lossy = append(p.lossy, "partitions that have static columns only are left out, where the target has no static column for what they have")
	}
	switch {
	case p.counters:
		p.notes = append(p.notes, "counters are added to an empty target; a run that fails cannot go on: empty the target and copy again")
	case !j.cfg.times:
		p.notes = append(p.notes, "without times, what is copied gets the run's time: it replaces what the target had before, also where that is newer than the source's")
		if ttl := p.to.DefaultTTL; ttl > 0 {
			p.notes = append(p.notes, fmt.Sprintf("without times, what is copied expires after the target's default of %d s", ttl))
		} else {
			p.notes = append(p.notes, "without times, what is copied never expires, also what would at the source")
		}
	}
}

// unmasked refuses columns whose masks would be copied instead of their values.
func (j *CopyJob) unmasked(ctx context.Context, p *prepared) error {
	masks, err := masked(ctx, j.from.session, p.from, p.mapping.reads())
	switch {
	case err != nil:
		return fmt.Errorf("source: %w", err)
	case len(masks) > 0 && !j.cfg.lossy:
		return fmt.Errorf("%w: copy of %s to %s: %w, or give Lossy, or drop them", rxcql.ErrSchema, j.from, j.to, masks.error())
	}
	p.lossy = append(p.lossy, masks.notes("copied")...)
	return nil
}
