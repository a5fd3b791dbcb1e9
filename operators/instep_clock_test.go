package operators_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/operators"
)

// A sync.Mutex would stop the time of the bubble.
func TestTimeGoesOnInABubbleWhileAnInputWaitsForWhatFollowsZip(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		both := operators.Zip(count(10, 3), count(10, 2), func(a, b int) (int, error) { return a + b, nil })
		slow := operators.Tap(both, func(int) error {
			time.Sleep(time.Second)
			return nil
		})
		rows, err := slow.Collect(t.Context())
		require.NoError(t, err)
		require.Len(t, rows, 10)
	})
}
