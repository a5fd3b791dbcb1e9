// Package flow is the base of streams, for authors of sources, operators and sinks:
//
//   - Page: what moves in a stream;
//   - Reservation and Receipt: the bytes of a page to release, and the pages to settle;
//   - Observer: what takes pages;
//   - Track: which pages of a part of a source are settled;
//   - Budget: the bytes that may be in flight.
//
// You also need Stage, Lift, NewStream and Sink of package rxcql. To build pipelines you need
// nothing of this package, except BudgetHeldError for the facts of that error.
//
// For the engine alone are NewBudget and the methods of Budget, NewTrack, NewBrokenTrack,
// NewFrontier, Reread, Job, Part, Source, Task, TaskGroup, Unsettled and Usage. The goroutines of a
// stage are in a rxcql.TaskGroup.
package flow
