package verbs

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/connect"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
)

// Program is what a command has of the process that it runs in.
type Program struct {
	In       io.Reader
	Out, Err io.Writer
	Getenv   func(string) string
	Ask      func(prompt string) (string, error) // asks for a password
	Args     []string                            // of the command line, without the program
}

// Main runs the command of this process and returns its exit code.
func Main() int {
	p := &Program{In: os.Stdin, Out: os.Stdout, Err: os.Stderr, Getenv: os.Getenv, Ask: connect.Ask, Args: os.Args[1:]}
	crashApart()
	ctx, signals := catchSignals(context.Background())
	defer signals.release()
	return p.Run(ctx, signals)
}

// Run runs a command line and returns its exit code; that of a panic is fleet.ExitFault. signals
// may be nil.
func (p *Program) Run(ctx context.Context, signals *Signals) (code int) {
	defer func() {
		if v := recover(); v != nil {
			code = fleet.ExitFault
			fmt.Fprintf(p.Err, "rxcql: %v\n", fleet.Fault(v))
		}
	}()
	root := p.root(signals, &code) //nolint:contextcheck // commands get ctx by ExecuteContext
	root.SetArgs(p.Args)
	if err := root.ExecuteContext(ctx); err != nil {
		if code == fleet.ExitDone {
			code = fleet.ExitUsage
		}
		var silent *saidError
		if !errors.As(err, &silent) {
			fmt.Fprintf(p.Err, "rxcql: %s\n", plain(err.Error()))
		}
	}
	return code
}

// saidError is an error that has been said already.
type saidError struct{ error }

const about = `rxcql moves tables of Cassandra: to another cluster, keyspace or table, to files and from
files. It counts them, compares them, and repairs what differs. It works on one table, on several, or
on a whole keyspace in one run.`

const exitCodes = `Exit codes:
  0  every row is accounted for (diff: both sides are equal; --dry-run: nothing would be refused)
  1  a table failed, or would be refused (--dry-run), or the report could not be written; the other
     tables were worked on, unless --fail-fast was given. A table that the target does not have fails
  2  wrong arguments, no table of that name to read, or no connection: nothing was read or written
  3  nothing failed, but not every row is where it should be: bad records were left out, ranges
     could not be read, the sides differ, or rows are not repaired
  4  a signal ended the run in order; with --checkpoint the same command goes on
  5  a fault of rxcql itself (a panic), which the error names
If several hold, it is the first of 5, 1, 4 and 3. With --shard the rows are those of the share. A
fault that cannot be caught ends the process by SIGABRT, which is 134 in a shell, and without a report.

SIGINT and SIGTERM end a run in order: reading stops, and what has been read is written. A second
signal gives up what is in flight.
`

func (p *Program) root(signals *Signals, code *int) *cobra.Command {
	root := &cobra.Command{
		Use: "rxcql", Short: "moves, counts, compares and repairs tables of Cassandra",
		Long: about, SilenceErrors: true, SilenceUsage: true, Version: version(),
	}
	root.SetIn(p.In)
	root.SetOut(p.Out)
	root.SetErr(p.Err)
	root.SetVersionTemplate("rxcql {{.Version}}\n")
	root.SetFlagErrorFunc(flagError)
	cobra.EnableCommandSorting = false
	s := &shared{program: p, signals: signals, code: code}
	root.AddCommand(s.commands()...)
	root.AddCommand(&cobra.Command{
		Use: "version", Short: "print the version", Args: cobra.NoArgs,
		Run: func(cmd *cobra.Command, _ []string) { fmt.Fprintf(cmd.OutOrStdout(), "rxcql %s\n", version()) },
	})
	return root
}

// flagError adds what to do instead to the error of a flag that people expect to be there.
func flagError(cmd *cobra.Command, err error) error {
	if text := err.Error(); strings.Contains(text, "password") || strings.Contains(text, "shorthand flag: 'p'") { // it has the argument
		return errors.New("no flag takes a password, since others can read the arguments of a process: " +
			"give --user and --password-file, set RXCQL_PASSWORD, or let rxcql ask for it on the terminal")
	}
	return fmt.Errorf("%w; see rxcql %s --help", err, cmd.Name())
}

// version returns the version of the module that the program was built from.
func version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "unknown"
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" && (info.Main.Version == "" || info.Main.Version == "(devel)") {
			return "devel " + s.Value
		}
	}
	return info.Main.Version
}
