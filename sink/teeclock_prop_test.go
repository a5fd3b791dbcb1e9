package sink_test

import (
	"context"
	"errors"
	"math/rand/v2"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// feedOf draws a feed of changes of few rows: those of which the number leaves part
// when divided by parts.
func feedOf(rt *rapid.T, name string, part, parts int) []change {
	return rapid.SliceOfN(rapid.Custom(func(rt *rapid.T) change {
		key := part + parts*rapid.IntRange(0, 4).Draw(rt, "key")
		if rapid.Bool().Draw(rt, "deleted") {
			return remove(key)
		}
		return upsert(key, rapid.SliceOfN(rapid.StringMatching("[a-c]"), 1, 3).Draw(rt, "v")...)
	}), 0, 60).Draw(rt, name)
}

// branchesOf draws a Tee that applies the changes to the replica.
func branchesOf(rt *rapid.T, to *replica) rxcql.Sink[change] {
	opts := []sink.TableOption{sink.BatchRows(rapid.IntRange(1, 5).Draw(rt, "batch")), sink.InFlight(rapid.IntRange(1, 8).Draw(rt, "in flight"))}
	bySet := []sink.TableOption{sink.BatchByReplicaSet(rapid.IntRange(2, 5).Draw(rt, "partitions"), 0)}
	if rapid.Bool().Draw(rt, "sorted") {
		bySet = append(bySet, sink.SortByToken())
	}
	of := func(name string) []sink.TableOption {
		if rapid.Bool().Draw(rt, name) {
			return slices.Concat(opts, bySet)
		}
		return opts
	}
	up, del := upserts(to, of("upserts by replica set")...), deletes(to, of("deletes by replica set")...)
	if rapid.Bool().Draw(rt, "deletes first") {
		up, del = del, up
	}
	nothing := sink.Each(func(context.Context, change) error { return nil }, sink.Idempotent())
	switch rapid.IntRange(0, 3).Draw(rt, "shape") {
	case 0:
		return sink.Tee(nothing, up, nothing, del)
	case 1:
		return sink.Tee(sink.Tee(nothing, up), del)
	case 2:
		same := func(in rxcql.Stream[change]) rxcql.Stream[change] {
			return operators.FlatMap(in, func(ch change, emit func(change) bool) error { emit(ch); return nil })
		}
		return sink.Tee(nothing, sink.Through(same, sink.Tee(up, sink.Through(same, del))))
	}
	return sink.Tee(up, del)
}

func TestATeeAppliesAnyFeedOfChangesInItsOrderWhateverFails(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		feed := feedOf(rt, "feed", 0, 1)
		var good []change
		for i := range feed {
			if !feed[i].Deleted && rapid.IntRange(0, 9).Draw(rt, "bad") == 0 {
				feed[i].V = []string{"bad"}
				continue
			}
			good = append(good, feed[i])
		}
		server := newReplica()
		server.frozen = rapid.Bool().Draw(rt, "frozen")
		server.answer = unreliable(rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "answers"), 1)))
		to, rows := branchesOf(rt, server), rapid.IntRange(1, 20).Draw(rt, "page")
		var rep rxcql.Report
		var err error
		synctest.Test(t, func(*testing.T) {
			p, refused := rxcql.New(split(feed, rows), to, rxcql.WithRetry(time.Hour, 0), rxcql.WithRowErrors(rxcql.SkipRows(1<<40)))
			if err = refused; err == nil {
				rep, err = p.Run(context.Background())
			}
		})
		require.NoError(rt, err)
		require.True(rt, rep.Complete)
		require.EqualValues(rt, len(feed)-len(good), rep.Skipped)
		require.Equal(rt, applied(good), server.read())
	})
}

func TestATeeAppliesAnyFeedOfChangesInAJobThatIsBrokenOffAndGoesOn(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		parts := &jobtest.Parts[change]{PageRows: rapid.IntRange(1, 20).Draw(rt, "page"), Seed: rapid.Uint64().Draw(rt, "order")}
		var all []change
		for part := range 2 { // which come in no particular order
			feed := feedOf(rt, "feed", part, 2)
			parts.Rows, all = append(parts.Rows, feed), append(all, feed...)
		}
		server := newReplica()
		server.frozen = rapid.Bool().Draw(rt, "frozen")
		server.answer = unreliable(rand.New(rand.NewPCG(rapid.Uint64().Draw(rt, "answers"), 1)))
		to := branchesOf(rt, server)
		breaks := rapid.SliceOfN(rapid.IntRange(1, 80), 0, 3).Draw(rt, "broken off after")
		fails := rapid.Bool().Draw(rt, "fails") // else it is cancelled
		var j changesJob
		synctest.Test(t, func(*testing.T) { j.run(parts, to, server, append(breaks, 0), fails) })
		require.NoError(rt, j.err)
		require.True(rt, j.rep.Complete)
		require.Zero(rt, j.older, "rows written again are newer than all before, of both sinks")
		require.Equal(rt, applied(all), server.read())
	})
}

// changesJob is a job that applies changes.
type changesJob struct {
	rep   rxcql.Report
	err   error
	older int // runs of which a timestamp was not above all those of the runs before
}

// run runs the job, breaks it off after so many changes, and goes on.
func (j *changesJob) run(in *jobtest.Parts[change], to rxcql.Sink[change], server *replica, breaks []int, fails bool) {
	store := &jobtest.Store{}
	for _, left := range breaks {
		ctx, cancel := context.WithCancel(context.Background())
		feed := operators.Tap(in.Stream(), func(change) error {
			left--
			switch {
			case left != 0:
			case fails:
				return errBroken
			default:
				cancel()
			}
			return nil
		})
		var p *rxcql.Pipeline
		if p, j.err = rxcql.New(feed, to, rxcql.WithRetry(time.Hour, 0), rxcql.WithCheckpoint(store, "job")); j.err == nil {
			before := server.mark()
			j.rep, j.err = p.Run(ctx)
			if low, wrote := server.since(); wrote && low <= before {
				j.older++
			}
		}
		cancel()
		if j.err == nil || !errors.Is(j.err, errBroken) && !errors.Is(j.err, context.Canceled) {
			return
		}
	}
}
