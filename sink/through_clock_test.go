package sink_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// A sync.Mutex would stop the time of the bubble.
func TestTimeGoesOnInABubbleWhileThroughEndsAndAFunctionInItSleeps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancel(t.Context())
		slow := func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.Tap(in, func(int) error {
				cancel()
				time.Sleep(time.Second)
				return nil
			})
		}
		into := sink.Through(slow, sink.Each(func(context.Context, int) error { return nil }))
		_, err := rxcql.Run(ctx, source.Of(1, 2, 3), into)
		require.ErrorIs(t, err, context.Canceled)
	})
}
