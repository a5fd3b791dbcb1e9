// Package operators has the verbs between a source and a sink. An operator is a
// function from stream to stream; composition is Go's own:
//
//	readings := operators.Map(rows, parse)
//	warm := operators.Filter(readings, func(r Reading) bool { return r.Celsius > 30 })
//	batches := operators.Batch(warm, operators.BatchRows(100))
//
// Calling one does no I/O and starts nothing. What is wrong with its arguments
// (a nil function, a count below 1) is reported by rxcql.New, and by All,
// Collect and the like, together with everything else that is wrong.
//
// # Functions given to operators
//
// There is one form of each verb. A function that makes or does something (Map,
// FlatMap, Scan, Reduce, Tap, MapConcurrent, the fold of GroupAdjacent) returns an
// error last, because parsing and decoding fail, and an error that has nowhere
// to go ends as a zero value in a table. A function that only asks something of
// a row (Filter, TakeWhile, the keys of GroupAdjacent, Distinct and DistinctAdjacent) returns
// the plain answer; where asking can fail, as decoding a rxcql.Row can, use FlatMap, or Map to the
// decoded row first.
//
// A state (of Scan, Reduce, GroupAdjacent) is made by a function, the seed, for each
// reading or group: a map or a pointer that was given as a value would be shared by all.
//
// An error ends the stream: the run fails with a rxcql.StageError that names the
// stage and wraps the error. So does a panic, with its stack. Rows before the
// failing one in its page may not have been handed on, and nothing of the page
// counts as done.
//
// Functions are called by one goroutine at a time (but those of MapConcurrent), not always the
// same one. In a job with a checkpoint they must keep no state from row to row, such as a
// counter or the keys seen so far: no checkpoint has it, and a run that goes on begins in the
// middle of the rows, and sees some again. Scan, Reduce and TakeWhile cannot be part of a job
// for that reason. A function that keeps a rxcql.Row beyond its call should Clone it: else it
// keeps the whole page in memory, which the budget does not count.
//
// # Synchronous and asynchronous operators
//
// Map, Filter, FlatMap, Scan, Reduce, Take, TakeWhile, Skip, Tap, GroupAdjacent, Concat,
// Distinct, DistinctAdjacent, and Batch without a time limit, run as one loop a page in the
// goroutine that delivers the page: no goroutine, no channel, and nothing allocated for a row.
// MapConcurrent, Merge, Rx, and Batch with Linger own goroutines; they end with the
// stream. All of them hand rows on in the goroutine that reads the stream, one
// page at a time.
//
// # What each promises
//
//	verb           order         holds                              resumable  limit upstream
//	Map, Tap       kept          nothing                            yes        as downstream
//	Filter         kept          nothing                            yes        none
//	FlatMap        kept          nothing                            yes        none
//	Scan           kept          its state                          no         as downstream
//	Reduce         one row       its state                          no         none
//	Take           kept          nothing                            no         its n
//	TakeWhile      kept          nothing                            no         as downstream
//	Skip           kept          nothing                            no         n more than downstream
//	Batch          kept          less than a batch                  yes *      count times downstream
//	GroupAdjacent  kept          a state and receipts a range       yes *      none
//	MapConcurrent     kept, or not  4n rows in order, n unordered      yes        as downstream
//	Merge          an input's    nothing                            yes        as downstream
//	Concat         kept          nothing                            yes        as downstream
//	Distinct       kept          the keys, up to its bound          no         none
//	DistinctAdjacent  kept       the last key of each part          yes        none
//	Rx             rxgo's        what the rxgo operators hold       no         none
//
// "Holds" is what stays from one page to the next; every operator also has the
// rows of the page that it works on. Rows held are charged to the budget
// (rxcql.WithBudget) and named in flow.BudgetHeldError; folded state is not.
// "Resumable" says that a run may start again from a checkpoint without an
// operator having to remember what was before; with the star, not before a sink
// that writes a file (Batch: without Linger).
//
// # Parts, watermarks and pages without rows
//
// A page says which part of which source it is of (flow.Position), and may say that the part
// ends and how far event time has come in it (flow.Watermark). Operators hand that on, in a
// page without rows where they drop all of them or where the rows that they hand on are of
// several parts. It never overtakes a row:
//
//	Map, Filter, FlatMap, Scan, Take, TakeWhile, Skip, Tap,
//	Merge, Concat, Distinct, DistinctAdjacent   with the page, behind its rows
//	Batch          when no row of the part is held, nor one of a page of several parts
//	GroupAdjacent  as far as it was before the page in which the open group of the part began
//	MapConcurrent     when all rows that came before have gone on
//	Reduce         behind its one row
//	Rx             not: what comes out is a part of its own, without a watermark
package operators
