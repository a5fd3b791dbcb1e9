package fleet_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
	"github.com/rxcql/rxcql/transfer"
)

var errTest = errors.New("test")

// fake is a job that takes a while, unless it is stopped. It belongs to the bubble that makes it.
type fake struct {
	result fleet.Result
	err    error
	panics bool
	takes  time.Duration

	once sync.Once
	stop chan struct{}
	runs int
}

func done() *fake {
	return &fake{stop: make(chan struct{}), takes: time.Second, result: fleet.Result{Complete: true, Read: 10, Report: map[string]int{"n": 1}}}
}

func (j *fake) Plan(context.Context) (transfer.Plan, error) { return transfer.Plan{}, nil }
func (j *fake) Progress() rxcql.Report                      { return rxcql.Report{} }
func (j *fake) Stop()                                       { j.once.Do(func() { close(j.stop) }) }

func (j *fake) Run(ctx context.Context) (fleet.Result, error) {
	j.runs++
	if j.panics {
		panic("a value")
	}
	select {
	case <-ctx.Done():
		return fleet.Result{}, context.Cause(ctx)
	case <-j.stop:
		return fleet.Result{Read: 5}, nil
	case <-time.After(j.takes):
		return j.result, j.err
	}
}

func tasks(jobs ...*fake) (all []fleet.Task) {
	for i, j := range jobs {
		all = append(all, fleet.Task{Table: string(rune('a' + i)), Name: "job", Job: j})
	}
	return all
}

func statuses(outcomes []fleet.Outcome) (all []fleet.Status) {
	for _, o := range outcomes {
		all = append(all, o.Status)
	}
	return all
}

func TestATableThatFailsDoesNotStopTheOthers(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad, left, wild := done(), done(), done()
		bad.err, left.result.Left, wild.panics = errTest, []string{"3 bad rows"}, true
		var told []string
		start := time.Now()
		f := fleet.New(tasks(done(), bad, left, wild, done()), fleet.Config{AtOnce: 2, Ended: func(o fleet.Outcome) { told = append(told, o.Table) }})
		outcomes := f.Run(t.Context())
		require.Equal(t, []fleet.Status{fleet.Done, fleet.Failed, fleet.Left, fleet.Failed, fleet.Done}, statuses(outcomes))
		require.ErrorIs(t, outcomes[1].Err(), errTest)
		require.ErrorIs(t, outcomes[3].Err(), rxcql.ErrPanic)
		require.NotContains(t, outcomes[3].Error, "a value")
		require.Equal(t, fleet.ExitFailed, fleet.Exit(outcomes))
		require.Less(t, time.Since(start), 4*time.Second, "two at a time")
		require.ElementsMatch(t, []string{"a", "b", "c", "d", "e"}, told)
	})
}

func TestOneAtATimeTheyComeInTheirOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var told []string
		f := fleet.New(tasks(done(), done(), done()), fleet.Config{Ended: func(o fleet.Outcome) { told = append(told, o.Table) }})
		f.Run(t.Context())
		require.Equal(t, []string{"a", "b", "c"}, told)
	})
}

func TestWithFailFastTheOthersAreStoppedInOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		bad, slow, late := done(), done(), done()
		bad.err, slow.takes = errTest, time.Hour
		outcomes := fleet.New(tasks(bad, slow, late), fleet.Config{AtOnce: 2, FailFast: true}).Run(t.Context())
		require.Equal(t, []fleet.Status{fleet.Failed, fleet.Stopped, fleet.NotBegun}, statuses(outcomes))
		require.Zero(t, late.runs)
		require.Equal(t, fleet.ExitFailed, fleet.Exit(outcomes))
	})
}

func TestAStopEndsWhatRunsAndNothingElseBegins(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := fleet.New(tasks(done(), done(), done()), fleet.Config{AtOnce: 2})
		go func() {
			time.Sleep(500 * time.Millisecond)
			live, ended, all := f.Progress()
			if len(live) == 2 && ended == 0 && all == 3 {
				f.Stop()
			}
		}()
		outcomes := f.Run(t.Context())
		require.Equal(t, []fleet.Status{fleet.Stopped, fleet.Stopped, fleet.NotBegun}, statuses(outcomes))
		require.Equal(t, fleet.ExitStopped, fleet.Exit(outcomes))
		require.EqualValues(t, 5, outcomes[0].Read)
	})
}

func TestACancelOfASignalIsNoFailure(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		go func() { time.Sleep(500 * time.Millisecond); cancel(fleet.ErrStopped) }()
		outcomes := fleet.New(tasks(done(), done()), fleet.Config{}).Run(ctx)
		require.Equal(t, []fleet.Status{fleet.Stopped, fleet.NotBegun}, statuses(outcomes))
	})
}

func TestWhatAnEarlierRunHasDoneIsNotDoneAgain(t *testing.T) {
	dir := t.TempDir()
	run := func(name string, j *fake) fleet.Outcome {
		task := fleet.Task{Table: "a", Name: name, Job: j, Done: filepath.Join(dir, "a.done.json")}
		var o []fleet.Outcome
		synctest.Test(t, func(t *testing.T) {
			j.stop = make(chan struct{})
			o = fleet.New([]fleet.Task{task}, fleet.Config{}).Run(t.Context())
		})
		return o[0]
	}
	failed := done()
	failed.err = errTest
	require.Equal(t, fleet.Failed, run("job", failed).Status)
	incomplete := done()
	incomplete.result.Complete = false
	require.Equal(t, fleet.Left, run("job", incomplete).Status, "what failed, and what is not complete, is begun again")

	first := done()
	first.result.Text = "a report"
	require.Equal(t, fleet.Done, run("job", first).Status)
	second := done()
	o := run("job", second)
	require.Equal(t, fleet.Done, o.Status)
	require.True(t, o.Earlier)
	require.Equal(t, "a report", o.Text)
	require.EqualValues(t, 10, o.Read)
	require.Zero(t, second.runs)

	o = run("another job", second)
	require.Equal(t, fleet.Failed, o.Status)
	require.Contains(t, o.Error, "another folder")
	require.Zero(t, second.runs)
}

func TestTheExitCodeIsThatOfTheWorst(t *testing.T) {
	for want, statuses := range map[int][]fleet.Status{
		fleet.ExitDone:    {fleet.Done, fleet.Done},
		fleet.ExitLeft:    {fleet.Done, fleet.Left},
		fleet.ExitStopped: {fleet.Left, fleet.Stopped, fleet.NotBegun},
		fleet.ExitFailed:  {fleet.Left, fleet.Failed, fleet.Stopped},
	} {
		var all []fleet.Outcome
		for _, s := range statuses {
			all = append(all, fleet.Outcome{Status: s})
		}
		require.Equal(t, want, fleet.Exit(all))
	}
	require.Equal(t, fleet.ExitDone, fleet.Exit(nil))
}
