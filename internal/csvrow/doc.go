// Package csvrow writes and reads rows of CSV: RFC 4180, with commas, in UTF-8,
// of any bytes. It exists beside encoding/csv since that turns \r\n within quotes
// into \n, does not tell "" from nothing, and reads a quote that is never closed
// to the end of the file.
//
// Null is told from text by quotes: a field that is the null text (nothing, by
// default) and not quoted is null, and text that happens to be the same is
// written in quotes.
package csvrow
