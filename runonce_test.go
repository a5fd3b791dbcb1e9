package rxcql_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/saved"
	"github.com/rxcql/rxcql/operators"
)

func runOnce(t *testing.T, in rxcql.Stream[int], store *jobtest.Store, to rxcql.Sink[int], opts ...rxcql.CheckpointOption) (rxcql.Report, error) {
	t.Helper()
	return pipeline(t, in, to, rxcql.WithCheckpoint(store, "job", opts...)).Run(context.Background())
}

func TestAJobThatIsCompleteStaysSoWhenARunOfItIsRefused(t *testing.T) {
	for _, barrier := range []bool{false, true} {
		parts, store, to := tens(1), &jobtest.Store{}, &resuming{info: rxcql.SinkInfo{Barrier: barrier}}
		_, err := runOnce(t, parts.Stream(), store, to, rxcql.RunOnce())
		require.NoError(t, err)
		state := store.Get("job")

		parts.Facts[0].Value = "another"
		_, err = runOnce(t, parts.Stream(), store, to, rxcql.RunOnce())
		require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
		require.Equal(t, state, store.Get("job"))

		parts.Facts[0].Value = "a"
		rep, err := runOnce(t, parts.Stream(), store, to)
		require.NoError(t, err)
		require.EqualValues(t, 10, rep.ReadRows, "a job that is complete begins anew")
	}
}

func TestAJobThatIsCompleteOpensNothing(t *testing.T) {
	parts, store, to, opened := tens(2), &jobtest.Store{}, &resuming{}, 0
	to.open = func(context.Context, *rxcql.Stage) error { opened++; return nil }
	to.check = func() error { opened++; return nil }
	both := func() rxcql.Stream[int] {
		more := tens(3)
		more.Name = "More"
		return operators.Merge(parts.Stream(), more.Stream())
	}
	_, err := runOnce(t, both(), store, to, rxcql.RunOnce())
	require.NoError(t, err)
	require.Equal(t, 2, opened)
	state := store.Get("job")
	p := pipeline(t, both(), rxcql.Sink[int](to), rxcql.WithCheckpoint(store, "job", rxcql.RunOnce()))
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.EqualValues(t, 50, rep.ResumedRows)
	require.Equal(t, rep.ResumedRows, p.Progress().ResumedRows)
	require.Zero(t, rep.Saves)
	require.Equal(t, 2, opened)
	require.Equal(t, 20, parts.Read)
	require.Equal(t, state, store.Get("job"))
	require.False(t, store.Locked("job"))

	_, err = runOnce(t, parts.Stream(), store, to, rxcql.RunOnce())
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	require.ErrorContains(t, err, "it is of a pipeline that reads More")
}

// It writes nothing, so nothing that it writes could be older than what is there.
func TestAJobThatIsCompleteIsLeftWhereTheClockIsBehind(t *testing.T) {
	parts, store, to := tens(1), &jobtest.Store{}, &resuming{}
	_, err := runOnce(t, parts.Stream(), store, to, rxcql.RunOnce())
	require.NoError(t, err)
	state, err := store.State("job")
	require.NoError(t, err)
	state.Time += time.Minute.Microseconds()
	state.Reserved = state.Time
	data, err := saved.Encode(state)
	require.NoError(t, err)
	store.Put("job", data)
	rep, err := runOnce(t, parts.Stream(), store, to, rxcql.RunOnce())
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.EqualValues(t, 10, rep.ResumedRows)
	require.Equal(t, data, store.Get("job"))
	_, err = runOnce(t, parts.Stream(), store, to)
	require.ErrorIs(t, err, rxcql.ErrClockBehind, "a job that begins anew writes")
}

func TestAJobThatIsCompleteIsNoneThatReadsMore(t *testing.T) {
	parts, store, to := tens(1), &jobtest.Store{}, &resuming{}
	_, err := runOnce(t, parts.Stream(), store, to, rxcql.RunOnce())
	require.NoError(t, err)
	more := tens(3)
	more.Name = "More"
	_, err = runOnce(t, operators.Merge(parts.Stream(), more.Stream()), store, to, rxcql.RunOnce())
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	require.ErrorContains(t, err, "it is of a pipeline that does not read More")
	require.Zero(t, more.Read)
}

// A source that does not heed what is done hands on a page, which may not count or
// come to a sink, and no more.
func TestASourceThatReadsAllTheSameChangesNothingInAJobThatIsComplete(t *testing.T) {
	store, to, read := &jobtest.Store{}, &resuming{}, 0
	heedless := rxcql.NewStream(rxcql.StageInfo{Name: "Heedless", Source: true},
		func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
			defer st.Input().Done()
			if _, _, err := st.Resume(rxcql.Identity{}); err != nil {
				return err
			}
			track := st.Track(flow.WholeRange)
			for i := range 2 {
				reservation, err := st.Input().Reserve(ctx, 1)
				if err != nil {
					return err
				}
				read++
				p := &flow.Page[int]{Rows: []int{i}, Reservation: reservation}
				p.Last = i == 1
				if err := flow.Deliver(ctx, track, p, 1, []byte{1}, out); err != nil {
					return err
				}
			}
			return out.Done(ctx, false)
		})
	pages := &pagesOnly{}
	for range 3 {
		rep, err := pipeline(t, heedless, rxcql.Sink[int](to), rxcql.WithCheckpoint(store, "job", rxcql.RunOnce()), rxcql.WithHooks(pages.hooks())).
			Run(context.Background())
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.Zero(t, rep.BytesInFlight)
		require.EqualValues(t, 2, rep.ReadRows+rep.ResumedRows)
	}
	require.Equal(t, upTo(2), to.got())
	require.Equal(t, 2, pages.n)
	require.Equal(t, 2+1+1, read)
}

func TestASinkWithAResultGetsItBackOfAJobThatIsComplete(t *testing.T) {
	parts, store, got, fails := tens(2), &jobtest.Store{}, "", error(nil)
	to := &resuming{info: rxcql.SinkInfo{Barrier: true, Stages: []string{"Memory"}, Completed: func(state []byte) error {
		got = string(state)
		return fails
	}}}
	to.open = func(_ context.Context, st *rxcql.Stage) error {
		st.OnSave(func(context.Context) ([]byte, error) { return fmt.Appendf(nil, "%d rows", len(to.got())), nil })
		return nil
	}
	_, err := runOnce(t, parts.Stream(), store, to, rxcql.RunOnce())
	require.NoError(t, err)
	require.Empty(t, got, "it has been opened")
	for range 2 {
		got = ""
		rep, err := runOnce(t, parts.Stream(), store, to, rxcql.RunOnce())
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.Equal(t, "20 rows", got)
	}

	state := store.Get("job")
	fails = errTest
	_, err = runOnce(t, parts.Stream(), store, to, rxcql.RunOnce())
	require.ErrorIs(t, err, errTest)
	require.Equal(t, state, store.Get("job"), "the job stays complete")

	fails, got = nil, "nothing"
	parts.Facts[0].Value = "another"
	_, err = runOnce(t, parts.Stream(), store, to, rxcql.RunOnce())
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	require.Equal(t, "nothing", got, "it is of another source")
}
