package transfer

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// rereadsInFlight is how many rows are read again at once, on each side.
const rereadsInFlight = 64

// reread is a line of what a second look at a candidate has given. If the row is equal now there is
// none.
type reread struct {
	Difference *Difference `json:"d,omitempty"`
	Again      *candidate  `json:"again,omitempty"` // it has moved, and is to be read again
	Unsure     bool        `json:"u,omitempty"`     // see scanned.Unsure
}

// rowPair reads a row of both tables by its key, and compares the two. It is safe for many
// goroutines.
type rowPair struct {
	c           *comparison
	left, right *pointReader
	views       sync.Pool // *viewPair
}

type viewPair struct{ left, right *view }

func newRowPair(c *comparison, left, right *pointReader) *rowPair {
	p := &rowPair{c: c, left: left, right: right}
	p.views.New = func() any { return &viewPair{newView(c, false), newView(c, true)} }
	return p
}

// seen is what a row was on both sides when it was read by its key.
type seen struct {
	left, right       rxcql.Row
	hasLeft, hasRight bool
	shown             [2]bool   // there is something to compare, at the source and at the target
	hashes            [2]string // see scanned.Left and Right
	cause             Cause     // empty if both sides are equal
	columns           []ColumnDifference
}

// look reads a row of both sides, first of the source: what is written to the source and then to
// the target is missed by none of the two readings.
func (p *rowPair) look(ctx context.Context, key [][]byte, static bool) (s seen, err error) {
	if s.left, s.hasLeft, err = p.left.read(ctx, key, static); err != nil {
		return s, fmt.Errorf("source: %w", err)
	}
	if s.right, s.hasRight, err = p.right.read(ctx, key, static); err != nil {
		return s, fmt.Errorf("target: %w", err)
	}
	p.with(&s, func(v *viewPair) { p.c.compare(v, &s, static) })
	return s, nil
}

// with calls fn with views of the rows that were seen.
func (p *rowPair) with(s *seen, fn func(*viewPair)) {
	v := p.views.Get().(*viewPair) //nolint:forcetypeassert // New makes no others
	defer p.views.Put(v)
	if s.hasLeft {
		v.left.of(s.left)
	}
	if s.hasRight {
		v.right.of(s.right)
	}
	fn(v)
}

// compare compares what was read.
func (c *comparison) compare(v *viewPair, s *seen, static bool) {
	if s.hasLeft {
		s.hashes[0] = hashText(v.left.hashTimes(s.left, static))
	}
	if s.hasRight {
		s.hashes[1] = hashText(v.right.hashTimes(s.right, static))
	}
	// A partition without static values is equal to one that is not there.
	s.shown[0] = s.hasLeft && (!static || v.left.hasStatics(s.left))
	s.shown[1] = s.hasRight && (!static || v.right.hasStatics(s.right))
	switch {
	case s.shown[0] && s.shown[1]:
		s.cause, s.columns = c.differences(v.left, v.right, s.left, s.right, static)
	case s.shown[0]:
		s.cause = Missing
	case s.shown[1]:
		s.cause = Extra
	}
}

// again looks at a candidate once more. At the last time a row that has moved again is Unstable.
func (p *rowPair) again(ctx context.Context, was candidate, last bool) (reread, error) {
	s, err := p.look(ctx, was.Key, was.Static)
	if err != nil {
		reason, unread := unreadable(err)
		if !unread {
			return reread{}, err
		}
		d, keyErr := p.difference(Unread, was.Key, was.Static, nil)
		d.Reason = reason
		return reread{Difference: &d, Unsure: was.Unsure}, keyErr
	}
	cause, columns := s.cause, s.columns
	if cause == "" {
		return reread{}, nil
	}
	if s.hashes != [2]string{was.Left, was.Right} {
		if !last {
			return reread{Again: &candidate{Key: was.Key, Static: was.Static, Left: s.hashes[0], Right: s.hashes[1], Unsure: was.Unsure}}, nil
		}
		cause, columns = Unstable, nil
	}
	d, err := p.difference(cause, was.Key, was.Static, columns)
	return reread{Difference: &d, Unsure: was.Unsure}, err
}

// unreadable reports whether an error is about this row alone and will not pass, and its reason
// without values.
func unreadable(err error) (reason string, is bool) {
	switch class := driver.Classify(err); class {
	case driver.TooManyTombstones, driver.FrameTooBig:
		return class.String(), true
	default:
		return "", false
	}
}

func (p *rowPair) difference(cause Cause, key [][]byte, static bool, columns []ColumnDifference) (Difference, error) {
	text, err := p.c.keyJSON(key)
	return Difference{Cause: cause, Key: text, Static: static, Columns: columns}, err
}

// keyJSON writes a key, or only its partition key, as a JSON object.
func (c *comparison) keyJSON(key [][]byte) (text json.RawMessage, err error) {
	text = append(text, '{')
	for i, cell := range key {
		if i > 0 {
			text = append(text, ',')
		}
		column := c.key[i].left
		if text, err = codec.AppendJSONText(text, column.Name); err != nil {
			return nil, err
		}
		if text, err = codec.AppendJSON(append(text, ':'), column.Type, cell); err != nil {
			return nil, fmt.Errorf("key column %q: %w", column.Name, err)
		}
	}
	return append(text, '}'), nil
}

// rereadAll looks at all candidates once more, for the n-th time.
func (j *DiffJob) rereadAll(ctx context.Context, rows *rowPair, n int) (rxcql.Report, error) {
	candidates := source.NDJSON[candidate](j.folder.file(candidatesName(n)), source.MaxLine(1<<30))
	last := n >= j.cfg.rereads
	all := operators.MapConcurrent(throttled(candidates, &j.cfg.config), rereadsInFlight,
		func(ctx context.Context, was candidate) (reread, error) { return rows.again(ctx, was, last) })
	found := operators.Filter(all, func(r reread) bool { return r.Difference != nil || r.Again != nil })
	p, err := rxcql.New(found, sink.NDJSON[reread](j.folder.file(rereadName(n))),
		append(j.cfg.unsaved(), j.folder.lookingStep(fmt.Sprintf("reread-%d", n))...)...)
	if err != nil {
		return rxcql.Report{}, err
	}
	return j.steps.run(ctx, p)
}

// moved makes the file of what is to be read again after the n-th time, and returns how many rows
// that are.
func (j *DiffJob) moved(ctx context.Context, n int) (rows int64, err error) {
	err = j.folder.replace(candidatesName(n+1), func(w *bufio.Writer) error {
		return eachLine(ctx, j.folder.file(rereadName(n)), func(r reread) error {
			if r.Again == nil {
				return nil
			}
			rows++
			return appendLine(w, r.Again)
		})
	})
	return rows, err
}

// wait waits for the pause before rows are read again. It returns false if the job was stopped.
func (j *DiffJob) wait(ctx context.Context) (goOn bool, err error) {
	end := time.NewTimer(j.cfg.pause)
	defer end.Stop()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	for !j.steps.isStopped() {
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-end.C:
			return true, nil
		case <-look.C:
		}
	}
	return false, nil
}

// collect makes the file of differences of what could not be read and of what was found each time,
// and counts them.
func (j *DiffJob) collect(ctx context.Context, times int, report *DiffReport) error {
	return j.folder.replace("differences.ndjson", func(w *bufio.Writer) error {
		err := eachLine(ctx, j.folder.file(unreadName), func(d Difference) error {
			report.count(d.Cause)
			return appendLine(w, d)
		})
		if err != nil {
			return err
		}
		for n := 1; n <= times; n++ {
			err := eachLine(ctx, j.folder.file(rereadName(n)), func(r reread) error {
				if r.Difference == nil {
					return nil
				}
				report.count(r.Difference.Cause)
				if r.Unsure {
					report.Candidates++
				}
				return appendLine(w, r.Difference)
			})
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// workFiles are the files that are not needed when the job is complete.
func workFiles(times int) (names []string) {
	names = []string{"scanned.ndjson", unreadName, "scan.checkpoint", "scan.checkpoint.lock", "counts.json"}
	for n := 1; n <= times; n++ {
		step := fmt.Sprintf("reread-%d.checkpoint", n)
		names = append(names, candidatesName(n), rereadName(n), step, step+".lock")
	}
	return append(names, candidatesName(times+1))
}

// causes are all causes, in the order of reports.
var causes = []Cause{Missing, Extra, Differing, Newer, Tie, Unstable, Unread}
