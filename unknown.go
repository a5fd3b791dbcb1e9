package rxcql

import "fmt"

// UnknownOutcomeError is how a run ends that leaves rows of which nobody knows
// whether they were written: how many, and the error that ended it.
type UnknownOutcomeError struct {
	Rows int64 // as in Report.Unknown
	Err  error
}

func (e *UnknownOutcomeError) Error() string {
	return fmt.Sprintf("rxcql: %d row(s) may have been written or not: %v", e.Rows, e.Err)
}

// Unwrap returns the error that ended the run.
func (e *UnknownOutcomeError) Unwrap() error { return e.Err }

// Is makes errors.Is(err, ErrUnknownOutcome) hold.
func (e *UnknownOutcomeError) Is(target error) bool { return target == ErrUnknownOutcome }

// CountUnknown counts rows that a sink has sent and given up, and of which it cannot
// tell whether they were written. A run that fails names their number in an
// UnknownOutcomeError.
func (s *Stage) CountUnknown(rows int) { s.run.unknown.Add(int64(rows)) }

// naming adds the rows of unknown outcome to the error of a run.
func (rep *Report) naming(err error) error {
	if err == nil || rep.Unknown == 0 {
		return err
	}
	return &UnknownOutcomeError{Rows: rep.Unknown, Err: err}
}
