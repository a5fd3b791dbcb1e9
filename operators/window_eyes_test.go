package operators_test

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
)

// What an attempt that has failed had in windows is held by nobody.
func TestWindowsThatAreReadAgainHoldNoPagesOfTheAttemptBefore(t *testing.T) {
	var once sync.Once
	in := operators.Map(script("A",
		happening{at: []int{1}, mark: 1},
		happening{at: []int{2}, mark: 2},
		happening{at: []int{13}, mark: 13},
		happening{at: []int{24}, last: true},
	), func(e timed) (timed, error) {
		err := error(nil)
		if e.at == 24 {
			once.Do(func() { err = errPasses })
		}
		return e, err
	})
	out := &gather[timesIn]{}
	p, err := rxcql.New(operators.Retry(inWindows(in, operators.Tumbling(10*time.Second)), atOnce()...), rxcql.Sink[timesIn](out))
	require.NoError(t, err)
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.EqualValues(t, 2, rep.PagesGivenUp, "the window of the first two was handed on")
	require.Zero(t, rep.HeldPages)
	require.Zero(t, rep.BytesInFlight)
}

func TestAJoinByTimeThatIsReadAgainHoldsNoPagesOfTheAttemptBefore(t *testing.T) {
	for _, fails := range []string{"what it reads", "what follows"} {
		var once sync.Once
		failing := func(e timed) (timed, error) {
			err := error(nil)
			if e.at == 24 {
				once.Do(func() { err = errPasses })
			}
			return e, err
		}
		left := script("A", happening{at: []int{1}}, happening{at: []int{2}}, happening{at: []int{24}, last: true})
		if fails == "what it reads" {
			left = operators.Map(left, failing)
		}
		right := script("B", happening{at: []int{2, 24}, last: true})
		key := func(timed) int { return 0 }
		pairs := operators.IntervalJoin(left, right, momentOf, momentOf, key, key, 0, 0, operators.IntervalJoinRows(10))
		lefts := operators.Map(pairs, func(p rxcql.Pair[timed, timed]) (timed, error) {
			if fails == "what follows" {
				return failing(p.Left)
			}
			return p.Left, nil
		})
		rep, err := rxcql.Run(t.Context(), operators.Retry(lefts, atOnce()...), &gather[timed]{})
		require.NoError(t, err, fails)
		require.True(t, rep.Complete, fails)
		require.Positive(t, rep.PagesGivenUp, fails)
		require.Equal(t, rep.Pages, rep.PagesSettled+rep.PagesGivenUp, fails)
		require.Zero(t, rep.HeldPages, fails)
		require.Zero(t, rep.BytesInFlight, fails)
	}
}
