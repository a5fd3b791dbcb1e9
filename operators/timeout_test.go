package operators_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/source"
)

func TestTimeoutEndsAStreamToWhichNoRowComesInTime(t *testing.T) {
	for name, c := range map[string]struct {
		in   *rxcqltest.Script[int]
		rows []int
		at   time.Duration // 0: it is in time
	}{
		"never":                       {rxcqltest.NewScript[int]().Delay(time.Hour), nil, 2 * time.Second},
		"first too late":              {rxcqltest.NewScript[int]().Delay(3 * time.Second).Page(1), nil, 2 * time.Second},
		"second too late":             {rxcqltest.NewScript[int]().Delay(time.Second).Page(1).Delay(3 * time.Second).Page(2), []int{1}, 3 * time.Second},
		"the end too late":            {rxcqltest.NewScript[int]().Page(1).Delay(3 * time.Second), []int{1}, 2 * time.Second},
		"only pages without rows":     {rxcqltest.NewScript[int]().Page(1).Delay(time.Second).Page().Delay(1500 * time.Millisecond).Page(2), []int{1}, 2 * time.Second},
		"just in time":                {rxcqltest.NewScript[int]().Delay(1900*time.Millisecond).Page(1).Delay(1900*time.Millisecond).Page(2, 3), []int{1, 2, 3}, 0},
		"the end just in time, empty": {rxcqltest.NewScript[int]().Delay(1900 * time.Millisecond), nil, 0},
	} {
		alone(t, name, func(t *testing.T) {
			start := time.Now()
			var rows []int
			var err error
			for n, failed := range operators.Timeout(c.in.Stream(), 2*time.Second).All(context.Background()) {
				if err = failed; err == nil {
					rows = append(rows, n)
				}
			}
			require.Equal(t, c.rows, rows)
			if c.at == 0 {
				require.NoError(t, err)
				return
			}
			require.ErrorIs(t, err, operators.ErrTimeout)
			failedIn(t, "Timeout", err)
			require.ErrorContains(t, err, "none for 2s")
			require.False(t, errors.Is(err, context.DeadlineExceeded), "that is the end of a context")
			require.Equal(t, c.at, time.Since(start))
		})
	}
}

func TestTimeInWhichDownstreamIsBusyDoesNotCount(t *testing.T) {
	alone(t, "rows", func(t *testing.T) {
		in := rxcqltest.NewScript[int]().Page(1).Delay(time.Second).Page(2).Delay(time.Second).Page(3)
		slow := operators.Tap(operators.Timeout(in.Stream(), 2*time.Second), func(int) error { time.Sleep(time.Hour); return nil })
		require.Equal(t, []int{1, 2, 3}, collect(t, slow))
	})
	alone(t, "pages without rows", func(t *testing.T) {
		in := rxcqltest.NewScript[int]().Page(1).Delay(1500 * time.Millisecond).Page().Delay(400 * time.Millisecond).Page(2)
		probe := rxcqltest.Observe(t, operators.Timeout(in.Stream(), 2*time.Second))
		probe.ExpectRows(1)
		time.Sleep(time.Hour) // the page without rows waits for the probe
		probe.ExpectPage()
		probe.ExpectRows(2)
		probe.ExpectComplete()
	})
}

// holdingUp is a sink that keeps what it gets for so long, in the background.
type holdingUp struct {
	gather[int]
	account *flow.Account
	d       time.Duration
}

func (s *holdingUp) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[int], error) {
	_, err := s.gather.Open(ctx, r)
	s.account = s.st.Account(true)
	return s, err
}

func (s *holdingUp) Write(ctx context.Context, p *flow.Page[int]) error {
	kept := s.account.Reservation()
	kept.Take(p.Reservation, rxcql.MinBudgetPerInput)
	time.AfterFunc(s.d, kept.Settle)
	return s.gather.Write(ctx, p)
}

func (s *holdingUp) Flush(context.Context) error {
	time.Sleep(2 * s.d) // until all is settled
	return nil
}

func TestTimeInWhichASourceWaitsForRoomOrPagesToBeSettledDoesNotCount(t *testing.T) {
	alone(t, "the budget", func(t *testing.T) {
		to := &holdingUp{d: time.Hour}
		rep, err := rxcql.Run(context.Background(), operators.Timeout(count(5, 1), 2*time.Second), rxcql.Sink[int](to), rxcql.WithBudget(rxcql.MinBudgetPerInput))
		require.NoError(t, err)
		require.Len(t, to.rows(), 5)
		require.Greater(t, rep.Duration, 4*time.Hour, "it did wait")
	})
	alone(t, "the budget, and then upstream is late", func(t *testing.T) {
		to := &holdingUp{d: time.Hour}
		in := rxcqltest.NewScript[int]().Page(1).Bytes(1000).Page(2).Delay(3 * time.Second).Page(3).Stream()
		start := time.Now()
		_, err := rxcql.Run(context.Background(), operators.Timeout(in, 2*time.Second), rxcql.Sink[int](to), rxcql.WithBudget(rxcql.MinBudgetPerInput))
		require.ErrorIs(t, err, operators.ErrTimeout)
		require.Equal(t, time.Hour+2*time.Second, time.Since(start), "from when room came")
	})
	alone(t, "a job of which 64 pages wait for one", func(t *testing.T) {
		parts := &jobtest.Parts[int]{PageRows: 1, Rows: [][]int{upTo(200)}}
		to := &holdingJob{holdingUp{d: time.Hour}}
		_, err := rxcql.Run(context.Background(), operators.Timeout(parts.Stream(), 2*time.Second), rxcql.Sink[int](to),
			rxcql.WithCheckpoint(&jobtest.Store{}, "job"), rxcql.WithBudget(1<<30))
		require.NoError(t, err)
		require.Len(t, to.rows(), 200)
	})
}

type holdingJob struct{ holdingUp }

func (s *holdingJob) Info() rxcql.SinkInfo { return rxcql.SinkInfo{Resumable: true} }

func TestTimeoutPassesALimitOnAndEndsWithStop(t *testing.T) {
	alone(t, "limit", func(t *testing.T) {
		taken := 0
		s := operators.Take(operators.Timeout(source.Seq(numbers(1000, &taken)), time.Second), 5)
		require.Equal(t, upTo(5), collect(t, s))
		require.Equal(t, 5, taken)
	})
	alone(t, "Stop", func(t *testing.T) {
		probe := rxcqltest.Observe(t, operators.Timeout(pagesOf1(2).Delay(time.Hour).Stream(), time.Minute))
		probe.ExpectRows(0, 1)
		time.Sleep(time.Second)
		probe.Stop()
		probe.ExpectEndedBy(rxcql.EndedByStop)
	})
}

func TestOperatorsOfTimeRefuseATimeOfNone(t *testing.T) {
	s := operators.Debounce(operators.Sample(operators.Timeout(count(1, 1), 0), -time.Second), 0)
	_, err := s.Count(t.Context())
	require.ErrorIs(t, err, rxcql.ErrConfig)
	for _, text := range []string{"Timeout: the time is 0s: must be above 0", "Sample: the time is -1s", "Debounce: the time is 0s"} {
		require.ErrorContains(t, err, text)
	}
	_, err = operators.Conflate[int, int](count(1, 1), nil, nil).Count(t.Context())
	require.ErrorContains(t, err, "Conflate: the seed function is nil\nthe fold is nil")
}

func TestOperatorsThatGoByTheMomentAreRefusedInAJob(t *testing.T) {
	numbers := (&jobtest.Parts[int]{Rows: [][]int{{1, 2, 3}}, PageRows: 1}).Stream()
	for name, s := range map[string]rxcql.Stream[int]{
		"Sample":   operators.Sample(numbers, time.Second),
		"Debounce": operators.Debounce(numbers, time.Second),
		"Conflate": operators.Conflate(numbers, zero, add),
	} {
		_, err := rxcql.New(s, &gather[int]{}, rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
		require.ErrorIs(t, err, rxcql.ErrNotResumable, name)
		require.ErrorContains(t, err, "stage "+name, name)
		require.ErrorContains(t, err, "depends on the moment, and a run that goes on would", name)
		require.ErrorContains(t, err, "write all rows to a table", name)
	}
}

func TestATimerThatHasRunOutWhileARowWasOnItsWayIsNoTimeout(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// Row 1 comes in the very moment at which the time is over; either may be first.
		for range 50 {
			in := rxcqltest.NewScript[int]().Delay(2 * time.Second).Page(1).Delay(time.Second)
			rows, err := operators.Timeout(in.Stream(), 2*time.Second).Collect(context.Background())
			if err != nil {
				require.ErrorIs(t, err, operators.ErrTimeout)
				continue
			}
			require.Equal(t, []int{1}, rows)
		}
	})
}

// fileLike is a sink that cannot bear rows twice, as one that writes a file.
type fileLike struct{ gather[int] }

func (s *fileLike) Info() rxcql.SinkInfo { return rxcql.SinkInfo{Barrier: true} }

func TestTimeInWhichAPageWaitsForASaveThatWaitsForAnotherPageDoesNotCount(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		slow := rxcqltest.NewScript[int]().Name("Slow").Page(100).Page(101)
		late := rxcqltest.NewScript[int]().Name("Late").Page(1).Delay(1500 * time.Millisecond).Page(2)
		to := &fileLike{gather[int]{took: func(rows []int) error {
			if len(rows) > 0 && rows[0] >= 100 {
				time.Sleep(10 * time.Second) // the save after a second waits for this page, and page 2 for the save
			}
			return nil
		}}}
		s := operators.Merge(slow.Stream(), operators.Timeout(late.Stream(), 2*time.Second))
		rep, err := rxcql.Run(t.Context(), s, rxcql.Sink[int](to), rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
		require.NoError(t, err)
		require.True(t, rep.Complete)
	})
}
