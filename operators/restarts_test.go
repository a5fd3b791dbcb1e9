package operators_test

import (
	"context"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

func TestAJobThatFailsAtOnceThirtyTimesIsNotRefusedForTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { // no time passes between the runs
		store := &jobtest.Store{}
		parts := &jobtest.Parts[int]{PageRows: 1, Rows: [][]int{upTo(40)}}
		to := sink.Each(func(context.Context, int) error { return nil }, sink.Idempotent())
		for i := range 31 {
			rows := operators.Tap(parts.Stream(), func(n int) error {
				if n == i { // a row more each time
					return errUser
				}
				return nil
			})
			if i == 30 {
				rows = parts.Stream()
			}
			p, err := rxcql.New(rows, to, rxcql.WithCheckpoint(store, "job"))
			require.NoError(t, err)
			rep, err := p.Run(context.Background())
			if i == 30 {
				require.NoError(t, err)
				require.True(t, rep.Complete)
				continue
			}
			require.ErrorIs(t, err, errUser, "restart %d", i)
		}
	})
}
