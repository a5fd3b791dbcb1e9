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
	"github.com/rxcql/rxcql/cmd/rxcql/internal/kept"
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
		require.Contains(t, outcomes[3].Error, "panic: string, in fleet_test.(*fake).Run (fleet_test.go:", "it says where")
		require.Equal(t, fleet.ExitFault, fleet.Exit(outcomes))
		require.Equal(t, fleet.ExitFailed, fleet.Exit(outcomes[:3]))
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
	place := func(table string) *kept.Place {
		return &kept.Place{Job: "job", File: filepath.Join(dir, table+".job.json"), Look: func(context.Context) (kept.Scene, error) { return kept.Scene{}, nil }}
	}
	run := func(jobs ...*fake) (all []fleet.Outcome) {
		synctest.Test(t, func(t *testing.T) {
			of := tasks(jobs...)
			for i, j := range jobs {
				j.stop = make(chan struct{})
				of[i].Kept = place(of[i].Table)
			}
			f := fleet.New(of, fleet.Config{})
			all = f.Run(t.Context())
			require.NoError(t, f.Forget(t.Context()))
		})
		return all
	}
	failed, incomplete, first := done(), done(), done()
	failed.err, incomplete.result.Complete, first.result.Text = errTest, false, "a report"
	require.Equal(t, []fleet.Status{fleet.Failed, fleet.Left, fleet.Done}, statuses(run(failed, incomplete, first)))

	// The first table failed, so the run goes on.
	again := []*fake{done(), done(), done()}
	again[0].err = errTest
	outcomes := run(again...)
	require.Equal(t, []fleet.Status{fleet.Failed, fleet.Done, fleet.Done}, statuses(outcomes))
	require.Equal(t, []int{1, 1, 0}, []int{again[0].runs, again[1].runs, again[2].runs}, "what failed or is not complete is begun again")
	require.True(t, outcomes[2].Earlier)
	require.False(t, outcomes[2].Ended.IsZero())
	require.Equal(t, "a report", outcomes[2].Text)
	require.EqualValues(t, 10, outcomes[2].Read)

	last := []*fake{done(), done(), done()}
	require.Equal(t, []fleet.Status{fleet.Done, fleet.Done, fleet.Done}, statuses(run(last...)))
	require.Equal(t, []int{1, 0, 0}, []int{last[0].runs, last[1].runs, last[2].runs})

	// Now the run has come to its end: another one is a new run, of which nothing is known.
	next := []*fake{done(), done(), done()}
	outcomes = run(next...)
	for i, j := range next {
		require.Equal(t, 1, j.runs)
		require.False(t, outcomes[i].Earlier)
	}
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
