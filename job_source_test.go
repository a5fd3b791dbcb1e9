package rxcql_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
)

func TestAStreamThatIsReadTwiceInAJobIsRefusedByNew(t *testing.T) {
	to := rxcql.Sink[int](&resuming{})
	with := rxcql.WithCheckpoint(&jobtest.Store{}, "job")
	kept := func(in rxcql.Stream[int]) rxcql.Stream[int] {
		return operators.Filter(in, func(int) bool { return true })
	}
	s := tens(1).Stream()
	mapped := operators.Map(s, func(n int) (int, error) { return n, nil })
	for name, twice := range map[string]rxcql.Stream[int]{
		"at once":             operators.Merge(s, s),
		"by two operators":    operators.Merge(kept(s), kept(s)),
		"behind an operator":  kept(operators.Merge(kept(mapped), mapped)),
		"in more ways than 2": operators.Merge(s, kept(s), mapped, mapped),
	} {
		_, err := rxcql.New(twice, to, with)
		require.ErrorIs(t, err, rxcql.ErrConfig, name)
		require.ErrorIs(t, err, rxcql.ErrNotResumable, name)
		require.ErrorContains(t, err, "Parts: ", name)
		require.ErrorContains(t, err, "read twice in one run; make a stream for each use", name)

		_, err = rxcql.New(twice, to)
		require.NoError(t, err, "%s: without a checkpoint it may be", name)
	}
	_, err := rxcql.New(operators.Merge(kept(s), kept(tens(1).Stream())), to, with)
	require.NoError(t, err, "two streams of one name")

	for range 100 {
		s = operators.Merge(s, s) // 2^100 ways
	}
	_, err = rxcql.New(s, to, with)
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
}

func TestASourceThatTracksAndDoesNotResumeIsRefusedByName(t *testing.T) {
	// own is a source that asks what is left, or does not, and whether there is room.
	own := func(resumes, asks bool) rxcql.Stream[int] {
		return rxcql.NewStream(rxcql.StageInfo{Name: "Own", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
			defer st.Input().Done()
			if resumes {
				if _, _, err := st.Resume(rxcql.Identity{}); err != nil {
					return err
				}
			}
			track := st.Track(flow.WholeRange)
			if asks {
				if err := track.AwaitRoom(ctx); err != nil {
					return err
				}
				require.True(t, resumes, "there is room for pages that cannot be delivered")
			}
			reservation, err := st.Input().Reserve(ctx, 64)
			if err != nil {
				return err
			}
			if err := flow.Deliver(ctx, track, &flow.Page[int]{Rows: []int{1}, Reservation: reservation}, 8, []byte("1"), out); err != nil {
				return err
			}
			return errTest // the job is not complete
		})
	}
	for _, before := range []bool{false, true} {
		for _, asks := range []bool{false, true} {
			to, store := &resuming{}, &jobtest.Store{}
			run := func(resumes bool) (rxcql.Report, error) {
				return pipeline(t, own(resumes, asks), rxcql.Sink[int](to), rxcql.WithCheckpoint(store, "job")).Run(context.Background())
			}
			saved := "" // what a refusal must keep
			if before {
				_, err := run(true)
				require.ErrorIs(t, err, errTest)
				saved = positions(store)
				require.Contains(t, saved, "Own")
			}
			rep, err := run(false)
			require.ErrorIs(t, err, rxcql.ErrNotResumable)
			require.ErrorContains(t, err, "stage Own: ")
			require.ErrorContains(t, err, "call Stage.Resume")
			require.Zero(t, rep.ReadRows)
			require.Zero(t, rep.BytesInFlight)
			if before {
				require.Equal(t, saved, positions(store))
			}
		}
	}
}

func TestAPartThatEndsWithoutAStateIsDoneEvenIfTheSourceGrows(t *testing.T) {
	parts, store, to := tens(4), &jobtest.Store{}, &resuming{}
	parts.Grows = true
	stoppedAfter(t, 36, parts, store, to)
	state, err := store.State("job")
	require.NoError(t, err)
	require.NotEmpty(t, state.Sources[0].Done)
	rep, err := goOn(t, parts, store, to)
	require.NoError(t, err)
	require.EqualValues(t, 4, rep.ReadRows)
	require.ElementsMatch(t, upTo(40), to.got())
}

// marking marks every page with its number, and tells how it finds each marked.
type marking struct {
	flow.Observer[int]
	st     *rxcql.Stage
	marked *[]string
}

func (m marking) Next(ctx context.Context, p *flow.Page[int]) error {
	*m.marked = append(*m.marked, string(p.Restored(m.st.Name())))
	p.Snapshot(m.st.Name(), []byte{'0' + byte(p.Page)})
	return m.Observer.Next(ctx, p)
}

func TestASnapshotOfAStageIsNotTakenForThatOfAnEarlierRun(t *testing.T) {
	parts, store, to := tens(1), &jobtest.Store{}, &resuming{}
	run := func(failAt int, stages ...string) map[string]*[]string {
		to.write = func(_ context.Context, page *flow.Page[int]) error {
			if int(page.Page) == failAt {
				return errTest
			}
			return nil
		}
		s, marked := parts.Stream(), map[string]*[]string{}
		for _, name := range stages {
			marked[name] = &[]string{}
			s = rxcql.Lift(s, rxcql.StageInfo{Name: name}, func(st *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
				return marking{out, st, marked[name]}
			})
		}
		_, err := pipeline(t, s, rxcql.Sink[int](to), rxcql.WithCheckpoint(store, "job")).Run(context.Background())
		require.Equal(t, failAt >= 0, err != nil)
		return marked
	}
	run(2, "First")
	marked := run(-1, "First", "Second")
	require.Equal(t, []string{"1", "1", "1"}, *marked["First"])
	require.Equal(t, []string{"", "", ""}, *marked["Second"])
}
