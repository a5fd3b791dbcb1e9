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

// spoiled hands pages on with one row that could not be read.
type spoiled struct {
	flow.Observer[int]
	st *rxcql.Stage
}

func (s spoiled) Next(ctx context.Context, p *flow.Page[int]) error {
	if err := s.st.RowFailed(ctx, p.Reservation, rxcql.FailedRow{Position: p.Position, Index: 2, Err: errTest}); err != nil {
		return err
	}
	return s.Observer.Next(ctx, p)
}

func TestRowsThatCouldNotBeReadAreSettledWithTheirPage(t *testing.T) {
	var stop func()
	in := rxcql.NewStream(rxcql.StageInfo{Name: "Own", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		defer st.Input().Done()
		_, begun, err := st.Resume(rxcql.Identity{})
		if err != nil {
			return err
		}
		track := st.Track
		if len(begun) > 0 {
			track = func(flow.TokenRange) *flow.Track { return begun[0] }
		}
		part := track(flow.WholeRange)
		n, _ := part.From()
		for ; n < 4; n++ {
			reservation, err := st.Input().Reserve(ctx, 1)
			if err != nil {
				return err
			}
			reservation.Position = flow.Position{Page: n, Last: n == 3}
			page := &flow.Page[int]{Rows: []int{1, 2}, Reservation: reservation}
			if err := flow.Deliver(ctx, part, page, 0, []byte{1}, flow.Observer[int](spoiled{out, st})); err != nil {
				return err
			}
			if n == 1 && len(begun) == 0 {
				stop()
				return out.Done(ctx, true)
			}
		}
		return out.Done(ctx, false)
	})
	store := &jobtest.Store{}
	run := func() rxcql.Report {
		p := pipeline(t, in, rxcql.Sink[int](&resuming{}), rxcql.WithCheckpoint(store, "job"), rxcql.WithRowErrors(rxcql.SkipRows(10)))
		stop = p.Stop
		rep, err := p.Run(context.Background())
		require.NoError(t, err)
		require.EqualValues(t, 6, rep.ReadRows)
		require.Equal(t, []int64{4, 2}, []int64{rep.Written, rep.Skipped})
		return rep
	}
	run()
	require.EqualValues(t, 6, run().ResumedRows, "rows that failed among them")
}

func TestAJobKnowsOfTheRowsThatFailedInEarlierRuns(t *testing.T) {
	for name, policy := range map[string]func() rxcql.RowErrorPolicy{
		"skipped":     func() rxcql.RowErrorPolicy { return rxcql.SkipRows(10) },
		"dead letter": func() rxcql.RowErrorPolicy { return rxcql.DeadLetter(&drawer{}) },
	} {
		t.Run(name, func(t *testing.T) {
			parts, store, to := tens(3), &jobtest.Store{}, &resuming{}
			run := func(bad func(int) bool, stopAt int) rxcql.Report {
				in := operators.Map(parts.Stream(), func(n int) (int, error) {
					if bad(n) {
						return 0, errRow
					}
					return n, nil
				})
				p := pipeline(t, in, rxcql.Sink[int](to), rxcql.WithCheckpoint(store, "job", rxcql.RunOnce()), rxcql.WithRowErrors(policy()))
				to.write = func(context.Context, *flow.Page[int]) error {
					if len(to.got()) >= stopAt {
						p.Stop()
					}
					return nil
				}
				rep, err := p.Run(context.Background())
				require.NoError(t, err)
				return rep
			}
			first := run(tenth, 12) // the pages of at least one of the three bad rows are settled
			failed := first.Skipped + first.DeadLettered
			require.Positive(t, failed)
			require.Zero(t, first.EarlierFailed)

			second := run(tenth, 100)
			require.True(t, second.Complete)
			require.Equal(t, failed, second.EarlierFailed)
			require.Equal(t, int64(3), second.EarlierFailed+second.Skipped+second.DeadLettered)

			third := run(tenth, 100)
			require.True(t, third.Complete)
			require.EqualValues(t, 3, third.EarlierFailed, "a job that is complete says so too")
			require.Contains(t, third.String(), "3 rows failed in earlier runs")
		})
	}
}
