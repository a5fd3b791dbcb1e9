package sink_test

import (
	"context"
	"fmt"
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

// byKind picks the second sink for deletes.
func byKind(ch change) int {
	if ch.Deleted {
		return 1
	}
	return 0
}

// byKindTurned picks the first sink for deletes.
func byKindTurned(ch change) int { return 1 - byKind(ch) }

// putting and removing are the two sinks of a Route that applies a feed of changes.
func putting(to *replica, opts ...sink.TableOption) rxcql.Sink[change] {
	return sink.TableOn[change](to.send, to.table(), opts...)
}

func removing(to *replica, opts ...sink.TableOption) rxcql.Sink[change] {
	return sink.TableOn[change](to.send, to.table(), append(slices.Clone(opts), sink.Delete())...)
}

func TestSinksOfARouteApplyAFeedOfChangesInItsOrder(t *testing.T) {
	same := func(in rxcql.Stream[change]) rxcql.Stream[change] { return in }
	nothing := sink.Each(func(context.Context, change) error { return nil })
	bySet := sink.BatchByReplicaSet(3, 0)
	for name, feed := range map[string][]change{
		"deleted at last":               append(upsertsOf(1000), remove(999)),
		"deleted after it in one page":  {upsert(1, "a"), upsert(2, "b"), remove(1)},
		"deleted before it in one page": {remove(1), upsert(2, "b"), upsert(1, "a")},
		"there and back":                {upsert(1, "a"), remove(1), upsert(1, "b"), remove(1), upsert(1, "c"), remove(2), upsert(2, "d"), remove(2)},
		"written over":                  {upsert(1, "a"), upsert(1, "b", "c"), upsert(1, "d")},
	} {
		for shape, route := range map[string]func(s *replica) rxcql.Sink[change]{
			"upserts first": func(s *replica) rxcql.Sink[change] { return sink.Route(byKind, putting(s), removing(s)) },
			"deletes first": func(s *replica) rxcql.Sink[change] { return sink.Route(byKindTurned, removing(s), putting(s)) },
			"with another between": func(s *replica) rxcql.Sink[change] {
				return sink.Route(func(ch change) int { return 2 * byKind(ch) }, putting(s), nothing, removing(s))
			},
			"by replica set": func(s *replica) rxcql.Sink[change] {
				return sink.Route(byKind, putting(s, bySet), removing(s, bySet))
			},
			"behind Throughs": func(s *replica) rxcql.Sink[change] {
				return sink.Route(byKind, sink.Through(same, putting(s)), sink.Through(onlyDeleted(true), removing(s)))
			},
			"in a Through": func(s *replica) rxcql.Sink[change] {
				return sink.Through(same, sink.Route(byKind, putting(s), removing(s)))
			},
			"in a Tee": func(s *replica) rxcql.Sink[change] {
				return sink.Tee(nothing, sink.Route(byKind, putting(s), removing(s)))
			},
			"half in a Tee": func(s *replica) rxcql.Sink[change] {
				return sink.Tee(sink.Route(byKind, putting(s), nothing), deletes(s))
			},
			"a Tee in it": func(s *replica) rxcql.Sink[change] {
				return sink.Route(byKind, sink.Tee(nothing, putting(s)), sink.Tee(removing(s), nothing))
			},
			"a Route in it": func(s *replica) rxcql.Sink[change] {
				return sink.Route(byKind, putting(s), sink.Route(byKind, nothing, removing(s)))
			},
			"all in a Route in it": func(s *replica) rxcql.Sink[change] {
				return sink.Route(func(change) int { return 1 }, nothing, sink.Route(byKind, putting(s), removing(s)))
			},
			"in sinks of a user": func(s *replica) rxcql.Sink[change] {
				return sink.Route[change](byKind, wrapped{putting(s)}, wrapped{removing(s)})
			},
		} {
			for _, rows := range []int{1, 2, 3, 512} {
				t.Run(fmt.Sprintf("%s, %s, pages of %d", name, shape, rows), func(t *testing.T) {
					synctest.Test(t, func(t *testing.T) {
						server := newReplica()
						rep, err := run(t, split(feed, rows), route(server))
						require.NoError(t, err)
						require.True(t, rep.Complete)
						require.EqualValues(t, len(feed), rep.ReadRows)
						require.Equal(t, applied(feed), server.read())
					})
				})
			}
		}
	}
}

func TestOperatorsThatHoldOrMixRowsAreRefusedBeforeATableOfTwoSinksOfARoute(t *testing.T) {
	same := func(in rxcql.Stream[change]) rxcql.Stream[change] { return in }
	for name, fn := range outOfStep {
		stage := map[string]string{"Batch timed": "Batch"}[name]
		if stage == "" {
			stage = name
		}
		server := newReplica()
		late, other := sink.Through(fn, putting(server)), removing(server)
		for where, route := range map[string]rxcql.Sink[change]{
			"in the first":        sink.Route(byKind, late, other),
			"in the second":       sink.Route(byKind, other, late),
			"behind a Through":    sink.Route(byKind, other, sink.Through(same, late)),
			"in a Route of its":   sink.Route(byKind, other, sink.Route(byKind, late)),
			"in a sink of a user": sink.Route[change](byKind, other, wrapped{late}),
		} {
			p, err := rxcql.New(split([]change{upsert(1, "v")}, 1), route)
			require.NoError(t, err)
			err = p.Check(context.Background())
			for range 2 {
				require.ErrorIs(t, err, rxcql.ErrConfig, "%s %s", name, where)
				for _, says := range []string{"sink.Route: sinks 1 and 2 write one table", "stage Table ks.t", stage, "put that operator before the Route", "sink.TimestampOf"} {
					require.ErrorContains(t, err, says, "%s %s", name, where)
				}
				_, err = p.Run(context.Background())
			}
		}
		require.Empty(t, server.read())
	}
}

// routesOf draws a Route that applies the changes to the replica.
func routesOf(rt *rapid.T, to *replica) rxcql.Sink[change] {
	opts := []sink.TableOption{sink.BatchRows(rapid.IntRange(1, 5).Draw(rt, "batch")), sink.InFlight(rapid.IntRange(1, 8).Draw(rt, "in flight"))}
	of := func(name string) []sink.TableOption {
		if rapid.Bool().Draw(rt, name) {
			return append(slices.Clone(opts), sink.BatchByReplicaSet(rapid.IntRange(2, 5).Draw(rt, "partitions"), 0))
		}
		return opts
	}
	up, del := putting(to, of("upserts by replica set")...), removing(to, of("deletes by replica set")...)
	flat := func(in rxcql.Stream[change]) rxcql.Stream[change] {
		return operators.FlatMap(in, func(ch change, emit func(change) bool) error { emit(ch); return nil })
	}
	nothing := sink.Each(func(context.Context, change) error { return nil }, sink.Idempotent())
	if rapid.Bool().Draw(rt, "behind Throughs") {
		up, del = sink.Through(flat, up), sink.Through(onlyDeleted(true), del)
	}
	switch rapid.IntRange(0, 4).Draw(rt, "shape") {
	case 0:
		return sink.Route(byKindTurned, del, up)
	case 1:
		return sink.Tee(nothing, sink.Route(byKind, up, del))
	case 2:
		return sink.Route(func(ch change) int { return 1 + 2*byKind(ch) }, nothing, sink.Tee(up, nothing), nothing, del)
	case 3: // by the parity of the key first, and then by what is to be done
		return sink.Route(func(ch change) int { return int(ch.C) % 2 }, sink.Route(byKind, up, del), sink.Route(byKindTurned, del, up))
	}
	return sink.Route(byKind, up, del)
}

func TestARouteAppliesAnyFeedOfChangesInItsOrderWhateverFails(t *testing.T) {
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
		to, rows := routesOf(rt, server), rapid.IntRange(1, 20).Draw(rt, "page")
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

func TestARouteAppliesAnyFeedOfChangesInAJobThatIsBrokenOffAndGoesOn(t *testing.T) {
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
		to := routesOf(rt, server)
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
