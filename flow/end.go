package flow

import "errors"

// End is the error that an operator returns upstream to end the stream on purpose. It never leaves
// the engine. Only one that was made for a run (rxcql.Stage.End) ends its stream.
type End struct {
	Stage string // that ended the stream
	run   *Budget
}

// NewEnd returns the End of a stage in the run that a budget belongs to. Operators get theirs by
// rxcql.Stage.End.
func NewEnd(stage string, run *Budget) *End { return &End{stage, run} }

// Of reports whether the End is of the run that a budget belongs to. A function of a user's may
// begin a run while the stream of another one goes on. To each of them an End of the other one says
// nothing.
func (e *End) Of(run *Budget) bool { return e.run == run }

func (e *End) Error() string { return "ended by " + e.Stage }

// IsEnd reports whether err is no failure but the way in which an operator ended the stream on
// purpose (rxcql.Stage.End). Operators with several goroutines need it to choose which of their
// errors counts: a failure counts before an End, whichever came first.
func IsEnd(err error) bool {
	var e *End
	return errors.As(err, &e)
}
