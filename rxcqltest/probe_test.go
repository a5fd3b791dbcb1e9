package rxcqltest_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
)

func TestAProbeFindsWhatIsNotAsExpected(t *testing.T) {
	type probe = *rxcqltest.Probe[int]
	short := func() *rxcqltest.Script[int] { return rxcqltest.NewScript[int]().Page(1, 2).Delay(time.Minute).Page(3) }
	for _, wrong := range []struct {
		says   string
		script *rxcqltest.Script[int]
		asks   func(p probe)
	}{
		{"row 2 of 2 is 2, and not 3", short(), func(p probe) { p.ExpectRows(1, 3) }},
		{"3 rows have come, and 4 were asked for, and the run has ended", short(), func(p probe) { p.Take(4) }},
		{"the page has the rows [1 2], and not [1]", short(), func(p probe) { p.ExpectPage(1) }},
		{"while 1 rows of the one before are left", short(), func(p probe) { p.Take(1); p.ExpectPage(2) }},
		{"nothing was to come, and there are rows: [1 2]", short(), func(p probe) { p.ExpectNothing(time.Second) }},
		{"nothing was to come, and there are rows: [2]", short(), func(p probe) { p.Take(1); p.ExpectNothing(time.Second) }},
		{"nothing was to come, and there are rows: [3]", short(), func(p probe) { p.Take(2); p.ExpectNothing(2 * time.Minute) }},
		{"nothing was to come, and the run has ended: <nil>", short(), func(p probe) { p.Take(3); p.ExpectNothing(time.Second) }},
		{"the run was to end, and there are rows: [3]", short(), func(p probe) { p.Take(2); p.ExpectComplete() }},
		{"was to be complete, and failed: rxcql: stage Script: lost", short().Fail(errLost), func(p probe) { p.Take(3); p.ExpectComplete() }},
		{"was to be complete, and was ended by Stop", short(), func(p probe) { p.Take(2); p.Stop(); p.ExpectComplete() }},
		{"was to be ended by Take, and was by \"\"", short(), func(p probe) { p.Take(3); p.ExpectEndedBy("Take") }},
		{"was to be ended by Take, and failed", short().Fail(errLost), func(p probe) { p.Take(3); p.ExpectEndedBy("Take") }},
		{"was to fail with \"lost\", and returned <nil>", short(), func(p probe) { p.Take(3); p.ExpectError(errLost) }},
		{"while 2 pages are held: call LetGo first", short(), func(p probe) { p.Hold(); p.Take(3); p.ExpectComplete() }},
		{"a page was to be refused, and the run has ended", short(), func(p probe) { p.Take(3); p.Fail(errLost) }},
		{"started again before its run has ended", short(), func(p probe) { p.Start(short().Stream()) }},
	} {
		synctest.Test(t, func(t *testing.T) {
			said := rxcqltest.Said(t, func(t testing.TB) { wrong.asks(rxcqltest.Observe(t, wrong.script.Stream())) })
			require.Contains(t, said, wrong.says)
		})
	}
	require.Contains(t, rxcqltest.Said(t, func(t testing.TB) { rxcqltest.NewProbe[int](t).ExpectComplete() }), "has not started the run")
}

func TestAProbeExpectsAnEndOnPurpose(t *testing.T) {
	script := rxcqltest.NewScript[int]().Page(1, 2, 3).Page(4)
	probe := rxcqltest.Observe(t, operators.Take(script.Stream(), 2))
	probe.ExpectRows(1, 2)
	require.False(t, probe.ExpectEndedBy("Take").Complete)
}

func TestPagesThatAProbeHoldsStayUnsettledWhenTheRunFails(t *testing.T) {
	script := rxcqltest.NewScript[int]().Page(1).Page(2).Fail(errLost)
	probe := rxcqltest.Observe(t, script.Stream(), rxcql.WithBudget(1<<20))
	probe.ExpectRows(1)
	probe.Hold()
	probe.ExpectRows(2)
	probe.ExpectError(errLost)
	rep := probe.Report()
	require.EqualValues(t, 1, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)
	require.Zero(t, probe.Held())
}

func TestAProbeInAPipelineOfTheTestsOwnIsGoodForOneRun(t *testing.T) {
	probe := rxcqltest.NewProbe[int](t)
	p, err := rxcql.New(rxcqltest.NewScript[int]().Page(1).Stream(), probe)
	require.NoError(t, err)
	ended := make(chan error, 1)
	go func() {
		_, err := p.Run(t.Context())
		ended <- err
	}()
	probe.ExpectRows(1)
	require.NoError(t, <-ended)
	_, err = p.Run(t.Context())
	require.ErrorContains(t, err, "a Probe in a pipeline of your own is good for one run")
	require.NotErrorIs(t, err, rxcql.ErrPanic)
}
