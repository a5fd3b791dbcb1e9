package source

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql/internal/driver"
)

// fetchWhole gets all rows of a statement as one page, because the server does not page it, or
// pages it wrongly.
func (r *paged[T]) fetchWhole(ctx context.Context, p part) (*driver.Page, error) {
	got, err := r.session.FetchWhole(ctx, p.st)
	if driver.Classify(err) == driver.FrameTooBig {
		err = fmt.Errorf("%w: %w; %s", errWhole, err, wholeAdvice)
	}
	return got, err
}

// errWhole and wholeAdvice are what users are told when that page is too large.
var errWhole = errors.New("the server does not page this statement (ORDER BY with IN on the partition key, or LIMIT on a virtual table), " +
	"so all its rows come as one page")

const wholeAdvice = "give the statement a lower LIMIT, or a query for each partition, or leave out ORDER BY and sort the rows that come"

func tooLargeWhole(bytes, budget int64) error {
	return fmt.Errorf("%w: they take %d bytes and the budget is %d; raise rxcql.WithBudget, %s", errWhole, bytes, budget, wholeAdvice)
}
