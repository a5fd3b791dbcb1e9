package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// Else /health would say that all is well, each time that somebody asks between two failures.
func TestAPipelineThatFailsAgainAndAgainIsNotSaidToRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		ends, goesOn := make(chan int), make(chan int)
		runs := ends
		w := newWorker("test", slog.New(slog.DiscardHandler), func(error) (*rxcql.Pipeline, error) {
			rows := source.Seq(func(yield func(int, error) bool) {
				time.Sleep(2 * time.Second)
				yield(0, errors.New("no"))
			})
			if !broken.Load() {
				rows, runs = source.Chan(runs), goesOn
			}
			return rxcql.New(rows, sink.Each(func(context.Context, int) error { return nil }))
		})
		require.ErrorIs(t, w.health(), errNotYet)
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			w.run(t.Context())
		}()
		synctest.Wait()
		require.NoError(t, w.health(), "it has not failed")

		broken.Store(true)
		close(ends)
		time.Sleep(again / 2)
		for range 100 { // of a second, with runs of two seconds among them
			require.Error(t, w.health())
			time.Sleep(time.Second)
		}
		broken.Store(false)
		time.Sleep(2*time.Second + again + steady + time.Second)
		require.NoError(t, w.health(), "it has run for long")
		w.stop()
		<-stopped
		require.NoError(t, w.health())
	})
}

// A second one would be a later run of the job to the hub, which takes the place of everybody who
// has watched since the service serves.
func TestTheFirstRunIsOfThePipelineThatWasChecked(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var made atomic.Int64
		rows := make(chan int)
		w := newWorker("test", slog.New(slog.DiscardHandler), func(error) (*rxcql.Pipeline, error) {
			made.Add(1)
			return rxcql.New(source.Chan(rows), sink.Each(func(context.Context, int) error { return nil }))
		})
		require.NoError(t, w.check(t.Context()))
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			w.run(t.Context())
		}()
		rows <- 1
		require.EqualValues(t, 1, made.Load())
		close(rows) // it has come to an end
		time.Sleep(again + time.Second)
		require.Greater(t, made.Load(), int64(1), "each later run is of a new one")
		w.stop()
		<-stopped
	})
}

func TestTheErrorOfARunThatFailsWhileItDrainsIsInTheLog(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		rows, fail := make(chan int), make(chan struct{})
		w := newWorker("test", slog.New(slog.NewTextHandler(&said, nil)), func(error) (*rxcql.Pipeline, error) {
			return rxcql.New(source.Chan(rows), sink.Each(func(context.Context, int) error {
				<-fail
				return errors.New("the table is gone")
			}))
		})
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			w.run(t.Context())
		}()
		rows <- 1
		synctest.Wait()
		w.stop()
		close(fail)
		<-stopped
		require.Contains(t, said.String(), "the table is gone")
		require.Contains(t, said.String(), "again=false")
	})
}

// Tables that were dropped and made again are nothing that passes.
func TestAJobOfOtherTablesIsNotTriedEachSecondAndSaysWhatToDo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var said bytes.Buffer
		w := newWorker("test", slog.New(slog.NewTextHandler(&said, nil)), func(error) (*rxcql.Pipeline, error) {
			return nil, fmt.Errorf("the table is another: %w", rxcql.ErrCheckpointForeign)
		})
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			w.run(t.Context())
		}()
		time.Sleep(5 * time.Minute)
		require.ErrorIs(t, w.health(), rxcql.ErrCheckpointForeign)
		w.stop()
		<-stopped
		require.Contains(t, said.String(), "empty the table jobs")
		require.Less(t, strings.Count(said.String(), "\n"), 15)
	})
}

// A run that gets no answer lasts for as long as its requests are tried again.
func TestAServiceWithoutServersIsNotSaidToRun(t *testing.T) {
	worked(t, configured(t), func(t *testing.T, w working) {
		time.Sleep(time.Minute)
		require.NoError(t, w.worker.health())
		answers := w.server.Control(func(*cqlfake.Request) *cqlfake.Reply {
			return cqlfake.Fail(&message.Unavailable{ErrorMessage: "too few replicas"})
		})
		time.Sleep(2 * retryFor)
		for range 300 {
			require.Error(t, w.worker.health())
			time.Sleep(time.Second)
		}
		answers()
		time.Sleep(retryFor + again + steady + time.Second)
		require.NoError(t, w.worker.health())
	})
}

func TestAServiceThatIsStoppedWhileServersAreAwayEndsAtOnceAndIsNotSaidToRun(t *testing.T) {
	for _, since := range []time.Duration{0, again / 2, again, 5 * time.Second, retryFor - time.Second, retryFor + again/2} {
		t.Run(since.String(), func(t *testing.T) {
			worked(t, configured(t), func(t *testing.T, w working) {
				time.Sleep(time.Minute)
				require.NoError(t, w.worker.health())
				w.server.Control(func(*cqlfake.Request) *cqlfake.Reply {
					return cqlfake.Fail(&message.Unavailable{ErrorMessage: "too few replicas"})
				})
				for w.worker.health() == nil {
					time.Sleep(10 * time.Millisecond)
				}
				time.Sleep(since)
				stopping := time.Now()
				w.worker.stop()
				<-w.stopped
				require.Less(t, time.Since(stopping), time.Second)
				require.ErrorContains(t, w.worker.health(), "too few replicas")
			})
		})
	}
}

// Another instance has had the job. That says nothing of whether servers are there.
func TestAStandbyIsNotSaidToRunWhileServersAreAway(t *testing.T) {
	worked(t, configured(t), func(t *testing.T, first working) {
		time.Sleep(time.Minute)
		second := newWorker("rollup", slog.New(slog.DiscardHandler), func(before error) (*rxcql.Pipeline, error) {
			if first.worker.health() == nil {
				return nil, rxcql.ErrCheckpointLocked
			}
			return first.pipeline(before)
		})
		stopped := make(chan struct{})
		go func() {
			defer close(stopped)
			second.run(t.Context())
		}()
		time.Sleep(time.Minute)
		require.ErrorIs(t, second.health(), rxcql.ErrCheckpointLocked)
		first.server.Control(func(*cqlfake.Request) *cqlfake.Reply {
			return cqlfake.Fail(&message.Unavailable{ErrorMessage: "too few replicas"})
		})
		for range 3000 {
			require.Error(t, second.health())
			time.Sleep(100 * time.Millisecond)
		}
		second.stop()
		<-stopped
	})
}

// It has not been found out yet: requests are tried again.
func TestAServiceThatIsStoppedRightAfterServersWentAwayEndsInTimeToDrain(t *testing.T) {
	for _, since := range []time.Duration{100 * time.Millisecond, 5 * time.Second, retryFor - time.Second} {
		t.Run(since.String(), func(t *testing.T) {
			worked(t, configured(t), func(t *testing.T, w working) {
				time.Sleep(time.Minute)
				w.put(t, "a", time.Now())
				time.Sleep(time.Second)
				w.server.Control(func(*cqlfake.Request) *cqlfake.Reply {
					return cqlfake.Fail(&message.Unavailable{ErrorMessage: "too few replicas"})
				})
				time.Sleep(since)
				stopping := time.Now()
				w.worker.stop()
				<-w.stopped
				require.LessOrEqual(t, time.Since(stopping), retryFor+time.Second)
			})
		})
	}
}
