package rxcql_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
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
