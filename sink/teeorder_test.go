package sink_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

type changesThrough = func(rxcql.Stream[change]) rxcql.Stream[change]

// flat makes changes of batches again.
func flat(in rxcql.Stream[[]change]) rxcql.Stream[change] {
	return operators.FlatMap(in, func(batch []change, emit func(change) bool) error {
		for _, ch := range batch {
			emit(ch)
		}
		return nil
	})
}

// lastOf makes changes of groups.
func lastOf(in rxcql.Stream[operators.Group[int64, change]]) rxcql.Stream[change] {
	return operators.Map(in, func(g operators.Group[int64, change]) (change, error) { return g.Value, nil })
}

func keepLast(_, ch change) (change, error) { return ch, nil }

// asItIs is what most operators make of element i of a feed.
func asItIs(_ int, ch change) []change { return []change{ch} }

// only is what an operator makes that drops elements by their number.
func only(keeps func(i int) bool) func(int, change) []change {
	return func(i int, ch change) []change {
		if !keeps(i) {
			return nil
		}
		return []change{ch}
	}
}

// tripled is three versions of a row.
func tripled(_ int, ch change) (versions []change) {
	for n := range 3 {
		versions = append(versions, change{P: ch.P, C: ch.C, V: []string{fmt.Sprint(ch.V[0], n)}})
	}
	return versions
}

// inStep are operators that hand rows on as they come, with what each makes of an
// element.
var inStep = map[string]struct {
	fn   changesThrough
	made func(i int, ch change) []change
}{
	"Map": {func(in rxcql.Stream[change]) rxcql.Stream[change] {
		return operators.Map(in, func(ch change) (change, error) { return ch, nil })
	}, asItIs},
	"Filter": {func(in rxcql.Stream[change]) rxcql.Stream[change] {
		n := -1
		return operators.Filter(in, func(change) bool { n++; return n%2 == 0 })
	}, only(func(i int) bool { return i%2 == 0 })},
	"FlatMap": {func(in rxcql.Stream[change]) rxcql.Stream[change] {
		return operators.FlatMap(in, func(ch change, emit func(change) bool) error {
			for _, v := range tripled(0, ch) {
				emit(v)
			}
			return nil
		})
	}, tripled},
	"Scan": {func(in rxcql.Stream[change]) rxcql.Stream[change] { return operators.Scan(in, emptyChange, keepLast) }, asItIs},
	"Skip": {func(in rxcql.Stream[change]) rxcql.Stream[change] { return operators.Skip(in, 3) },
		only(func(i int) bool { return i >= 3 })},
	"Take": {func(in rxcql.Stream[change]) rxcql.Stream[change] { return operators.Take(in, 3) },
		only(func(i int) bool { return i < 3 })},
	"TakeWhile": {func(in rxcql.Stream[change]) rxcql.Stream[change] {
		n := 0
		return operators.TakeWhile(in, func(change) bool { n++; return n <= 4 })
	}, only(func(i int) bool { return i < 4 })},
	"Tap": {func(in rxcql.Stream[change]) rxcql.Stream[change] {
		return operators.Tap(in, func(change) error { return nil })
	}, asItIs},
}

func TestOperatorsThatHandRowsOnAsTheyComeMayStandBeforeATableOfTwoBranches(t *testing.T) {
	for name, operator := range inStep {
		for _, rows := range []int{1, 3, 100} {
			for _, first := range []bool{true, false} {
				synctest.Test(t, func(t *testing.T) {
					server, feed, expected := newReplica(), []change{}, []change{}
					for i := range 12 { // in the direct branch an element is another row
						ch := upsert(i%4, fmt.Sprint("v", i))
						feed = append(feed, ch)
						made, direct := operator.made(i, ch), next(ch)
						if first {
							expected = append(append(expected, made...), direct)
						} else {
							expected = append(append(expected, direct), made...)
						}
					}
					table := func(fn changesThrough) rxcql.Sink[change] {
						return sink.Through(fn, sink.TableOn[change](server.send, server.table()))
					}
					to := []rxcql.Sink[change]{table(operator.fn), table(func(in rxcql.Stream[change]) rxcql.Stream[change] {
						return operators.Map(in, func(ch change) (change, error) { return next(ch), nil })
					})}
					if !first {
						slices.Reverse(to)
					}
					_, err := run(t, split(feed, rows), sink.Tee(to...))
					require.NoError(t, err, name)
					require.Equal(t, applied(expected), server.read(), "%s, pages of %d", name, rows)
				})
			}
		}
	}
}

// next is another version of the next row.
func next(ch change) change { return upsert((int(ch.C)+1)%4, "next "+ch.V[0]) }

// emptyChange is where folds begin.
func emptyChange() change { return change{} }

// outOfStep are operators that do not, by the stage that is to be named.
var outOfStep = map[string]changesThrough{
	"Batch": func(in rxcql.Stream[change]) rxcql.Stream[change] {
		return flat(operators.Batch(in, operators.BatchRows(2)))
	},
	"Batch timed": func(in rxcql.Stream[change]) rxcql.Stream[change] {
		return flat(operators.Batch(in, operators.BatchLinger(time.Second)))
	},
	"Reduce": func(in rxcql.Stream[change]) rxcql.Stream[change] { return operators.Reduce(in, emptyChange, keepLast) },
	"GroupAdjacent": func(in rxcql.Stream[change]) rxcql.Stream[change] {
		return lastOf(operators.GroupAdjacent(in, func(ch change) int64 { return ch.P }, emptyChange, keepLast))
	},
	"MapConcurrent": func(in rxcql.Stream[change]) rxcql.Stream[change] {
		return operators.MapConcurrent(in, 2, func(_ context.Context, ch change) (change, error) { return ch, nil })
	},
	"Merge": func(in rxcql.Stream[change]) rxcql.Stream[change] { return operators.Merge(in) },
	"Rx": func(in rxcql.Stream[change]) rxcql.Stream[change] {
		return operators.Rx[change, change](in, func(o rxgo.Observable) rxgo.Observable { return o })
	},
	"Own": func(in rxcql.Stream[change]) rxcql.Stream[change] { // of a user, that does not say what it is like
		return rxcql.NewStream(rxcql.StageInfo{Name: "Own"}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[change]) error {
			return in.Subscribe(ctx, st, out)
		}, in)
	},
	"Holding": func(in rxcql.Stream[change]) rxcql.Stream[change] {
		return rxcql.Lift(in, rxcql.StageInfo{Name: "Holding", HoldsRows: true},
			func(_ *rxcql.Stage, out flow.Observer[change]) flow.Observer[change] { return out })
	},
}

func TestOperatorsThatHoldOrMixRowsAreRefusedBeforeATableOfTwoBranches(t *testing.T) {
	same := func(in rxcql.Stream[change]) rxcql.Stream[change] { return in }
	for name, fn := range outOfStep {
		stage := map[string]string{"Batch timed": "Batch"}[name]
		if stage == "" {
			stage = name
		}
		server := newReplica()
		late, other := sink.Through(fn, upserts(server)), deletes(server)
		for where, tee := range map[string]rxcql.Sink[change]{
			"in the first":             sink.Tee(late, other),
			"in the second":            sink.Tee(other, late),
			"behind a Through":         sink.Tee(other, sink.Through(same, late)),
			"before a Through":         sink.Tee(other, sink.Through(fn, sink.Through(same, upserts(server)))),
			"in a Tee of its own":      sink.Tee(other, sink.Tee(late)),
			"before a Tee of its own":  sink.Tee(other, sink.Through(fn, sink.Tee(upserts(server)))),
			"in a sink of a user":      sink.Tee[change](other, wrapped{late}),
			"beside a Tee of the same": sink.Tee(sink.Tee(other, other), late),
		} {
			p, err := rxcql.New(split([]change{upsert(1, "v")}, 1), tee)
			require.NoError(t, err)
			err = p.Check(context.Background())
			for range 2 {
				require.ErrorIs(t, err, rxcql.ErrConfig, "%s %s", name, where)
				for _, says := range []string{"sink.Tee: sinks 1 and 2 write one table", "stage Table ks.t", stage, "put that operator before the Tee", "sink.TimestampOf"} {
					require.ErrorContains(t, err, says, "%s %s", name, where)
				}
				_, err = p.Run(context.Background())
			}
		}
		require.Empty(t, server.read())
	}
}

func TestOperatorsThatHoldOrMixRowsMayStandWhereNoTableIsSharedAndBeforeTheTee(t *testing.T) {
	for name, fn := range outOfStep {
		synctest.Test(t, func(t *testing.T) {
			server, own := newReplica(), newReplica()
			table := own.table()
			table.ID = "another"
			stamped := sink.TableOn[change](server.send, lists("frozen<list<text>>"), sink.TimestampOf(func(change) int64 { return 1 }))
			apart := sink.Through(fn, sink.TableOn[change](own.send, table))
			feed := []change{upsert(1, "v"), upsert(2, "v"), upsert(3, "v"), upsert(4, "v")}
			for _, tee := range []rxcql.Sink[change]{
				sink.Tee(upserts(server), deletes(server), apart), // another table
				sink.Through(fn, sink.Tee(upserts(server), deletes(server))),
				sink.Tee(upserts(server), sink.Through(fn, stamped)), // with times of its own
			} {
				rep, err := run(t, split(feed, 2), tee)
				require.NoError(t, err, name)
				require.True(t, rep.Complete, name)
			}
			require.NotEmpty(t, own.read())
		})
	}
}

// wrapped is a sink of a user around another one.
type wrapped struct{ rxcql.Sink[change] }

func (w wrapped) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[change], error) {
	return w.Sink.Open(context.WithValue(ctx, wrapped{}, 1), r)
}

func TestATableInASinkOfAUsersIsSeen(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := newReplica()
		feed := []change{upsert(1, "a"), remove(1), upsert(2, "b"), remove(3), upsert(3, "c")}
		_, err := run(t, split(feed, 10), sink.Tee[change](wrapped{deletes(server)}, wrapped{upserts(server)}))
		require.NoError(t, err)
		require.Equal(t, applied(feed), server.read())
	})
}

func TestOfTwoBranchesThatWriteOneRowForAnElementTheLaterWins(t *testing.T) {
	as := func(server *replica, v string, opts ...sink.TableOption) rxcql.Sink[change] {
		return sink.Through(func(in rxcql.Stream[change]) rxcql.Stream[change] {
			return operators.Map(in, func(ch change) (change, error) { ch.V = []string{v}; return ch, nil })
		}, sink.TableOn[change](server.send, server.table(), opts...))
	}
	synctest.Test(t, func(t *testing.T) {
		for name, c := range map[string]struct {
			tee   func(*replica) rxcql.Sink[change]
			first string
		}{
			"a, z":            {func(s *replica) rxcql.Sink[change] { return sink.Tee(as(s, "a"), as(s, "z")) }, "z"},
			"z, a":            {func(s *replica) rxcql.Sink[change] { return sink.Tee(as(s, "z"), as(s, "a")) }, "a"},
			"z, b, a":         {func(s *replica) rxcql.Sink[change] { return sink.Tee(as(s, "z"), as(s, "b"), as(s, "a")) }, "a"},
			"upsert, delete":  {func(s *replica) rxcql.Sink[change] { return sink.Tee(as(s, "z"), as(s, "", sink.Delete())) }, ""},
			"delete, upsert":  {func(s *replica) rxcql.Sink[change] { return sink.Tee(as(s, "", sink.Delete()), as(s, "z")) }, "z"},
			"one sink, twice": {func(s *replica) rxcql.Sink[change] { one := as(s, "z"); return sink.Tee(one, one) }, "z"},
		} {
			server := newReplica()
			rep, err := run(t, split([]change{upsert(1, "x"), upsert(2, "x"), upsert(1, "x")}, 10), c.tee(server))
			require.NoError(t, err)
			require.True(t, rep.Complete)
			expected := map[rowKey]string{}
			if c.first != "" {
				expected = map[rowKey]string{{1, 1}: c.first, {2, 2}: c.first}
			}
			require.Equal(t, expected, server.read(), name)
		}
	})
}
