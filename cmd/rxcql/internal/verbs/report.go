package verbs

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/connect"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/show"
	"github.com/rxcql/rxcql/transfer"
)

// report is the report of a run; --json writes it as it is.
type report struct {
	Verb     string                    `json:"verb"`
	Version  string                    `json:"version"`
	ExitCode int                       `json:"exit_code"`
	Error    string                    `json:"error,omitempty"` // why nothing was begun, or how rxcql itself has failed
	Servers  map[string]connect.Server `json:"servers,omitempty"`
	Started  time.Time                 `json:"started"`
	Duration time.Duration             `json:"duration_ns"`
	Read     int64                     `json:"rows_read"`
	Written  int64                     `json:"rows_written"`
	Retried  int64                     `json:"retried"`
	Tables   []fleet.Outcome           `json:"tables,omitempty"`
	Plans    []transfer.Plan           `json:"plans,omitempty"` // of --dry-run
	GoOn     string                    `json:"go_on,omitempty"`

	verb *verb
}

func (v *verb) newReport() *report {
	return &report{Verb: v.Name(), Version: version(), Started: time.Now(), verb: v}
}

func (r *report) servers(run *run) {
	r.Servers = map[string]connect.Server{}
	for side, about := range run.servers {
		if side == "" {
			side = "server"
		}
		r.Servers[side] = about
	}
}

// usage ends a run that did not begin.
func (r *report) usage(err error) error {
	r.Duration = time.Since(r.Started)
	r.ExitCode, r.Error = fleet.ExitUsage, plain(err.Error())
	if errors.Is(err, fleet.ErrStopped) {
		r.ExitCode = fleet.ExitStopped
	}
	return errors.Join(err, r.write(nil))
}

// fault ends a run that has panicked outside of the jobs of its tables.
func (r *report) fault(err error) error {
	r.Duration = time.Since(r.Started)
	r.ExitCode, r.Error = fleet.ExitFault, err.Error()
	return errors.Join(err, r.write(nil))
}

// outcomes ends a run with what became of its tables. written: the report is where it should be.
func (r *report) outcomes(all []fleet.Outcome) (written bool, err error) {
	r.Duration = time.Since(r.Started)
	r.Tables, r.ExitCode = all, fleet.Exit(all)
	for i := range all {
		o := &all[i]
		o.Error = plain(o.Error)
		r.Read += o.Read
		r.Written += o.Written
		r.Retried += o.Retried
	}
	r.GoOn = r.verb.goOn(all)
	if err := r.write(r.text); err != nil {
		if r.ExitCode != fleet.ExitFault {
			r.ExitCode = fleet.ExitFailed // nobody has the report
		}
		return false, err
	}
	if r.ExitCode != fleet.ExitDone {
		return true, &saidError{fmt.Errorf("exit code %d", r.ExitCode)}
	}
	return true, nil
}

// write writes the report: as JSON where --json says, and as text for people. A text that is nil is
// left out.
func (r *report) write(text func(io.Writer)) error {
	v := r.verb
	out := v.program.Out
	if v.dataOut() || v.run.json == "-" {
		out = v.program.Err
	}
	if text != nil {
		text(out)
	}
	if v.run.json == "" {
		return nil
	}
	data, err := json.MarshalIndent(r, "", "  ")
	data = append(data, '\n')
	switch {
	case err != nil:
	case v.run.json != "-":
		err = os.WriteFile(v.run.json, data, 0o600)
	case v.dataOut():
		err = errors.New("standard output has the data already: give a file")
	default:
		_, err = v.program.Out.Write(data)
	}
	if err != nil {
		return fmt.Errorf("--json: %w", err)
	}
	return nil
}

// canReport checks, before anything is done, that the report can be written where --json says.
func (v *verb) canReport() error {
	switch {
	case v.run.json == "-" && v.dataOut():
		return errors.New("--json -: standard output has the data already: give a file")
	case v.run.json == "" || v.run.json == "-":
		return nil
	}
	// Emptied now, so that nobody takes an older report for that of a run which was killed.
	f, err := os.OpenFile(v.run.json, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, 0o600)
	if err != nil {
		return fmt.Errorf("--json: %w", err)
	}
	return f.Close()
}

// text writes the report for people.
func (r *report) text(out io.Writer) {
	counts := map[fleet.Status]int{}
	for _, o := range r.Tables {
		counts[o.Status]++
		fmt.Fprintf(out, "%s\n", oneLine(o))
		if o.Text != "" {
			fmt.Fprintf(out, "  %s\n", strings.ReplaceAll(strings.TrimRight(o.Text, "\n"), "\n", "\n  "))
		}
	}
	if len(r.Tables) > 1 {
		var parts []string
		for _, status := range []fleet.Status{fleet.Done, fleet.Left, fleet.Failed, fleet.Stopped, fleet.NotBegun} {
			if counts[status] > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", counts[status], status))
			}
		}
		fmt.Fprintf(out, "%d tables: %s\n", len(r.Tables), strings.Join(parts, ", "))
	}
	fmt.Fprintf(out, "%s rows read", show.Thousands(r.Read))
	if r.Written > 0 {
		fmt.Fprintf(out, ", %s written", show.Thousands(r.Written))
	}
	fmt.Fprintf(out, " in %v", r.Duration.Round(10*time.Millisecond))
	if s := r.Duration.Seconds(); s > 0 {
		fmt.Fprintf(out, ", %s rows/s", show.Thousands(int64(float64(r.Read)/s)))
	}
	if r.Retried > 0 {
		fmt.Fprintf(out, ", %s retries", show.Thousands(r.Retried))
	}
	fmt.Fprintf(out, "\n")
	if r.GoOn != "" {
		fmt.Fprintf(out, "%s\n", r.GoOn)
	}
}

// oneLine says what became of a table.
func oneLine(o fleet.Outcome) string {
	text := fmt.Sprintf("%s: %s", o.Table, o.Status)
	if o.Earlier {
		text += " by an earlier run"
		if !o.Ended.IsZero() {
			text += " at " + o.Ended.UTC().Format("2006-01-02 15:04:05Z")
		}
		text += " (--restart begins anew)"
	}
	if o.Status == fleet.NotBegun {
		return text
	}
	text += fmt.Sprintf(", %s rows read", show.Thousands(o.Read))
	for _, left := range o.Left {
		text += "; " + left
	}
	if o.Anew != "" {
		text += "; begun anew: " + o.Anew
	}
	if o.Error != "" {
		text += ": " + plain(o.Error)
	}
	return text
}
