package rxcql_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
)

func TestASaveThatWaitsForAPageThatFailsDoesNotHoldUpTheRun(t *testing.T) {
	broken := errors.New("broken")
	to := &resuming{info: rxcql.ResumeInfo{Barrier: true}}
	to.write = func(context.Context, *rxcql.Page[int]) error {
		time.Sleep(50 * time.Millisecond) // the saver comes meanwhile, and waits
		return broken
	}
	every := rxcql.CheckpointInterval(10 * time.Millisecond)
	p := pipeline(t, tens(1).Stream(), rxcql.Sink[int](to), rxcql.WithCheckpoint(&jobtest.Store{}, "job", every))
	failed := make(chan error, 1)
	go func() {
		_, err := p.Run(context.Background())
		failed <- err
	}()
	select {
	case err := <-failed:
		require.ErrorIs(t, err, broken)
	case <-time.After(10 * time.Second):
		t.Fatal("the run hangs")
	}
}

func TestAReceiptThatIsLostEndsAJobWithABarrierAndSavesNothing(t *testing.T) {
	store := &jobtest.Store{}
	to := &resuming{info: rxcql.ResumeInfo{Barrier: true}}
	var lost *rxcql.Lease
	to.open = func(_ context.Context, st *rxcql.Stage) error {
		lost = st.Account(true).Lease()
		return nil
	}
	to.write = func(_ context.Context, p *rxcql.Page[int]) error {
		lost.Take(p.Lease, 1)
		return nil
	}
	_, err := goOn(t, tens(1), store, to)
	require.ErrorIs(t, err, rxcql.ErrUnsettled)
	state, err := store.State("job")
	require.NoError(t, err)
	require.Empty(t, state.Sources)
}
