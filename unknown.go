package rxcql

import "fmt"

// UnknownOutcomeError is the error of a run that leaves rows of unknown outcome: how many rows, and
// the error that ended the run.
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

// CountUnknown counts rows that a sink has sent and given up, without knowing whether they were
// written. If the run fails, its UnknownOutcomeError has their number.
func (s *Stage) CountUnknown(rows int) { s.run.unknown.Add(int64(rows)) }

// naming adds the number of rows of unknown outcome to the error of a run.
func (rep *Report) naming(err error) error {
	if err == nil || rep.Unknown == 0 {
		return err
	}
	return &UnknownOutcomeError{Rows: rep.Unknown, Err: err}
}
