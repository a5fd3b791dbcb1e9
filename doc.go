// Package rxcql is a reactive stream-processing toolkit over Cassandra: queries
// become cold Observables of pages that are read lazily under backpressure, go
// through composable operators and drain into batched write sinks.
//
//	flights := source.Table[Flight](session, "air.flights")
//	late := operators.Filter(flights, func(f Flight) bool { return f.Delay > 60 })
//	report, err := rxcql.Run(ctx, late, sink.Table[Flight](session, "air.late"))
//
// The packages: source makes streams, operators transforms them, sink drains
// them. This package has what their users say: Stream, Row, the options, and Pipeline,
// which owns every goroutine of a run; Run makes one and runs it. Who writes a source, an
// operator or a sink also needs Stage, Lift, NewStream and Sink here, and package flow:
// pages and what they owe.
//
// A page is the unit that moves; a row is the unit that operators see. Every
// page read carries a receipt, settled exactly once, when everything made from
// the page is durable, dropped on purpose or dead-lettered. The bytes in flight
// are bounded (WithBudget); reading waits when they are used up, and so does not
// run ahead of a slow sink.
package rxcql
