package transfer

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// keptTimes is WithTimes in one run: the options for both ends, and what is counted.
type keptTimes struct {
	reading []source.TableOption
	writing []sink.TableOption
	counts  *sink.TimesCounts // nil without WithTimes
}

// keepTimes returns the options by which times are read and written. Without WithTimes rows are
// written by the columns that they are known to have.
func (c *copyConfig) keepTimes(m *mapping) keptTimes {
	if !c.times {
		var names []string
		for _, col := range m.writes() {
			names = append(names, col.Name)
		}
		return keptTimes{writing: []sink.TableOption{sink.Columns(names...)}}
	}
	counts := &sink.TimesCounts{}
	opts := append(slices.Clone(c.timesOptions), sink.CountTimes(counts))
	if c.lossy {
		opts = append(opts, sink.Lossy())
	}
	var untimed []string
	for _, constant := range m.constants {
		if !isKey(constant.to) {
			untimed = append(untimed, constant.to.Name)
		}
	}
	if len(untimed) > 0 {
		opts = append(opts, sink.Untimed(untimed...))
	}
	return keptTimes{[]source.TableOption{source.Times()}, []sink.TableOption{sink.Times(opts...)}, counts}
}

// timed checks whether times can be kept, and notes what will be guessed or lost.
func (j *CopyJob) timed(ctx context.Context, p *prepared) error {
	if !j.cfg.times {
		return nil
	}
	switch {
	case p.from.Virtual:
		return fmt.Errorf("%w: WithTimes: %s is a virtual table, whose values have no times: leave it out", rxcql.ErrSchema, j.from)
	case p.from.Counter || p.to.Counter:
		return fmt.Errorf("%w: WithTimes: counters have times that cannot be written: leave it out", rxcql.ErrSchema)
	}
	all, err := source.UntimedColumns(ctx, j.from.Session, j.from.quoted())
	if err != nil {
		return fmt.Errorf("source: %w", err)
	}
	untimed := slices.DeleteFunc(all, func(name string) bool { return !slices.Contains(p.mapping.reads(), name) })
	for _, name := range untimed {
		p.lossy = append(p.lossy, fmt.Sprintf("column %q: the source's server does not tell the times of its elements (Cassandra does from 5.0 on), so they are guessed", name))
	}
	if len(untimed) > 0 && !j.cfg.lossy {
		return fmt.Errorf("%w: WithTimes: the source's server does not tell the times of the elements of %s, so values that expire would stay: give Lossy, or drop them",
			rxcql.ErrSchema, strings.Join(untimed, ", "))
	}
	for _, c := range p.mapping.columns {
		switch {
		case isKey(c.from):
		case hasElements(c.from) && !hasElements(c.to):
			p.lossy = append(p.lossy, fmt.Sprintf("column %q: it is frozen at the target, so its elements get one time", c.to.Name))
		case c.to.Type.Kind == codec.List && hasElements(c.to):
			p.lossy = append(p.lossy, fmt.Sprintf("column %q: the elements of a list get one write time, a little after the newest; each keeps its expiry", c.to.Name))
		}
	}
	p.notes = append(p.notes, "the write time of a row itself cannot be read: rows get it from their values (sink.Markers)",
		"deletions are not copied")
	return nil
}

// hasElements reports whether each element of a column's values has times of its own.
func hasElements(c schema.Column) bool {
	switch c.Type.Kind {
	case codec.List, codec.Set, codec.Map, codec.UDT:
		return !c.Type.Frozen
	}
	return false
}

// report adds what was counted to the report of a copy.
func (t keptTimes) report(rep *CopyReport) {
	if t.counts != nil {
		counted := t.counts.Report()
		rep.Times = &counted
	}
}
