// Package deadletter keeps rows that failed, and gives them back to be loaded
// again: in a file (NDJSON), one letter a line, or in a Cassandra table (Table).
//
//	store := deadletter.NDJSON("letters.ndjson")
//	p, err := rxcql.New(rows, sink.Table[Order](session, "shop.orders"),
//		rxcql.WithRowErrors(rxcql.DeadLetter(store)))
//
// A letter says where the row failed and why, and has the row as it came into
// that stage: a row that could not be decoded at the source is there as an
// rxcql.Row, a line of a file as a string (a []byte if it is not UTF-8), one that
// failed in the middle of a pipeline is of the type that the stage takes. Rows are kept as encoding/json writes them, so fields that it
// leaves out are not kept; an rxcql.Row is kept byte for byte. A row that JSON
// would not keep as it is (text that is not UTF-8, a float that is not a number)
// ends the run with an error.
//
// To load letters again, build on them as on any other source:
//
//	letters := source.Seq(deadletter.Read[Order]("letters.ndjson"))
//	orders := operators.Map(letters, func(l deadletter.Letter[Order]) (Order, error) { return mend(l.Row) })
//
// A row may have more than one letter: a run that was broken off leaves letters
// for rows that the next run reads again.
package deadletter
