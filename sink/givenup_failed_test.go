package sink_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// A stage ends its stream by the context of a page, and the sink fails with that page: then the
// error says both.
func TestAFailureWithAPageThatWasGivenUpIsKept(t *testing.T) {
	mine := fmt.Errorf("the disk is full: %w", context.DeadlineExceeded) // by a deadline of the sink's own
	for _, panics := range []bool{false, true} {
		for _, through := range []bool{false, true} {
			for _, says := range []bool{false, true} {
				t.Run(fmt.Sprint(panics, through, says), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						to := sink.Each(func(_ context.Context, e event) error {
							time.Sleep(time.Second)
							if e.P < 9 {
								return nil
							}
							time.Sleep(2 * time.Second) // the stream ends meanwhile
							if panics {
								panic(mine)
							}
							return mine
						}, sink.Idempotent())
						if through {
							to = sink.Through(func(s rxcql.Stream[event]) rxcql.Stream[event] { return operators.Map(s, widened) }, to)
						}
						_, err := rxcql.Run(t.Context(), quits(inTurn(100, source.PageRows(50)), 10500*time.Millisecond, says), to)
						require.ErrorContains(t, err, "the disk is full")
						require.Equal(t, panics, errors.Is(err, rxcql.ErrPanic))
						if !through { // otherwise the failure alone counts, as that of a stage of the sink
							require.ErrorContains(t, err, "stage Quits")
						}
					})
				})
			}
		}
	}
}
