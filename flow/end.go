package flow

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

// EndOf returns the End that an error says, which may be wrapped, or joined with others of its run.
// It returns nil if there is none, and if the error says anything else: a failure that comes with
// an End is a failure.
func EndOf(err error) *End {
	switch e := err.(type) { //nolint:errorlint // each error of the tree by itself
	case *End:
		return e
	case interface{ Unwrap() error }:
		return EndOf(e.Unwrap())
	case interface{ Unwrap() []error }:
		var first *End
		for _, one := range e.Unwrap() {
			end := EndOf(one)
			if end == nil || first != nil && end.run != first.run {
				return nil
			}
			if first == nil {
				first = end
			}
		}
		return first
	}
	return nil
}

// IsEnd reports whether err is no failure but the way in which an operator ended the stream on
// purpose (rxcql.Stage.End). Operators with several goroutines need it to choose which of their
// errors counts: a failure counts before an End, whichever came first.
func IsEnd(err error) bool { return EndOf(err) != nil }
