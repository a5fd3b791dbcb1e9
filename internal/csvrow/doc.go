// Package csvrow writes and reads rows of CSV: RFC 4180, with commas, in UTF-8, of any bytes. Why
// not encoding/csv? It turns \r\n within quotes into \n, does not distinguish "" from nothing, and
// reads a quote that is never closed to the end of the file.
//
// Quotes distinguish null from text: a field that is the null text (nothing, by default) without
// quotes is null; text that equals it is written in quotes.
package csvrow
