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
// Tap, EventTime, MapConcurrent, Zip, both of Lookup, the folds of GroupAdjacent, GroupBy and
// Conflate) returns an error as its last result: parsing and decoding fail, and an error that could
// not be returned would end as a zero value in a table. A function that only asks something about a
// row (Filter, TakeWhile, the key of GroupAdjacent, GroupBy, Lanes, Distinct, DistinctAdjacent and
// MergeJoin, what compares rows or keys) returns just the answer. If that can fail, as decoding a
// rxcql.Row can, use FlatMap, or Map to the decoded row first.
//
// A state (of Scan, Reduce, GroupAdjacent, GroupBy, Window, WindowAdjacent, Conflate) is made by a
// function, the seed, for each reading, group, or key in a window. A map or a pointer given as a
// value would be shared by all.
//
// An error ends the stream, unless rxcql.WithRowErrors says otherwise: the run fails with a
// rxcql.StageError that names the stage and wraps the error. A panic always ends it, and has its
// stack in the StageError. Rows before the failing one in its page may not have been handed on, and
// nothing of the page counts as done.
//
// Functions are called by one goroutine at a time, though not always the same one; that of
// MapConcurrent, and the one of Lookup that joins, are called by many at the same time, and those
// in different lanes of Lanes at the same time as each other. In a job with a checkpoint they must
// keep no state from row to row, such as a counter or the keys seen so far: a checkpoint does not
// have it, and a run that goes on begins in the middle of the rows and sees some again. For that
// reason Scan, Reduce, GroupBy, Distinct, Skip, Take and TakeWhile cannot be part of a job, nor can
// Zip and MergeJoin. A function that keeps a rxcql.Row after its call should Clone it: otherwise it
// keeps the whole page in memory, which the budget does not count.
//
// # Synchronous and asynchronous operators
//
// Map, Filter, FlatMap, Scan, Reduce, Take, TakeWhile, Skip, Tap, EventTime, GroupAdjacent,
// GroupBy, Window, WindowAdjacent, Concat, Distinct, DistinctAdjacent, Retry, Recover, Throttle,
// and Batch without BatchLinger run as one loop a page, in the goroutine that delivers the page: no
// goroutine, no channel, and nothing allocated for a row. MapConcurrent, Lookup, Lanes, Merge, Zip,
// MergeSorted, MergeJoin, IntervalJoin, Rx, Buffer, Timeout, Sample, Debounce, Conflate, and Batch
// with BatchLinger have goroutines of their own, which end with the stream. All operators hand rows
// on in the goroutine that reads the stream, one page at a time.
//
// # What each promises
//
//	operator       order         holds                              resumable  limit upstream
//	Map, Tap       kept          nothing                            yes        as downstream
//	EventTime      kept          some words a part                  yes        as downstream
//	Filter         kept          nothing                            yes        none
//	FlatMap        kept          nothing                            yes        none
//	Scan           kept          its state                          no         as downstream
//	Reduce         one row       its state                          no         none
//	Take           kept          nothing                            no         its n
//	TakeWhile      kept          nothing                            no         as downstream
//	Skip           kept          nothing                            no         n more than downstream
//	Batch          kept          less than a batch                  yes *      count times downstream
//	GroupAdjacent  kept          a state and receipts a range       yes *      none
//	GroupBy        of first rows  the groups, up to its bound       no         none
//	Window         of windows    the states, up to its bound; pages  yes *     none
//	WindowAdjacent  kept, by part  states and receipts a range      yes *      none
//	Lanes          a key's       512 rows a lane, and its chain's   as chain   as downstream
//	MapConcurrent  kept, or not  4n rows in order, n unordered      yes        as downstream
//	Lookup         kept, or not  4n rows in order, 2n unordered     yes        as downstream
//	Merge          an input's    nothing                            yes        as downstream
//	Concat         kept          nothing                            yes        as downstream
//	Zip            kept          a page of each input               no         as downstream
//	MergeSorted    of all        a page of each input               yes *      as downstream
//	MergeJoin      of the key    a page of each, rows of one key    no         none
//	IntervalJoin   of the later rows  rows of both, up to its bound; pages  yes *  none
//	Distinct       kept          the keys, up to its bound          no         none
//	DistinctAdjacent  kept       the last key of each part          yes        none
//	Retry          an attempt's  nothing                            yes *      as downstream
//	Recover        kept          nothing                            no         as downstream
//	Throttle       kept          nothing                            yes        as downstream
//	Buffer         kept          its n rows                         if it blocks  none
//	Timeout        kept          nothing                            yes        as downstream
//	Sample         kept          a row                              no         none
//	Debounce       kept          a row                              no         none
//	Conflate       kept          its state and receipts             no         none
//	Rx             rxgo's        what the rxgo operators hold       no         none
//
// "Holds" is what is kept from one page to the next; every operator also has the rows of the page
// that it works on. Rows held are charged to the budget (rxcql.WithBudget) and reported by
// flow.BudgetHeldError; folded state is not, except that of GroupBy and Window. WindowWithLate is
// as Window, with late rows before the results of their page. "Resumable" says that a run can start
// again from a checkpoint, though the operator does not remember what came before; with the star,
// not before a sink that writes a file (Batch: only without BatchLinger). Pages that wait in step
// with others are charged to the budget as they were read. Behind Retry rows may come more than
// once in a run.
//
// # Parts, watermarks and pages without rows
//
// A page says which part of which source it belongs to (flow.Position). It may also say that the
// part ends, how far event time has come in it (flow.Watermark), and that it is idle. Operators
// hand that on, in a page without rows if they drop all rows or if the rows that they hand on come
// from several parts. So they do with pages about all parts of a source (flow.AllParts). It never
// overtakes a row:
//
//	Map, Filter, FlatMap, Scan, Take, TakeWhile, Skip, Tap,
//	Merge, Concat, Distinct, DistinctAdjacent,
//	Retry, Recover,
//	Throttle, Timeout   with the page, after its rows; a part does not end where its stream fails
//	EventTime      likewise, with the watermark that it has by the rows so far
//	Buffer         when all rows that came before have gone on or were dropped
//	Sample, Debounce   when the row of the part that is kept has gone on or was dropped
//	Conflate       after the state that has its rows
//	Batch          when it holds no row of the part, nor one of a page of several parts
//	GroupAdjacent  as far as it was before the page in which the open group of the part began
//	MapConcurrent,
//	Lookup         when all rows that came before have gone on
//	Zip, MergeSorted, MergeJoin  when all rows of the page have gone on
//	Reduce, GroupBy  after all that they give
//	Window         as far as windows are over, behind their results; that a part is idle at the end
//	WindowAdjacent  as far as the beginning of the windows of the part that are open
//	IntervalJoin   as far as event time of both sides; that a part is idle at the end
//	Lanes          when each lane has handed it on
//	Rx             never: what comes out is a part of its own, without a watermark
package operators
