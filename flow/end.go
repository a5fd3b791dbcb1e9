package flow

import "errors"

// End is the error that an operator returns upstream to end the stream on purpose. It never leaves
// the engine.
type End struct {
	Stage string // that ended the stream
}

func (e *End) Error() string { return "ended by " + e.Stage }

// IsEnd reports whether err is no failure but the way in which an operator ended the stream on
// purpose (rxcql.Stage.End). Operators with several goroutines need it to choose which of their
// errors counts: a failure counts before an End, whichever came first.
func IsEnd(err error) bool {
	var e *End
	return errors.As(err, &e)
}
