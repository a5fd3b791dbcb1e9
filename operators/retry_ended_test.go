package operators_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// An operator ends the stream by rows of another input, while Retry waits until it reads again.
func TestAStreamThatEndsWhileRetryWaitsIsNoFailure(t *testing.T) {
	for _, handedOn := range []int{0, 3} {
		synctest.Test(t, func(t *testing.T) {
			failing := source.Seq(func(yield func(int, error) bool) {
				for i := range 10 {
					if !yield(i, nil) {
						return
					}
				}
			}, source.PageRows(handedOn+2))
			tapped := operators.Retry(operators.Tap(failing, func(i int) error {
				if i == handedOn {
					return errUser
				}
				return nil
			}), operators.RetryAttempts(3), operators.RetryDelay(time.Hour, time.Hour), operators.RetryIf(func(error) bool { return true }))
			other := source.Seq(func(yield func(int, error) bool) {
				time.Sleep(time.Minute)
				for i := 0; yield(i, nil); i++ {
				}
			}, source.PageRows(5))
			rep, err := run(t, operators.Take(operators.Merge(tapped, other), 20))
			require.NoError(t, err)
			require.Equal(t, "Take", rep.EndedBy)
			require.Equal(t, rep.Pages, rep.PagesSettled+rep.PagesGivenUp)
		})
	}
}
