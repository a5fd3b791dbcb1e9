package rxcql_test

import (
	"context"
	"errors"
	"iter"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func TestASaveThatWaitsForAPageThatFailsDoesNotHoldUpTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		to := &resuming{info: rxcql.SinkInfo{Barrier: true}}
		to.write = func(context.Context, *flow.Page[int]) error {
			time.Sleep(2500 * time.Millisecond) // a save comes meanwhile, and waits
			return broken
		}
		_, err := goOn(t, tens(1), &jobtest.Store{}, to)
		require.ErrorIs(t, err, broken)
	})
}

func TestAReceiptThatIsLostEndsAJobWithABarrierAndSavesNothing(t *testing.T) {
	store := &jobtest.Store{}
	to := &resuming{info: rxcql.SinkInfo{Barrier: true}}
	var lost *flow.Reservation
	to.open = func(_ context.Context, st *rxcql.Stage) error {
		lost = st.Account(true).Reservation()
		return nil
	}
	to.write = func(_ context.Context, p *flow.Page[int]) error {
		lost.Take(p.Reservation, 1)
		return nil
	}
	_, err := goOn(t, tens(1), store, to)
	require.ErrorIs(t, err, rxcql.ErrUnsettled)
	state, err := store.State("job")
	require.NoError(t, err)
	require.Empty(t, state.Sources)
}

func TestARowThatFailsElsewhereWhileASaveWaitsForItEndsTheRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		broken := errors.New("broken")
		rows := source.SeqFrom("rows", func(int64) iter.Seq2[int, error] {
			return func(yield func(int, error) bool) {
				if yield(1, nil) {
					time.Sleep(1200 * time.Millisecond)
					yield(2, nil) // waits for the save that came after a second, which waits for row 1
				}
			}
		}, source.PageRows(1))
		slow := operators.MapConcurrent(rows, 1, func(context.Context, int) (int, error) {
			time.Sleep(1500 * time.Millisecond)
			return 0, broken
		})
		to := &resuming{info: rxcql.SinkInfo{Barrier: true}}
		p := pipeline(t, slow, rxcql.Sink[int](to), rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
		_, err := p.Run(context.Background())
		require.ErrorIs(t, err, broken)
	})
}
