// Package deadletter keeps rows that failed, so that they can be loaded again: in a file (NDJSON),
// one letter a line, or in a Cassandra table (Table).
//
//	store := deadletter.NDJSON("letters.ndjson")
//	p, err := rxcql.New(rows, sink.Table[Order](session, "shop.orders"),
//		rxcql.WithRowErrors(rxcql.DeadLetter(store)))
//
// A letter says where and why the row failed, and has the row as it came into that stage:
//
//   - a row that could not be decoded at the source is an rxcql.Row;
//   - a line of a file is a string, or a []byte if it is not UTF-8;
//   - a row that failed in the middle of a pipeline has the type that the stage takes.
//
// Rows are kept as JSON, in the form of encoding/json; an rxcql.Row is kept byte for byte. Each
// letter is read back before it counts. If a row would not come back as it was, the run ends with
// an error that names the field. That is so for:
//
//   - a field that is unexported, or left out by its json tag, and not zero;
//   - an empty slice that would become nil;
//   - text that is not UTF-8;
//   - a float that is not a number.
//
// Two things may come back differently. In an interface, numbers become json.Number and other
// values lose their Go type (bytes there are refused). Of a type with methods of its own for JSON
// or text, only what these methods return is compared.
//
// To load letters again, read them like any other source:
//
//	letters := source.Seq(deadletter.Read[Order]("letters.ndjson"))
//	orders := operators.Map(letters, func(l deadletter.Letter[Order]) (Order, error) {
//		return fix(l.Row)
//	})
//
// A row may have more than one letter: after a run that was interrupted, the next run reads rows
// again for which there are letters already.
package deadletter
