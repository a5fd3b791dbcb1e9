// Command rxcql moves tables of Cassandra: it copies, unloads, loads, counts, compares and repairs
// them. Run rxcql help for its commands, and rxcql help COMMAND for the flags of one.
package main

import (
	"os"
	_ "time/tzdata" // for --zone on a machine that has none

	"github.com/rxcql/rxcql/cmd/rxcql/internal/verbs"
)

func main() { os.Exit(verbs.Main()) }
