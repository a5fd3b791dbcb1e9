// Package flow is the ground floor of a stream: what moves in it (Page), what that owes
// (Reservation, Receipt), who takes it (Observer), which parts of a source are settled (Track), and
// the bytes that may be in flight (Budget). Operators, sources and sinks are written with it,
// and with what rxcql has for them: Stage, Lift, NewStream and Sink. If you only build
// pipelines you need none of it, except for the facts of one error (BudgetHeldError).
//
// NewBudget, NewTrack, Task, TaskGroup, and the types that they take, are for the engine.
package flow
