package operators_test

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

// asks is a source of one part which asks for rows each second, and says so when there are none.
// Its answers are taken one after the other.
func asks(overlap time.Duration, answers ...func(ctx context.Context) (rows []int, idle bool)) rxcql.Stream[timed] {
	info := rxcql.StageInfo{Name: "asks", Source: true}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[timed]) error {
		defer st.Input().Done()
		st.Parts(ctx, flow.Parts{Count: 1, Overlap: overlap})
		for i, answer := range answers {
			asked := time.Now()
			rows, idle := answer(ctx)
			reservation, err := st.Input().Reserve(ctx, 64)
			if err != nil {
				return err
			}
			p := &flow.Page[timed]{Reservation: reservation}
			for _, at := range rows {
				p.Rows = append(p.Rows, timed{"asks", 0, at})
			}
			p.Position = flow.Position{Range: 0, Page: int64(i), Last: i == len(answers)-1}
			if idle {
				p.Idle = flow.IdleAt(asked)
			}
			p.AddReceipt(st.Receipt())
			st.CountPage(len(p.Rows), 0)
			err = out.Next(ctx, p)
			p.Finish(err)
			if err != nil {
				return err
			}
			time.Sleep(time.Second)
		}
		return out.Done(ctx, false)
	})
}

func found(rows ...int) func(context.Context) ([]int, bool) {
	return func(context.Context) ([]int, bool) { return rows, false }
}

func nothingFound(context.Context) ([]int, bool) { return nil, true }

// waitsThen takes its time for an answer, as a request that is repeated does.
func waitsThen(d time.Duration, answer func(context.Context) ([]int, bool)) func(context.Context) ([]int, bool) {
	return func(ctx context.Context) ([]int, bool) {
		time.Sleep(d)
		return answer(ctx)
	}
}

func TestAPartThatIsIdleForLongEnoughGoesOnByTheClock(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		begin := int(time.Now().Unix())
		s := operators.EventTime(asks(4*time.Second,
			found(begin-100),
			nothingFound, // since 1
			nothingFound,
			nothingFound, // at 3, for 2
			nothingFound, // at 4, for 3
			nothingFound, // at 5, for 4
			found(begin-3),
			nothingFound, // since 7
			nothingFound,
			nothingFound,
			nothingFound,    // at 10, for 3
			found(begin-90), // late, and the watermark does not go back
		), happened, operators.OutOfOrderness(10*time.Second), operators.IdleAfter(3*time.Second))
		var marks []int
		for _, said := range marksOf(t, s) {
			marks = append(marks, said.mark-begin)
		}
		require.Equal(t, []int{-110, -110, -110, -110, 4 - 14, 5 - 14, -9, -9, -9, -9, 10 - 14, 10 - 14}, marks)
	})
}

func TestWithoutIdleAfterAnIdlePartKeepsItsWatermark(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		s := operators.EventTime(asks(0, found(7), nothingFound, nothingFound, nothingFound), happened)
		require.Equal(t, []saidAt{{0, 1, 7, false}, {0, 0, 7, false}, {0, 0, 7, false}, {0, 0, 7, true}}, marksOf(t, s))
	})
}

func TestNothingBecomesLateByASinkThatStallsOrARequestThatIsRepeated(t *testing.T) {
	for _, after := range []time.Duration{0, time.Minute} {
		synctest.Test(t, func(t *testing.T) {
			begin := int(time.Now().Unix())
			s := operators.EventTime(asks(0,
				found(begin),
				nothingFound,                            // at 1, and the sink takes an hour
				waitsThen(time.Hour, found(begin+2)),    // written when all were waiting
				nothingFound,                            // at 7203
				waitsThen(time.Hour, found(begin+7205)), //
				waitsThen(time.Hour, nothingFound),      // asked at 10805, answered an hour later
				found(begin+10806),                      // written meanwhile
			), happened, operators.IdleAfter(after))
			var c flow.EventClock
			stalled := false
			n, err := spying(s, func(p *flow.Page[timed]) {
				for _, e := range p.Rows {
					require.False(t, markAt(e.at).Before(c.Now()), "%v is late: the clock is at %v", e.at-begin, c.Now())
				}
				c.Add(p.Advance())
				if p.Idle != nil && !stalled {
					stalled = true
					time.Sleep(time.Hour)
				}
			}).Count(t.Context())
			require.NoError(t, err)
			require.EqualValues(t, 4, n)
		})
	}
}

func TestAPartIsIdleOnlyByTheWordOfItsSource(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		silent := func(context.Context) ([]int, bool) { return nil, false }
		s := operators.EventTime(asks(0,
			found(7),
			nothingFound,
			waitsThen(time.Hour, silent), // a page without rows that does not say so
			nothingFound,
			waitsThen(time.Hour, silent),
			nothingFound,
		), happened, operators.IdleAfter(time.Minute))
		for _, said := range marksOf(t, s) {
			require.Equal(t, 7, said.mark)
		}
	})
}
