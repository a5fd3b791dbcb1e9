package rxcql

import "fmt"

// UnsettledError is the error of a run that has no other error and has left pages unsettled
// (ErrUnsettled): how many, the first of them, and the stage that kept it. A stage of your own that
// keeps rows must call flow.Reservation.Settle for each reservation that has taken from a page, or
// Stage.Abandon.
type UnsettledError struct {
	Unsettled int64 // pages
	Pages     int64 // read in all

	// The first page that is not settled, and the stage that kept it. That is the stage that took
	// the last hold on the page, if it has not given all of its holds back; else another stage that
	// has not; else the source.
	Stage string
	Part  string // the token range, such as (-100, 250], or all
	Page  int64  // of the part, from 0
}

func (e *UnsettledError) Error() string {
	return fmt.Sprintf("%v: %d of %d; the first is page %d of range %s, which stage %s has not let go of",
		ErrUnsettled, e.Unsettled, e.Pages, e.Page, e.Part, e.Stage)
}

// Is makes errors.Is(err, ErrUnsettled) hold.
func (e *UnsettledError) Is(target error) bool { return target == ErrUnsettled }

// unsettled returns an error that names what is not settled, when everything has been read.
func (r *Execution) unsettled() error {
	e := &UnsettledError{Pages: r.pages.Load(), Stage: "unknown", Part: "unknown"}
	e.Unsettled = e.Pages - r.settled.Load()
	if first, found := r.budget.Unsettled(); found {
		e.Stage, e.Part, e.Page = first.Stage, first.Part(), first.Page
	}
	return e
}
