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
// failed in the middle of a pipeline is of the type that the stage takes.
//
// Rows are kept as JSON, in the form of encoding/json; an rxcql.Row is kept byte for
// byte. Each letter is read again before it counts, and a row that would not come
// back as it was ends the run with an error that names the field: a field that is
// not exported, or is left out by its json tag, and is not zero; an empty slice that
// would be nil; text that is not UTF-8; a float that is not a number. Two things may
// come back otherwise: numbers within an interface are json.Number, other values in it
// lose their Go type (bytes there are refused); and of a type with methods of its own
// for JSON or text only what these give is compared.
//
// To load letters again, build on them as on any other source:
//
//	letters := source.Seq(deadletter.Read[Order]("letters.ndjson"))
//	orders := operators.Map(letters, func(l deadletter.Letter[Order]) (Order, error) { return mend(l.Row) })
//
// A row may have more than one letter: a run that was broken off leaves letters
// for rows that the next run reads again.
package deadletter
