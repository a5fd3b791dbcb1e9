package fleet

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
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
	Earlier bool     `json:"earlier,omitempty"` // an earlier run of the same checkpoint has done it
	Report  any      `json:"report,omitempty"`

	Text string `json:"text,omitempty"` // the report for people, for runs that go on
	err  error
}

// Err returns the error that ended the job, nil if none did or an earlier run had it.
func (o *Outcome) Err() error { return o.err }

// outcome judges how a job ended.
func (t *Task) outcome(r Result, err error, stopping bool) Outcome {
	o := Outcome{
		Job: t.Name, Table: t.Table, Left: r.Left, Read: r.Read, Written: r.Written, Retried: r.Retried,
		Earlier: r.Earlier, Report: r.Report, Text: r.Text, err: err,
	}
	switch {
	case err != nil && errors.Is(err, ErrStopped):
		o.Status, o.err = Stopped, nil
	case err != nil:
		o.Status, o.Error = Failed, err.Error()
	case !r.Complete && stopping:
		o.Status = Stopped
	case !r.Complete:
		o.Status = Left
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

// keep writes the outcome of a job that has come to its end where a run that goes on finds it. The
// file is whole or not there.
func (t *Task) keep(o Outcome) error {
	if t.Done == "" {
		return nil
	}
	text, err := json.Marshal(o)
	if err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(t.Done), filepath.Base(t.Done)+".*.tmp")
	if err != nil {
		return err
	}
	_, err = f.Write(text)
	err = errors.Join(err, f.Sync(), f.Close())
	if err == nil {
		err = os.Rename(f.Name(), t.Done)
	}
	if err != nil {
		_ = os.Remove(f.Name())
		return fmt.Errorf("the outcome of %s cannot be kept: %w", t.Table, err)
	}
	return nil
}

// kept returns the outcome that an earlier run has kept; false if there is none.
func (t *Task) kept() (o Outcome, there bool, err error) {
	if t.Done == "" {
		return o, false, nil
	}
	text, err := os.ReadFile(t.Done)
	if errors.Is(err, fs.ErrNotExist) {
		return o, false, nil
	}
	if err == nil {
		err = json.Unmarshal(text, &o)
	}
	switch {
	case err != nil:
		return o, false, fmt.Errorf("the outcome of an earlier run: %w", err)
	case o.Job != t.Name:
		return o, false, fmt.Errorf("%s is of another job (%s): give another folder for the checkpoints", t.Done, o.Job)
	}
	o.Earlier = true
	return o, true, nil
}
