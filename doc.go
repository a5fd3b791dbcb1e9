// Package rxcql is a reactive stream-processing toolkit over Cassandra: queries
// become cold Observables of pages that are read lazily under backpressure, go
// through composable operators and drain into batched write sinks.
//
//	flights := source.Table[Flight](session, "air.flights")
//	late := operators.Filter(flights, func(f Flight) bool { return f.Delay > 60 })
//	report, err := rxcql.Run(ctx, late, sink.Table[Flight](session, "air.late"))
//
// Package source makes streams, operators transforms them, and sink drains them. This package has
// what their users name: Stream, Row, the options, and Pipeline, which owns every goroutine of a
// run; Run makes a Pipeline and runs it. To write a source, an operator or a sink you also need
// Stage, Lift, NewStream and Sink from here, and package flow: pages, and the accounting of their
// bytes and receipts.
//
// Rows move in pages; operators see single rows. Every page read carries a receipt, which is
// settled exactly once: when everything made from the page is durable, dropped on purpose or
// dead-lettered. The bytes in flight are bounded (WithBudget). When the budget is used up, reading
// waits, so it does not run ahead of a slow sink.
package rxcql
