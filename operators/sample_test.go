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
	"github.com/rxcql/rxcql/rxcqltest"
)

// steps is a script of rows from 1 on, each in a page of its own, after these waits in seconds.
func steps(waits ...float64) *rxcqltest.Script[int] {
	s := rxcqltest.NewScript[int]()
	for i, wait := range waits {
		s.Delay(time.Duration(wait * float64(time.Second))).Page(i + 1)
	}
	return s
}

// came is a row, and after how many seconds it came.
type came struct {
	row int
	at  float64
}

func cameOf(t *testing.T, s rxcql.Stream[int]) (all []came) {
	t.Helper()
	start := time.Now()
	for n, err := range s.All(context.Background()) {
		require.NoError(t, err)
		all = append(all, came{n, time.Since(start).Seconds()})
	}
	return all
}

func requireCame(t *testing.T, want, got []came) {
	t.Helper()
	require.Len(t, got, len(want))
	for i := range want {
		require.Equal(t, want[i].row, got[i].row)
		require.InDelta(t, want[i].at, got[i].at, 1e-6)
	}
}

func TestSampleHandsOnTheNewestRowEachTime(t *testing.T) {
	for name, c := range map[string]struct {
		in   *rxcqltest.Script[int]
		want []came
	}{
		"empty":                       {steps(), nil},
		"one":                         {steps(1), []came{{1, 1}}},
		"several":                     {steps(1, 1.1, 1.5, 1, 0.2, 5).Delay(30 * time.Second), []came{{1, 2}, {3, 4}, {5, 6}, {6, 10}}},
		"none for a while":            {steps(0.5, 20.1).Delay(30 * time.Second), []came{{1, 2}, {2, 22}}},
		"the last at the end":         {steps(0.5, 2).Delay(100 * time.Millisecond), []came{{1, 2}, {2, 2.6}}},
		"of a page the last row only": {rxcqltest.NewScript[int]().Page(1, 2, 3).Delay(time.Minute), []came{{3, 2}}},
	} {
		alone(t, name, func(t *testing.T) {
			requireCame(t, c.want, cameOf(t, operators.Sample(c.in.Stream(), 2*time.Second)))
		})
	}
}

func TestDebounceHandsOnARowThatNoOtherFollowsInTime(t *testing.T) {
	for name, c := range map[string]struct {
		in   *rxcqltest.Script[int]
		want []came
	}{
		"empty":                       {steps(), nil},
		"one":                         {steps(1), []came{{1, 1}}},
		"several":                     {steps(1, 1, 3, 1.9, 1.9, 3).Delay(30 * time.Second), []came{{2, 4}, {5, 10.8}, {6, 13.8}}},
		"the last at the end":         {steps(1, 1).Delay(100 * time.Millisecond), []came{{2, 2.1}}},
		"of a page the last row only": {rxcqltest.NewScript[int]().Page(1, 2, 3).Delay(time.Minute), []came{{3, 2}}},
		"a page without rows":         {steps(1).Delay(time.Second).Page().Delay(time.Minute), []came{{1, 3}}},
	} {
		alone(t, name, func(t *testing.T) {
			requireCame(t, c.want, cameOf(t, operators.Debounce(c.in.Stream(), 2*time.Second)))
		})
	}
}

// thinning are the operators that keep the newest row.
var thinning = map[string]func(rxcql.Stream[int]) rxcql.Stream[int]{
	"Sample":   func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Sample(in, 2*time.Second) },
	"Debounce": func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Debounce(in, 2*time.Second) },
}

func TestRowsThatAreThinnedOutCountAsDroppedAndSettle(t *testing.T) {
	for name, thin := range thinning {
		alone(t, name, func(t *testing.T) {
			in := steps(0, 1).Page(10, 11, 12).Delay(time.Hour)
			probe := rxcqltest.Observe(t, thin(in.Stream()))
			probe.Hold()
			time.Sleep(1500 * time.Millisecond)
			synctest.Wait()
			require.EqualValues(t, 2, probe.Report().PagesSettled, "those of rows 1 and 2")
			probe.ExpectPage(12)
			require.EqualValues(t, 2, probe.Report().PagesSettled)
			probe.LetGo()
			probe.Stop()
			rep := probe.ExpectEndedBy(rxcql.EndedByStop)
			require.EqualValues(t, 3, rep.PagesSettled)
			require.EqualValues(t, 4, rep.Filtered)
			require.EqualValues(t, 4, stagesOf(rep)[name].Dropped)
			require.Zero(t, rep.BytesInFlight)
		})
		alone(t, name+", and the row that is left goes on with Stop", func(t *testing.T) {
			probe := rxcqltest.Observe(t, thin(steps(0).Delay(time.Hour).Stream()))
			time.Sleep(time.Second)
			probe.Stop()
			probe.ExpectRows(1)
			rep := probe.ExpectEndedBy(rxcql.EndedByStop)
			require.Equal(t, rep.Pages, rep.PagesSettled)
		})
		alone(t, name+", ended downstream", func(t *testing.T) {
			in := steps(0, 3, 0.1, 0.1, 0.1, 3, 3).Delay(time.Hour).Stream()
			rep, err := run(t, operators.TakeWhile(thin(in), func(n int) bool { return n < 2 }))
			require.NoError(t, err)
			st := stagesOf(rep)[name]
			require.Equal(t, st.In, st.Out+st.Dropped, "%v", rep)
			require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered, "%v", rep)
			require.Equal(t, rep.Pages, rep.PagesSettled)
			require.Zero(t, rep.BytesInFlight)
		})
		alone(t, name+", failing upstream", func(t *testing.T) {
			rep, err := run(t, thin(steps(0).Fail(errBoom).Stream()))
			require.ErrorIs(t, err, errBoom)
			require.Zero(t, rep.PagesSettled)
			require.Zero(t, rep.Filtered)
			require.Zero(t, rep.BytesInFlight)
		})
	}
}

func TestTheRowThatIsKeptHasItsPlaceAndHoldsBackWhatIsSaidBehindIt(t *testing.T) {
	for name, thin := range thinning {
		alone(t, name, func(t *testing.T) {
			in := rxcqltest.NewScript[int]().Page(1, 2).Watermark(time.Unix(3, 0)).Page().Watermark(time.Unix(4, 0)).
				Part(1).Page().Watermark(time.Unix(7, 0)).Part(0).Delay(time.Minute)
			probe := rxcqltest.Observe(t, thin(in.Stream()))
			said := probe.ExpectPage()
			require.Equal(t, 1, said.Range, "another part is not held back")
			require.Equal(t, flow.WatermarkAt(time.Unix(7, 0)), said.Watermark)
			said = probe.ExpectPage(2)
			require.Equal(t, 0, said.Range)
			require.Equal(t, 1, said.RowIndex(0))
			require.False(t, said.Last)
			require.Equal(t, flow.Watermark{}, said.Watermark)
			said = probe.ExpectPage()
			require.Equal(t, flow.WatermarkAt(time.Unix(4, 0)), said.Watermark)
			require.True(t, said.Last)
			probe.ExpectComplete()
		})
	}
}
