package fleet

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// Status is how the job of a table ended.
type Status string

// How a job can end.
const (
	Done     Status = "done"      // every row is accounted for
	Left     Status = "left"      // nothing failed, but not every row is where it should be
	Failed   Status = "failed"    // an error ended it
	Stopped  Status = "stopped"   // a signal ended it in order
	NotBegun Status = "not begun" // the run ended before its turn
)

// Outcome is what became of the job of a table.
type Outcome struct {
	Job     string   `json:"job"`
	Table   string   `json:"table"`
	Status  Status   `json:"status"`
	Error   string   `json:"error,omitempty"`
	Left    []string `json:"left,omitempty"`
	Read    int64    `json:"rows_read"`
	Written int64    `json:"rows_written"`
	Retried int64    `json:"retried"`
	Anew    string   `json:"begun_anew,omitempty"` // why what an earlier run has left did not count
	// Earlier: an earlier run, which was interrupted at other tables, has done it. Ended is when.
	Earlier bool      `json:"earlier,omitempty"`
	Ended   time.Time `json:"ended,omitzero"`
	Report  any       `json:"report,omitempty"`
	// Begun: the run has begun to read. Resumed: it had something of an earlier run to go on with, or
	// it was refused before it looked. FromEmpty: see Task.
	Begun, Resumed, FromEmpty bool `json:"-"`
	// Unread: nothing failed, and not everything was read. A run that goes on asks for the rest.
	Unread bool `json:"-"`

	Text string `json:"text,omitempty"` // the report for people, for runs that go on
	err  error
}

// Err returns the error that ended the job, nil if none did or an earlier run had it.
func (o *Outcome) Err() error { return o.err }

// outcome judges how a job ended.
func (t *Task) outcome(r Result, err error, stopping bool) Outcome {
	o := Outcome{
		Job: t.Name, Table: t.Table, Left: r.Left, Read: r.Read, Written: r.Written, Retried: r.Retried,
		Earlier: r.Earlier, Report: r.Report, Text: r.Text, Begun: r.Begun, FromEmpty: t.FromEmpty, err: err,
	}
	switch {
	case err != nil && errors.Is(err, ErrStopped):
		o.Status, o.err = Stopped, nil
	case err != nil:
		o.Status, o.Error = Failed, err.Error()
	case !r.Complete && stopping:
		o.Status = Stopped
	case !r.Complete:
		o.Status, o.Unread = Left, true
		if len(o.Left) == 0 {
			o.Left = []string{"not everything was read"}
		}
	case len(r.Left) > 0:
		o.Status = Left
	default:
		o.Status = Done
	}
	return o
}

// goOn looks for what an earlier run has left. there: it was complete, and o is what it came to.
// Otherwise anew says why what it has left does not count, if there is something.
func (t *Task) goOn(ctx context.Context) (o Outcome, there bool, anew string, err error) {
	if t.Kept == nil {
		return o, false, "", nil
	}
	found, err := t.Kept.Begin(ctx)
	if err != nil || found.Outcome == nil {
		return o, false, found.Anew, err
	}
	if err := json.Unmarshal(found.Outcome, &o); err != nil {
		return o, false, "", fmt.Errorf("the outcome of an earlier run: %w", err)
	}
	o.Earlier, o.Ended = true, found.Ended
	t.complete = true
	return o, true, "", nil
}

// keep keeps the outcome of a job that is complete.
func (t *Task) keep(ctx context.Context, o Outcome) error {
	if t.Kept != nil {
		if err := t.Kept.Keep(ctx, o, o.Read > 0); err != nil {
			return fmt.Errorf("the outcome cannot be kept: %w", err)
		}
	}
	t.complete = true
	return nil
}
