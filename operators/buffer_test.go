package operators_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// drops hears of rows that were dropped.
type drops struct {
	mu     sync.Mutex
	events []rxcql.DroppedEvent
}

func (d *drops) option() rxcql.Option {
	return rxcql.WithHooks(rxcql.Hooks{RowsDropped: func(_ context.Context, e rxcql.DroppedEvent) {
		d.mu.Lock()
		defer d.mu.Unlock()
		d.events = append(d.events, e)
	}})
}

func (d *drops) rows() (n int) {
	for _, e := range d.events {
		n += e.Rows
	}
	return n
}

// pagesOf1 is a script of rows 0 to n-1, each in a page of its own.
func pagesOf1(n int) *rxcqltest.Script[int] {
	s := rxcqltest.NewScript[int]()
	for i := range n {
		s.Page(i)
	}
	return s
}

func TestABufferThatIsFullDoesWhatItsPolicySays(t *testing.T) {
	for policy, want := range map[rxcql.Overflow][]int{
		rxcql.OverflowBlock:      {0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
		rxcql.OverflowDropOldest: {0, 7, 8, 9},
		rxcql.OverflowDropNewest: {0, 1, 2, 3},
		rxcql.OverflowLatest:     {0, 9},
	} {
		alone(t, policy.String(), func(t *testing.T) {
			in := rxcqltest.NewScript[int]().Page(0).Delay(time.Second)
			for n := 1; n < 10; n++ {
				in.Page(n)
			}
			var heard drops
			probe := rxcqltest.Observe(t, operators.Buffer(in.Stream(), 3, policy), heard.option())
			time.Sleep(time.Minute) // row 0 is offered, and nobody takes it
			synctest.Wait()
			ended, _ := in.Ended()
			require.Equal(t, policy != rxcql.OverflowBlock, ended, "upstream goes on, or waits")
			probe.ExpectRows(want...)
			rep := probe.ExpectComplete()
			dropped := 10 - len(want)
			require.EqualValues(t, dropped, rep.Overflowed)
			require.EqualValues(t, dropped, rep.Filtered)
			require.EqualValues(t, dropped, stagesOf(rep)["Buffer"].Dropped)
			require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered)
			require.Equal(t, dropped, heard.rows())
			for _, e := range heard.events {
				require.Equal(t, rxcql.DroppedEvent{Stage: "Buffer", Rows: e.Rows, Policy: policy}, e)
			}
			require.Equal(t, dropped > 0, strings.Contains(rep.String(), "because a buffer had no room"))
			require.Equal(t, rep.Pages, rep.PagesSettled)
			require.Zero(t, rep.BytesInFlight)
		})
	}
	alone(t, "Fail", func(t *testing.T) {
		in := pagesOf1(1).Delay(time.Second).Page(1).Page(2).Page(3).Page(4).Delay(time.Hour)
		probe := rxcqltest.Observe(t, operators.Buffer(in.Stream(), 3, rxcql.OverflowFail))
		time.Sleep(time.Minute)
		probe.ExpectRows(0)
		probe.ExpectError(rxcql.ErrOverflow)
		failedIn(t, "Buffer", probe.Err())
	})
}

func TestAPageThatIsLargerThanABufferOverflowsToo(t *testing.T) {
	for policy, want := range map[rxcql.Overflow][]int{
		rxcql.OverflowBlock:      upTo(10),
		rxcql.OverflowDropOldest: {7, 8, 9},
		rxcql.OverflowDropNewest: {0, 1, 2},
		rxcql.OverflowLatest:     {9},
	} {
		alone(t, policy.String(), func(t *testing.T) {
			pages, rep := pagesOut(t, operators.Buffer(count(10, 10), 3, policy))
			var got []int
			for _, p := range pages {
				for i, n := range p.Rows {
					require.Equal(t, n, p.RowIndex(i), "the place in the page that was read")
				}
				got = append(got, p.Rows...)
			}
			require.Equal(t, want, got)
			require.Equal(t, rep.Pages, rep.PagesSettled)
			require.EqualValues(t, 10-len(want), rep.Overflowed)
		})
	}
	_, err := operators.Buffer(count(10, 10), 3, rxcql.OverflowFail).Count(t.Context())
	require.ErrorIs(t, err, rxcql.ErrOverflow)
}

func TestABufferIsBoundedByBytesAndByAQuarterOfTheBudget(t *testing.T) {
	word := func(n int) string { return strings.Repeat("x", n) }
	size := func(s string) int64 { return int64(rxcql.SizeFunc[string]()(&s)) }
	alone(t, "BufferBytes", func(t *testing.T) {
		s := operators.Buffer(from(word(10), word(10), word(10), word(1000)), 100, rxcql.OverflowDropOldest, operators.BufferBytes(2*size(word(10))))
		require.Equal(t, []string{word(1000)}, collect(t, s), "a row that is larger waits alone")
		s = operators.Buffer(from(word(10), word(10), word(10)), 100, rxcql.OverflowDropOldest, operators.BufferBytes(2*size(word(10))))
		require.Equal(t, []string{word(10), word(10)}, collect(t, s))
	})
	alone(t, "the budget", func(t *testing.T) {
		const budget = 1 << 20
		in := rxcqltest.NewScript[string]().Page("")
		for range 1000 {
			in.Page(word(10_000))
		}
		probe := rxcqltest.Observe(t, operators.Buffer(in.Stream(), 1<<30, rxcql.OverflowDropNewest), rxcql.WithBudget(budget))
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Len(t, probe.Take(1), 1)
		probe.Take(budget / 4 / int(size(word(10_000))))
		rep := probe.ExpectComplete()
		require.Less(t, rep.PeakBytes, int64(budget/2))
		require.Equal(t, rep.ReadRows, rep.Written+rep.Overflowed)
	})
}

func TestAReceiptOfAPageInABufferSettlesWhenItsRowsAreWrittenOrDropped(t *testing.T) {
	alone(t, "", func(t *testing.T) {
		in := rxcqltest.NewScript[int]().Page(0).Delay(time.Second).Page(1, 2).Page(3, 4, 5).Delay(time.Hour)
		probe := rxcqltest.Observe(t, operators.Buffer(in.Stream(), 4, rxcql.OverflowDropOldest))
		probe.Hold()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.Zero(t, probe.Report().PagesSettled, "row 2 waits, though row 1 is gone")
		probe.ExpectRows(0, 2, 3, 4, 5)
		require.Zero(t, probe.Report().PagesSettled)
		probe.LetGo()
		probe.Stop()
		rep := probe.ExpectEndedBy(rxcql.EndedByStop)
		require.EqualValues(t, 3, rep.PagesSettled)
		require.EqualValues(t, 1, rep.Overflowed)
	})
	alone(t, "all of a page dropped", func(t *testing.T) {
		in := rxcqltest.NewScript[int]().Page(0).Delay(time.Second).Page(1, 2).Watermark(time.Unix(5, 0)).Page(3, 4).Delay(time.Hour)
		probe := rxcqltest.Observe(t, operators.Buffer(in.Stream(), 2, rxcql.OverflowDropOldest))
		probe.Hold()
		time.Sleep(time.Minute)
		synctest.Wait()
		require.EqualValues(t, 1, probe.Report().PagesSettled, "dropped on purpose")
		probe.ExpectPage(0)
		require.Equal(t, flow.WatermarkAt(time.Unix(5, 0)), probe.ExpectPage().Watermark, "the watermark is not dropped")
		probe.ExpectPage(3, 4)
		probe.LetGo()
		probe.Stop()
		probe.ExpectEndedBy(rxcql.EndedByStop)
	})
}

func TestPagesWithoutRowsDoNotPileUpInABuffer(t *testing.T) {
	alone(t, "", func(t *testing.T) {
		in := rxcqltest.NewScript[int]().Page(0).Delay(time.Second).Page(1)
		for i := range 1000 {
			in.Page().Watermark(time.Unix(int64(i), 0))
		}
		probe := rxcqltest.Observe(t, operators.Buffer(in.Stream(), 10, rxcql.OverflowBlock))
		time.Sleep(time.Minute)
		probe.ExpectPage(0)
		probe.ExpectPage(1)
		said := probe.ExpectPage()
		require.Equal(t, flow.WatermarkAt(time.Unix(999, 0)), said.Watermark)
		require.True(t, said.Last)
		probe.ExpectComplete()
	})
}

func TestABufferThatDropsIsRefusedInAJobWithTheRemedy(t *testing.T) {
	numbers := (&jobtest.Parts[int]{Rows: [][]int{{1, 2, 3}}, PageRows: 1}).Stream()
	for _, policy := range []rxcql.Overflow{rxcql.OverflowDropOldest, rxcql.OverflowDropNewest, rxcql.OverflowLatest, rxcql.OverflowFail} {
		_, err := rxcql.New(operators.Buffer(numbers, 10, policy), &gather[int]{}, rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
		require.ErrorIs(t, err, rxcql.ErrNotResumable, policy)
		require.ErrorContains(t, err, "give rxcql.OverflowBlock", policy)
	}
	rep, err := rxcql.Run(t.Context(), operators.Map(operators.Buffer(numbers, 10, rxcql.OverflowBlock), func(n int) (line, error) { return line{Row: n}, nil }),
		sink.NDJSON[line](t.TempDir()+"/out"), rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.NoError(t, err, "before a file too")
	require.EqualValues(t, 3, rep.Written)
}

func TestABufferSaysWhatIsWrongWithItsArguments(t *testing.T) {
	_, err := operators.Buffer(count(1, 1), 0, rxcql.Overflow(9), operators.BufferBytes(0), nil).Count(t.Context())
	require.ErrorIs(t, err, rxcql.ErrConfig)
	for _, text := range []string{"n is 0", "Overflow(9): there is no such policy", "BufferBytes is 0", "an option is nil"} {
		require.ErrorContains(t, err, text)
	}
}

func TestAHotChannelBehindABufferNeverHoldsItsSenderUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ch := make(chan int)
		slow := operators.Tap(operators.Buffer(source.Chan(ch), 2, rxcql.OverflowDropOldest), func(int) error { time.Sleep(time.Hour); return nil })
		var err error
		done := make(chan struct{})
		go func() {
			defer close(done)
			_, err = slow.Count(context.Background())
		}()
		for n := range 100 {
			ch <- n
			synctest.Wait()
		}
		close(ch)
		<-done
		require.NoError(t, err)
	})
}
