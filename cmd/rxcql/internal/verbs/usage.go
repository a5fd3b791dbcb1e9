package verbs

import (
	"fmt"
	"os"
	"slices"
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
		connection = "Connection, for both sides (for one alone: --source-hosts, --target-hosts and so on;\n" +
			"each also as a variable: --target-hosts is RXCQL_TARGET_HOSTS)"
	}
	for _, group := range []struct {
		title string
		flags *pflag.FlagSet
	}{{"What " + cmd.Name() + " does", v.own}, {"How it runs", common}, {connection, v.connects.Every}} {
		if group.flags.HasFlags() {
			fmt.Fprintf(out, "\n%s:\n%s", group.title, group.flags.FlagUsagesWrapped(width))
		}
	}
	fmt.Fprintf(out, "\n%s\n", settingOrder)
	if !slices.Contains(v.hidden, "checkpoint") {
		fmt.Fprintf(out, "%s\n", goingOn)
	}
	fmt.Fprintf(out, "%s", exitCodes)
	return nil
}

const settingOrder = `A setting of a connection is taken from the first place that has it: its flag, the cqlshrc of
--cqlshrc, its variable, the cqlshrc of RXCQL_CQLSHRC, the default. On the command line, and then in
the environment, what is said of one side comes before what is said of both: --target-hosts, the file
of --target-cqlshrc, --hosts, the file of --cqlshrc, and so on with variables. Passwords come from the
variables RXCQL_PASSWORD, RXCQL_SOURCE_PASSWORD and RXCQL_TARGET_PASSWORD, from files, or from a
question on the terminal; no flag takes one.
`

const goingOn = `What the folder of --checkpoint has counts only for what it was made with. Another cluster, command
or flag is refused. A table whose target was dropped, truncated or emptied meanwhile, or whose files
are others, is begun anew. When a run has come to its end nothing is kept: the same command is a new
run then.
`
