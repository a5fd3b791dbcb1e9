package transfer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/lines"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// repairItem is a row, or the static columns of a partition, that is to be repaired.
type repairItem struct {
	Key     [][]byte `json:"k"` // encoded as the source has it
	Static  bool     `json:"s,omitempty"`
	Cause   Cause    `json:"cause,omitempty"`   // when it was looked at first
	Planned bool     `json:"planned,omitempty"` // something is to be done about it
	Source  string   `json:"l,omitempty"`       // hash of what the source had then, see scanned.Left
	Until   *int64   `json:"until,omitempty"`   // the latest write time that the target had then; nil if it had none
	Outcome *Outcome `json:"outcome,omitempty"` // of a range that cannot be read, from the beginning
}

// maxBadLines is how many lines that cannot be read an error names.
const maxBadLines = 10

// readDifferences reads a file of differences, keys and ranges, and calls fn with each. The error
// names the lines that are none of these.
func readDifferences(ctx context.Context, path string, c *comparison, fn func(Difference, repairItem) error) error {
	in, err := os.Open(path)
	if err != nil {
		return fmt.Errorf("transfer.Repair: %w", err)
	}
	defer func() { _ = in.Close() }()
	var bad []error
	r := lines.New(in, 1<<30)
	if err := r.SkipBOM(); err != nil {
		return fmt.Errorf("transfer.Repair: %s: %w", path, err)
	}
	for n := 1; len(bad) < maxBadLines; n++ {
		line, err := r.Record(nil)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return fmt.Errorf("transfer.Repair: %s: %w", path, err)
		}
		r.Accept()
		if n%1000 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if len(bytes.TrimSpace(line)) == 0 {
			continue
		}
		d, item, err := c.readItem(line)
		if err == nil {
			err = fn(d, item)
		}
		if err != nil {
			bad = append(bad, fmt.Errorf("line %d: %w", n, err))
		}
	}
	if len(bad) > 0 {
		return fmt.Errorf("transfer.Repair: %s: %w", path, errors.Join(bad...))
	}
	return nil
}

// readItem reads a line of a file of differences.
func (c *comparison) readItem(line []byte) (d Difference, item repairItem, err error) {
	if err := json.Unmarshal(line, &d); err != nil {
		return d, item, fmt.Errorf("it is no difference as JSON: %w", err)
	}
	if d.Range != nil {
		if d.Range[0] >= d.Range[1] || d.Key != nil {
			return d, item, errors.New(`a range is {"range":[start,end]}, with start less than end and no key`)
		}
		return d, item, nil
	}
	item = repairItem{Static: d.Static}
	item.Key, err = c.readKey(d.Key, d.Static)
	return d, item, err
}

// readKey is the opposite of keyJSON.
func (c *comparison) readKey(text json.RawMessage, static bool) (key [][]byte, err error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(text, &fields); err != nil || fields == nil {
		return nil, errors.New(`it has no key, as in {"key":{"id":7}}`)
	}
	columns := c.key
	if static {
		columns = columns[:c.partition]
	}
	var errs []error
	for _, p := range columns {
		value, found := fields[p.left.Name]
		if !found || string(value) == "null" {
			errs = append(errs, fmt.Errorf("the key has no %q", p.left.Name))
			continue
		}
		delete(fields, p.left.Name)
		cell, err := codec.ParseJSON([]byte{}, p.left.Type, value)
		if err != nil {
			err = fmt.Errorf("key column %q: %w", p.left.Name, err)
		}
		key, errs = append(key, cell), append(errs, err)
	}
	for name := range fields {
		errs = append(errs, fmt.Errorf("the key of the table has no column %q", name))
	}
	return key, errors.Join(errs...)
}

// planAll looks at what is named, and notes what is to be done.
func (j *RepairJob) planAll(ctx context.Context, rows *rowPair) (rxcql.Report, error) {
	return j.each(ctx, "plan", namedName, plannedName, func(ctx context.Context, item repairItem) (repairItem, error) {
		if item.Outcome != nil {
			return item, nil
		}
		s, err := rows.look(ctx, item.Key, item.Static)
		if err != nil {
			if _, unread := unreadable(err); unread {
				item.Cause = Unread
				return item, nil
			}
			return item, err
		}
		var r remedy
		rows.with(&s, func(v *viewPair) {
			r = rows.c.decide(v, s, item.Static, &j.cfg)
			if len(r.deletions) > 0 {
				latest := v.right.latest(s.right, item.Static)
				item.Until = &latest
			}
		})
		item.Cause, item.Planned, item.Source = s.cause, !r.nothing(), s.hashes[0]
		return item, nil
	})
}

// checkAll reads everything back.
func (j *RepairJob) checkAll(ctx context.Context, rows *rowPair) (rxcql.Report, error) {
	return j.each(ctx, "check", plannedName, checkedName, func(ctx context.Context, item repairItem) (repairItem, error) {
		if item.Outcome != nil {
			return item, nil
		}
		s, err := rows.look(ctx, item.Key, item.Static)
		if err != nil {
			reason, unread := unreadable(err)
			if !unread {
				return item, err
			}
			d, keyErr := rows.difference(Unread, item.Key, item.Static, nil)
			d.Reason = reason
			item.Outcome = &Outcome{Result: Unreadable, Difference: d}
			return item, keyErr
		}
		cause := s.cause
		if cause == "" {
			cause = item.Cause
		}
		d, err := rows.difference(cause, item.Key, item.Static, s.columns)
		var r remedy
		rows.with(&s, func(v *viewPair) { r = rows.c.decide(v, s, item.Static, &j.cfg) })
		item.Outcome = &Outcome{Result: j.result(item, s, r), Difference: d}
		return item, err
	})
}

// result says what became of a row that reads so now, and for which r is to be done still.
func (j *RepairJob) result(item repairItem, s seen, r remedy) Result {
	switch {
	case s.cause == "" && item.Planned:
		return Repaired
	case s.cause == "":
		return AlreadyEqual
	case item.Cause == "" || item.Cause == Unread:
		return Moving // it was equal, or could not be read
	case r.insert || len(r.writes) > 0:
		if !item.Planned || item.Source != s.hashes[0] {
			return Moving
		}
		return Shadowed // it was written, and is not there
	case len(r.deletions) > 0, s.cause == Extra && j.cfg.deleteExtra:
		return Remaining
	}
	return Left
}

// each runs a step that makes a file of another one, item by item.
func (j *RepairJob) each(ctx context.Context, step, from, to string, fn func(context.Context, repairItem) (repairItem, error)) (rxcql.Report, error) {
	items := source.NDJSON[repairItem](j.folder.file(from), source.MaxLine(1<<30))
	done := operators.MapConcurrent(throttled(items, &j.cfg.config), rereadsInFlight, fn)
	p, err := rxcql.New(done, sink.NDJSON[repairItem](j.folder.file(to)), append(j.cfg.unsaved(), j.folder.lookingStep(step)...)...)
	if err != nil {
		return rxcql.Report{}, err
	}
	return j.run(ctx, p)
}
