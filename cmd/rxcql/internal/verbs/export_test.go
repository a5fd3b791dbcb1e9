package verbs

import (
	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
)

// For tests of this folder.

// Plain puts flags in the place of options.
func Plain(text string) string { return plain(text) }

// LeftOut says which rows a run has left out.
func LeftOut(r rxcql.Report) []string { return leftOut(r) }

// ResultOf is what a job of one pipeline came to, by its report and its error.
func ResultOf(r rxcql.Report, err error) (fleet.Result, error) { return result(r, nil, "", err) }

// LimitMemory is limitMemory.
func LimitMemory(budget int64) { limitMemory(budget) }
