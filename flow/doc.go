// Package flow is the ground floor of a stream: what moves in it (Page), what that owes
// (Lease, Receipt), who takes it (Observer), which parts of a source are settled (Track), and
// the bytes that may be in flight (Budget). It has the words that operators, sources and
// sinks are written with, beside those of rxcql: a Stage, what a stream is made of (Lift,
// NewStream) and what a Sink is. Who only builds pipelines needs none of them, but for the
// facts of an error (BudgetHeldError).
//
// NewBudget, NewTrack, Task and what they take are for the engine.
package flow
