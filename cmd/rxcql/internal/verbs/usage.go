package verbs

import (
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"golang.org/x/term"
)

// usage writes the help of a verb, with its flags in groups: those of its own first.
func (v *verb) usage(cmd *cobra.Command, common *pflag.FlagSet) error {
	out := cmd.OutOrStderr()
	width := 100
	if columns, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && columns > 40 {
		width = columns
	}
	fmt.Fprintf(out, "Usage:\n  %s\n", cmd.UseLine())
	if cmd.Example != "" {
		fmt.Fprintf(out, "\nExamples:\n%s\n", strings.TrimRight(cmd.Example, "\n"))
	}
	connection := "Connection (each also as a variable: --hosts is RXCQL_HOSTS)"
	if len(v.sides) > 1 {
		connection = "Connection, for both sides (for one alone: --source-hosts, --target-hosts and so on; each also as a variable: " +
			"--target-hosts is RXCQL_TARGET_HOSTS)"
	}
	for _, group := range []struct {
		title string
		flags *pflag.FlagSet
	}{{"What " + cmd.Name() + " does", v.own}, {"How it runs", common}, {connection, v.connects.Every}} {
		if group.flags.HasFlags() {
			fmt.Fprintf(out, "\n%s:\n%s", group.title, group.flags.FlagUsagesWrapped(width))
		}
	}
	fmt.Fprintf(out, "\n%s", exitCodes)
	return nil
}
