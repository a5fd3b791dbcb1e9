package growth_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/growth"
)

func TestStatesAreMeasuredSeldomAndWhenTheyMayHaveGrownByAQuarter(t *testing.T) {
	for name, each := range map[string]int64{"by their rows": 100, "by more": 1000, "not at all": 0} {
		g, now, known, times, most := growth.New(), int64(0), int64(0), 0, 0.0
		for range 1_000_000 {
			now += each
			if now > 16<<20 { // while they are small it is by so many bytes, and not by a part
				most = max(most, float64(now-known)/float64(now))
			}
			if g.Fold(100) {
				g.Measured(known, now)
				known = now
				times++
			}
		}
		require.Less(t, times, 120, name)
		require.Positive(t, times, name)
		require.Less(t, most, 0.35, name)
	}
}
