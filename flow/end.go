package flow

import "errors"

// End is what an operator returns upstream to end the stream on purpose. It never leaves
// the engine.
type End struct {
	Stage string // that has ended it
}

func (e *End) Error() string { return "ended by " + e.Stage }

// IsEnd reports whether err is how an operator ended the stream on purpose
// (rxcql.Stage.End) and no failure. Operators with several goroutines need it to tell
// which of their errors counts: a failure does, whenever it came.
func IsEnd(err error) bool {
	var e *End
	return errors.As(err, &e)
}
