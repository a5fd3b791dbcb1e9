package rxcqltest_test

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
	"github.com/rxcql/rxcql/sink"
)

var errLost = errors.New("lost")

func at(second int64) time.Time { return time.Unix(second, 0) }

func TestAScriptGivesItsStepsInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := rxcqltest.NewScript[int]().Page(1, 2).Delay(time.Hour).Page().Page(3).Fail(errLost).Page(4)
		begin := time.Now()
		probe := rxcqltest.Observe(t, script.Stream())
		probe.ExpectPage(1, 2)
		probe.ExpectNothing(time.Hour - 1)
		probe.ExpectPage()
		require.Equal(t, time.Hour, time.Since(begin))
		require.False(t, probe.ExpectPage(3).Last, "the script fails before it could know")
		probe.ExpectError(errLost)
		var stage *rxcql.StageError
		require.ErrorAs(t, probe.Err(), &stage)
		require.Equal(t, "Script", stage.Stage)
		require.Equal(t, 3, script.Pages())
		ended, err := script.Ended()
		require.True(t, ended)
		require.ErrorIs(t, err, errLost)
	})
}

func TestPagesOfAScriptSayTheirPartItsEndAndItsWatermark(t *testing.T) {
	script := rxcqltest.NewScript[int]().
		Page(1).Watermark(at(10)).
		Part(1).Page(2).
		Part(0).Page().Watermark(at(20)).
		Part(1).Page(3)
	probe := rxcqltest.Observe(t, script.Stream())
	type said struct {
		part  int
		page  int64
		last  bool
		event flow.Watermark
	}
	var all []said
	for _, rows := range [][]int{{1}, {2}, nil, {3}} {
		a := probe.ExpectPage(rows...)
		require.NotNil(t, a.Source)
		all = append(all, said{a.Range, a.Page, a.Last, a.Watermark})
	}
	rep := probe.ExpectComplete()
	require.Equal(t, []said{
		{0, 0, false, flow.WatermarkAt(at(10))}, {1, 0, false, flow.Watermark{}},
		{0, 1, true, flow.WatermarkAt(at(20))}, {1, 1, true, flow.Watermark{}},
	}, all)
	require.EqualValues(t, 2, rep.RangesDone)
}

func TestAScriptOfNothingIsOneEmptyPart(t *testing.T) {
	probe := rxcqltest.Observe(t, rxcqltest.NewScript[int]().Stream())
	require.True(t, probe.ExpectPage().Last)
	require.EqualValues(t, 1, probe.ExpectComplete().RangesDone)
}

func TestAScriptThatCannotBeSaysWhy(t *testing.T) {
	for text, script := range map[string]*rxcqltest.Script[int]{
		"say Page first":        rxcqltest.NewScript[int]().Watermark(at(1)),
		"Bytes is about":        rxcqltest.NewScript[int]().Page(1).Delay(1).Bytes(1),
		"part 0 has no pages":   rxcqltest.NewScript[int]().Part(1).Page(1),
		"there is no part -1":   rxcqltest.NewScript[int]().Part(-1).Page(1),
		"the error of Fail":     rxcqltest.NewScript[int]().Fail(nil),
		"the function of Do is": rxcqltest.NewScript[int]().Do(nil),
	} {
		_, err := script.Stream().Collect(t.Context())
		require.ErrorIs(t, err, rxcql.ErrConfig)
		require.ErrorContains(t, err, text)
	}
}

func TestStopEndsADelayAndADoOfAScript(t *testing.T) {
	waits := func(ctx context.Context) error { <-ctx.Done(); return context.Cause(ctx) }
	for name, script := range map[string]*rxcqltest.Script[int]{
		"Delay": rxcqltest.NewScript[int]().Page(1).Delay(1000 * time.Hour).Page(2),
		"Do":    rxcqltest.NewScript[int]().Page(1).Do(waits).Page(2),
	} {
		synctest.Test(t, func(t *testing.T) {
			probe := rxcqltest.Observe(t, script.Stream())
			probe.ExpectRows(1)
			probe.ExpectNothing(time.Hour)
			probe.Stop()
			rep := probe.ExpectEndedBy(rxcql.EndedByStop)
			require.Equal(t, rep.Pages, rep.PagesSettled, name)
			_, err := script.Ended()
			require.NoError(t, err)
		})
	}
}

func TestACancelEndsADelayOfAScript(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		script := rxcqltest.NewScript[int]().Page(1).Delay(1000 * time.Hour)
		probe := rxcqltest.Observe(t, script.Stream())
		probe.ExpectRows(1)
		probe.Cancel()
		probe.ExpectError(context.Canceled)
		_, err := script.Ended()
		require.ErrorIs(t, err, context.Canceled)
		require.Zero(t, probe.Report().BytesInFlight)
	})
}

func TestAScriptIsRunAgainFromItsBeginning(t *testing.T) {
	script := rxcqltest.NewScript[int]().Page(1).FailOnce(errLost).Page(2)
	stream := script.Stream()
	rows, err := stream.Collect(t.Context())
	require.ErrorIs(t, err, errLost)
	require.Equal(t, []int{1}, rows)
	rows, err = stream.Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{1, 2}, rows)
	require.Equal(t, 2, script.Runs())
}

func TestAJobOverAScriptGoesOnAfterThePagesThatAreSettled(t *testing.T) {
	script := rxcqltest.NewScript[int]().
		Page(1).Part(1).Page(10).Part(0).Page(2).
		FailOnce(errLost).
		Part(1).Page(11).Page(12)
	store := &jobtest.Store{}
	job := rxcql.WithCheckpoint(store, "job")
	probe := rxcqltest.NewProbe[int](t)
	probe.Start(script.Stream(), job)
	probe.ExpectRows(1, 10, 2)
	probe.ExpectError(errLost)
	probe.Start(script.Stream(), job)
	a := probe.ExpectPage(11)
	require.Equal(t, 1, a.Range)
	require.EqualValues(t, 1, a.Page)
	probe.ExpectRows(12)
	require.EqualValues(t, 3, probe.ExpectComplete().ResumedRows)
}

func TestAScriptWaitsForTheBudget(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		const page = 40 << 10
		script := rxcqltest.NewScript[int]().Page(1).Bytes(page).Page(2).Bytes(page).Page(3).Bytes(page)
		probe := rxcqltest.Observe(t, script.Stream(), rxcql.WithBudget(64<<10))
		probe.Hold()
		probe.ExpectRows(1)
		require.Equal(t, 1, probe.Held())
		probe.ExpectNothing(time.Hour)
		require.EqualValues(t, page, probe.Report().BytesInFlight)
		require.Zero(t, probe.Report().PagesSettled)
		probe.LetGo()
		probe.ExpectRows(2, 3)
		rep := probe.ExpectComplete()
		require.EqualValues(t, 3, rep.PagesSettled)
	})
}

func TestTwoProbesAskForTheirRowsOneByOne(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a, b := rxcqltest.NewProbe[int](t), rxcqltest.NewProbe[int](t)
		script := rxcqltest.NewScript[int]().Page(1, 2).Page(3)
		var rep rxcql.Report
		var err error
		ended := make(chan struct{})
		go func() {
			defer close(ended)
			rep, err = rxcql.Run(t.Context(), script.Stream(), sink.Tee[int](a, b))
		}()
		require.Equal(t, []int{1}, a.Take(1))
		b.ExpectNothing(time.Hour)
		a.ExpectRows(2)
		b.ExpectRows(1, 2)
		a.ExpectRows(3)
		b.ExpectRows(3)
		<-ended
		require.NoError(t, err)
		require.True(t, rep.Complete)
	})
}

func TestAProbeThatRefusesAPageEndsTheRun(t *testing.T) {
	script := rxcqltest.NewScript[int]().Page(1).Page(2)
	probe := rxcqltest.Observe(t, operators.Map(script.Stream(), func(n int) (int, error) { return n, nil }))
	probe.ExpectRows(1)
	probe.Fail(errLost)
	probe.ExpectError(errLost)
	require.Equal(t, 1, script.Pages())
}
