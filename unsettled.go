package rxcql

import (
	"fmt"
	"strings"
)

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
	// Or are the other stages that have not given all of their holds back. If there are any, it
	// may be one of these that kept the page.
	Or   []string
	Part string // the token range, such as (-100, 250], or all
	Page int64  // of the part, from 0
}

func (e *UnsettledError) Error() string {
	stage := "stage " + e.Stage
	if len(e.Or) > 0 {
		stage += " or " + strings.Join(e.Or, " or ")
	}
	return fmt.Sprintf("%v: %d of %d; the first is page %d of range %s, which %s has not let go of",
		ErrUnsettled, e.Unsettled, e.Pages, e.Page, e.Part, stage)
}

// Is makes errors.Is(err, ErrUnsettled) hold.
func (e *UnsettledError) Is(target error) bool { return target == ErrUnsettled }

// unsettled returns an error that names what is not settled, when everything has been read.
func (r *Execution) unsettled() error {
	e := &UnsettledError{Pages: r.pages.Load(), Stage: "unknown", Part: "unknown"}
	e.Unsettled = e.Pages - r.settled.Load() - r.budget.GivenUp()
	if first, found := r.budget.Unsettled(); found {
		e.Stage, e.Or, e.Part, e.Page = first.Stage, first.Or, first.Part(), first.Page
	}
	return e
}
