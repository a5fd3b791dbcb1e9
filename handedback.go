package rxcql

import (
	"context"
	"errors"

	"github.com/rxcql/rxcql/flow"
)

var errCutShort = errors.New("it has ended its stream by the context of a page that was still on its way, of which rows are lost then; " +
	"end the stream when Next has returned")

// handedBack returns the error that a stage gets from what follows it, to which it has handed
// something in ctx. No stage that follows can end the stream in the name of this one, or of one
// before it: that is the cause of a context that such a stage has cancelled. What follows has given
// a page up for that, so it must not be settled as after an end on purpose, and the run fails. From
// then on that end is a failure for all stages.
//
// A stage that waits in ctx when one that follows ends the stream may return no more than that ctx
// has been cancelled. Then its page stays open, and that is no failure.
func (s *Stage) handedBack(ctx context.Context, err error) error {
	if err == nil {
		return nil
	}
	err = s.run.ownError(err)
	for _, end := range []*flow.End{endIn(err), endIn(context.Cause(ctx))} {
		if end == nil {
			continue
		}
		if wrong, ok := s.run.wrongEnds.Load(end); ok {
			return andWrongEnd(err, wrong.(error)) //nolint:forcetypeassert // it is all that is put in
		}
		s.node.walk(func(n *node) {
			if by := s.run.stage(n); by.end.Load() == end {
				wrong := by.Fail(errCutShort)
				s.run.wrongEnds.Store(end, wrong)
				err = andWrongEnd(err, wrong)
				s.run.Fail(err)
			}
		})
	}
	if !flow.IsEnd(err) && givenUp(err) && s.endedBehind(ctx) {
		s.run.abandoned.Store(true)
	}
	return err
}

// endedBehind reports whether a context has ended because a stage that follows this one has ended
// the stream.
func (s *Stage) endedBehind(ctx context.Context) bool {
	end := flow.EndOf(context.Cause(ctx))
	if s.sink || end == nil || !end.Of(s.run.budget) {
		return false
	}
	behind := true
	s.node.walk(func(n *node) {
		behind = behind && s.run.stage(n).end.Load() != end
	})
	return behind
}

// andWrongEnd adds an end that is none to an error, unless the error says no more than that end, or
// is an echo of its context.
func andWrongEnd(err, wrong error) error {
	if errors.Is(err, wrong) {
		return err
	}
	if givenUp(err) {
		return wrong
	}
	return errors.Join(err, wrong)
}
