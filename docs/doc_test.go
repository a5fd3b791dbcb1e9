// Package docs_test checks the pages of the module: README.md, DESIGN.md and those of this
// folder. Each Go block stands, word for word, in code that a test runs: the recipes that need
// no server here, those that need one in integration/docs (where a keyspace's name is a
// variable, see asShown), whole programs in examples. Links lead somewhere, and names in
// backticks are names that the code has.
package docs_test
