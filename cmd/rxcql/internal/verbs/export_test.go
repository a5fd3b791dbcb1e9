package verbs

import "github.com/rxcql/rxcql"

// For tests of this folder.

// Plain puts flags in the place of options.
func Plain(text string) string { return plain(text) }

// LeftOut says which rows a run has left out.
func LeftOut(r rxcql.Report) []string { return leftOut(r) }

// LimitMemory is limitMemory.
func LimitMemory(budget int64) { limitMemory(budget) }
