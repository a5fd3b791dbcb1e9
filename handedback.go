package rxcql

import (
	"errors"

	"github.com/rxcql/rxcql/flow"
)

var errCutShort = errors.New("it has ended its stream by the context of a page that was still on its way, of which rows are lost then; " +
	"end the stream when Next has returned")

// handedBack returns the error that a stage gets from what follows it. No stage that follows can
// end the stream in the name of this one, or of one before it: that is the cause of a context that
// such a stage has cancelled. What follows has given a page up for that, so it must not be settled
// as after an end on purpose, and the run fails.
func (s *Stage) handedBack(err error) error {
	if err == nil {
		return nil
	}
	var end *flow.End
	if !errors.As(err, &end) {
		return err
	}
	s.node.walk(func(n *node) {
		if by := s.run.stage(n); by.end.Load() == end {
			err = by.Fail(errCutShort)
			s.run.Fail(err)
		}
	})
	return err
}
