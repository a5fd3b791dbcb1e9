// Package gotext writes and reads values of Go types as text, by plans that are
// made once for a type: as a field of CSV, and as JSON. Its forms are those that
// codec.AppendText and codec.AppendJSON give to the CQL types, so that a file that
// was written from undecoded rows can be read into structs, and the other way
// round; where a Go type may hold several CQL types all their forms are read.
//
// encoding/json has the last word only for what has no CQL type: an any, and types
// with methods of their own.
package gotext
