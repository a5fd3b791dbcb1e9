package flow

import (
	"errors"
	"fmt"
)

// ErrBudgetHeld: operators hold all of the budget and wait for more rows.
var ErrBudgetHeld = errors.New("rxcql: budget held by operators")

// BudgetHeldError says that nothing can move any more, because an operator holds the budget and
// waits for more rows. The remedy is a larger budget, or a smaller batch.
type BudgetHeldError struct {
	Stage  string // the operator that holds most
	Held   int64  // bytes it holds
	Budget int64  // bytes allowed in all
}

func (e *BudgetHeldError) Error() string {
	return fmt.Sprintf("rxcql: stage %s holds %d of %d bytes of the budget and waits for more rows; "+
		"give WithBudget more, or let the stage hold less", e.Stage, e.Held, e.Budget)
}

// Is makes errors.Is(err, ErrBudgetHeld) hold.
func (e *BudgetHeldError) Is(target error) bool { return target == ErrBudgetHeld }
