// Package verbs has the commands of rxcql: what their flags mean, and how they run. What they do is
// done by package transfer.
package verbs
