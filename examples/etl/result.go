package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"

	"github.com/rxcql/rxcql"
)

// result is what the job did and how it ended. What was not reached is nil.
type result struct {
	ExitCode  int           `json:"exit_code"`
	Error     string        `json:"error,omitempty"`
	File      string        `json:"file,omitempty"`
	Cassandra *serverInfo   `json:"cassandra,omitempty"`
	Load      *rxcql.Report `json:"load,omitempty"`
	Run       *rxcql.Report `json:"run,omitempty"`
	Worst     []Route       `json:"worst,omitempty"`
}

// ended notes how the job ended: with err, and perhaps by a signal.
func (r *result) ended(err error, s *signals) {
	r.ExitCode, r.Error = 0, ""
	if err == nil {
		return
	}
	r.ExitCode, r.Error = 1, err.Error()
	if code := s.exitCode(); code != 0 && errors.Is(err, errInterrupted) {
		r.ExitCode = code
	}
}

func (r *result) print(out io.Writer, asJSON bool) error {
	if asJSON {
		enc := json.NewEncoder(out)
		enc.SetIndent("", "  ")
		return enc.Encode(r)
	}
	var text strings.Builder
	for _, step := range []struct {
		name   string
		report *rxcql.Report
	}{{"Load", r.Load}, {"Fold", r.Run}} {
		if step.report != nil {
			lines := strings.TrimSuffix(step.report.String(), "\n")
			fmt.Fprintf(&text, "\n%s: %s\n", step.name, lines)
		}
	}
	if len(r.Worst) > 0 {
		r.table(&text)
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// table prints the worst routes.
func (r *result) table(out *strings.Builder) {
	fmt.Fprintf(out, "\nThe routes with the longest mean delay, of those with %d flights and more:\n", leastFlights)
	w := tabwriter.NewWriter(out, 0, 0, 3, ' ', tabwriter.AlignRight)
	_, _ = fmt.Fprint(w, "\troute\tmiles\tflights\tmean\tleast\tmost\tlate\t\n")
	for i, route := range r.Worst {
		_, _ = fmt.Fprintf(w, "%d\t%s-%s\t%s\t%s\t%.1f min\t%d min\t%s min\t%.0f %%\t\n", i+1, route.Origin, route.Destination,
			thousands(int64(route.Distance)), thousands(route.Flights), route.DelayMean, route.DelayMin,
			thousands(int64(route.DelayMax)), 100*route.LateShare)
	}
	_ = w.Flush() // into memory, which takes everything
}
