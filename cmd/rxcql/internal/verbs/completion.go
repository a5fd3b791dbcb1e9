package verbs

import (
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/connect"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/show"
)

// values are those of flags that take one of a few, for the completion of shells.
var values = map[string][]string{
	"format": {"csv", "ndjson", "json", "parquet"}, "dialect": {"rfc4180", "cqlsh", "dsbulk"}, "compress": {"gzip", "zstd", "none"},
	"header": {"yes", "no"}, "encoding": {"utf-8", "latin-1"}, "decimals": {"string", "plain", "exponent"}, "markers": {"guessed", "none"},
	"progress":    {show.Auto, show.Bars, show.Lines, show.None},
	"tls-verify":  {connect.VerifyFull, connect.VerifyChain, connect.VerifyNone},
	"consistency": {"LOCAL_QUORUM", "LOCAL_ONE", "QUORUM", "EACH_QUORUM", "ONE", "TWO", "THREE", "ALL"},
}

// complete says what shells complete behind each flag, and for the arguments: names of files and
// folders only where such are taken. files: the arguments are files.
func complete(cmd *cobra.Command, files bool) {
	if !files {
		cmd.ValidArgsFunction = cobra.NoFileCompletions // tables, which only the server knows
	}
	cmd.Flags().VisitAll(func(f *pflag.Flag) { // errors would be of a flag that is not there, or came twice
		of := strings.TrimPrefix(strings.TrimPrefix(f.Name, "source-"), "target-")
		kind, _ := pflag.UnquoteUsage(f)
		switch few := values[of]; {
		case few != nil:
			_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(few, cobra.ShellCompDirectiveNoFileComp|cobra.ShellCompDirectiveKeepOrder))
		case kind == "folder":
			_ = cmd.MarkFlagDirname(f.Name)
		case kind != "file" && f.NoOptDefVal == "":
			_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.NoFileCompletions)
		}
	})
}
