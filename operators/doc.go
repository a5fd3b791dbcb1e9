// Package operators has the operators between a source and a sink. An operator is a function from
// stream to stream; you compose them as Go functions:
//
//	readings := operators.Map(rows, parse)
//	warm := operators.Filter(readings, func(r Reading) bool { return r.Celsius > 30 })
//	batches := operators.Batch(warm, operators.BatchRows(100))
//
// Calling an operator does no I/O and starts nothing. What is wrong with its arguments (a nil
// function, a count below 1) is reported by rxcql.New, and by All, Collect and the like, together
// with everything else that is wrong.
//
// # Functions given to operators
//
// Each operator has one form. A function that makes or does something (Map, FlatMap, Scan, Reduce,
// Tap, MapConcurrent, both of Lookup, the fold of GroupAdjacent) returns an error as its last
// result: parsing and decoding fail, and an error that could not be returned would end as a zero
// value in a table. A function that only asks something about a row (Filter, TakeWhile, the key of
// GroupAdjacent, Distinct and DistinctAdjacent) returns just the answer. If that can fail, as
// decoding a rxcql.Row can, use FlatMap, or Map to the decoded row first.
//
// A state (of Scan, Reduce, GroupAdjacent) is made by a function, the seed, for each reading or
// group. A map or a pointer given as a value would be shared by all.
//
// An error ends the stream, unless rxcql.WithRowErrors says otherwise: the run fails with a
// rxcql.StageError that names the stage and wraps the error. A panic always ends it, and has its
// stack in the StageError. Rows before the failing one in its page may not have been handed on, and
// nothing of the page counts as done.
//
// Functions are called by one goroutine at a time, though not always the same one; that of
// MapConcurrent, and the one of Lookup that joins, are called by many at the same time. In a job
// with a checkpoint they must keep no state from row to row, such as a counter or the keys seen so
// far: a checkpoint does not have it, and a run that goes on begins in the middle of the rows and
// sees some again. For that reason Scan, Reduce, Skip, Take and TakeWhile cannot be part of a job.
// A function that keeps a rxcql.Row after its call should Clone it: otherwise it keeps the whole
// page in memory, which the budget does not count.
//
// # Synchronous and asynchronous operators
//
// Map, Filter, FlatMap, Scan, Reduce, Take, TakeWhile, Skip, Tap, GroupAdjacent, Concat, Distinct,
// DistinctAdjacent, and Batch without BatchLinger run as one loop a page, in the goroutine that
// delivers the page: no goroutine, no channel, and nothing allocated for a row. MapConcurrent,
// Lookup, Merge, Rx, and Batch with BatchLinger have goroutines of their own, which end with the
// stream. All operators hand rows on in the goroutine that reads the stream, one page at a time.
//
// # What each promises
//
//	operator       order         holds                              resumable  limit upstream
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
//	MapConcurrent  kept, or not  4n rows in order, n unordered      yes        as downstream
//	Lookup         kept, or not  4n rows in order, 2n unordered     yes        as downstream
//	Merge          an input's    nothing                            yes        as downstream
//	Concat         kept          nothing                            yes        as downstream
//	Distinct       kept          the keys, up to its bound          no         none
//	DistinctAdjacent  kept       the last key of each part          yes        none
//	Rx             rxgo's        what the rxgo operators hold       no         none
//
// "Holds" is what is kept from one page to the next; every operator also has the rows of the page
// that it works on. Rows held are charged to the budget (rxcql.WithBudget) and reported by
// flow.BudgetHeldError; folded state is not. "Resumable" says that a run can start again from a
// checkpoint, though the operator does not remember what came before; with the star, not before a
// sink that writes a file (Batch: only without BatchLinger).
//
// # Parts, watermarks and pages without rows
//
// A page says which part of which source it belongs to (flow.Position). It may also say that the
// part ends, and how far event time has come in it (flow.Watermark). Operators hand that on, in a
// page without rows if they drop all rows or if the rows that they hand on come from several parts.
// It never overtakes a row:
//
//	Map, Filter, FlatMap, Scan, Take, TakeWhile, Skip, Tap,
//	Merge, Concat, Distinct, DistinctAdjacent   with the page, after its rows
//	Batch          when it holds no row of the part, nor one of a page of several parts
//	GroupAdjacent  as far as it was before the page in which the open group of the part began
//	MapConcurrent,
//	Lookup         when all rows that came before have gone on
//	Reduce         after its one row
//	Rx             never: what comes out is a part of its own, without a watermark
package operators
