// Package rowcheck lets package transfer check the rows of a file where they are read, so that one
// which it refuses is a bad record of the file, with its line and its text.
package rowcheck

// Option makes an option of package source from a func(rxcql.Row) error: a source.NDJSONOption and
// a source.CSVOption. An error of the function holds no value of the row, and several goroutines
// call it at once.
var Option func(check any) any
