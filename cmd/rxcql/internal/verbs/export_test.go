package verbs

import (
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
	"github.com/rxcql/rxcql/transfer"
)

// For tests of this folder.

// Plain puts flags in the place of options.
func Plain(text string) string { return plain(text) }

// LeftOut says which rows a run has left out.
func LeftOut(r rxcql.Report) []string { return leftOut(r) }

// ResultOf is what a job of one pipeline came to, by its report and its error.
func ResultOf(r rxcql.Report, err error) (fleet.Result, error) { return result(r, nil, "", err) }

// OptionsOf are the options of each of several tables, by the flags that say how a verb runs.
func OptionsOf(tables int, args ...string) (all [][]transfer.Option, err error) {
	v := &verb{Command: &cobra.Command{}, own: pflag.NewFlagSet("", pflag.ContinueOnError)}
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	v.run.add(set)
	if err := set.Parse(args); err != nil {
		return nil, err
	}
	settings, err := v.run.read()
	if err != nil {
		return nil, err
	}
	r := &run{verb: v, settings: settings}
	for range tables {
		opts, _ := r.options(place{})
		all = append(all, opts)
	}
	return all, nil
}

// LimitMemory is limitMemory.
func LimitMemory(budget int64) { limitMemory(budget) }
