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
