package operators_test

import (
	"cmp"
	"context"
	"runtime"
	"strings"
	"sync"
	"time"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest"
)

// timed is a row that knows which source and part it is of, and when it happened.
type timed struct {
	source string
	part   int
	at     int
}

// use is a way to use an operator, so that rows go in and come out.
type use struct {
	operator string // the exported function
	how      string
	put      func(in rxcql.Stream[timed]) rxcql.Stream[timed]
	holds    func(part int) bool // keeps rows of part 0 until more come, or the end; nil for neither
	loses    bool                // rows
	own      bool                // its pages are of a part of its own
	sets     bool                // it sets watermarks, by the rows
	ends     bool                // it may end the stream
	outside  bool                // it reads its input again, or another source: neither inside a sink nor behind Rx
}

func (v use) String() string { return strings.TrimSpace(v.operator + " " + v.how) }

func same(e timed) (timed, error) { return e, nil }

func always(timed) bool { return true }

func timeOf(e timed) int { return e.at }

func happened(e timed) (time.Time, error) { return time.Unix(int64(e.at), 0), nil }

// unevenly takes a time of its own for each timed.
func unevenly(_ context.Context, e timed) (timed, error) {
	for range (e.at*7 + e.part*13) % 40 {
		runtime.Gosched()
	}
	return e, nil
}

func unbatched(in rxcql.Stream[[]timed]) rxcql.Stream[timed] {
	return operators.FlatMap(in, func(rows []timed, emit func(timed) bool) error {
		for _, e := range rows {
			emit(e)
		}
		return nil
	})
}

func batched(opts ...operators.BatchOption) func(rxcql.Stream[timed]) rxcql.Stream[timed] {
	return func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return unbatched(operators.Batch(in, opts...)) }
}

func nothing() timed { return timed{} }

// another is a stream beside the one that rows go in by.
func another(name string) rxcql.Stream[timed] {
	return script(name, happening{part: 0, at: []int{1}, mark: 1}, happening{part: 0, mark: 2, last: true})
}

// failsFirst is in, but fails when a run reads it for the first time.
func failsFirst[T any](in rxcql.Stream[T]) rxcql.Stream[T] {
	var failed sync.Map // by run
	info := rxcql.StageInfo{Name: "Fails first", Synchronous: true}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		if _, again := failed.LoadOrStore(st.Run(), true); !again {
			return st.Fail(errPasses)
		}
		return in.Subscribe(ctx, st, out)
	}, in)
}

// earliest is the first timed of each group, in timed time.
func earliest(in rxcql.Stream[timed]) rxcql.Stream[timed] {
	groups := operators.GroupAdjacent(in, func(e timed) timed { return timed{e.source, e.part, e.at / 4} }, nothing,
		func(first, e timed) (timed, error) {
			if first.source != "" && first.at < e.at {
				return first, nil
			}
			return e, nil
		})
	return operators.Map(groups, func(g operators.Group[timed, timed]) (timed, error) { return g.Value, nil })
}

// lanedBy puts lanes by time into a stream.
func lanedBy(n int, chain func(rxcql.Stream[timed]) rxcql.Stream[timed]) func(rxcql.Stream[timed]) rxcql.Stream[timed] {
	return func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
		return operators.Lanes(in, n, func(e timed) int { return e.at }, chain)
	}
}

func latest(_, e timed) (timed, error) { return e, nil }

// inSeconds is each row in a window of its second.
func inSeconds(windows operators.Windows, opts ...operators.WindowOption) func(rxcql.Stream[timed]) rxcql.Stream[timed] {
	return func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
		results := operators.Window(in, windows, momentOf, itself[timed], nothing, latest, append(opts, operators.WindowKeys(1<<20))...)
		return operators.Map(results, func(r operators.WindowResult[timed, timed]) (timed, error) { return r.Value, nil })
	}
}

// uses are all operators, each in the ways that differ in what they do with pages.
func uses() []use {
	return []use{
		{operator: "Map", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.Map(in, same) }},
		{operator: "Filter", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.Filter(in, always) }},
		{operator: "Filter", how: "that drops some", loses: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Filter(in, func(e timed) bool { return e.at%3 > 0 })
		}},
		{operator: "Filter", how: "that drops all", loses: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Filter(in, func(timed) bool { return false })
		}},
		{operator: "FlatMap", how: "to none", loses: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.FlatMap(in, func(timed, func(timed) bool) error { return nil })
		}},
		{operator: "FlatMap", how: "to more than a page", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.FlatMap(in, func(e timed, emit func(timed) bool) error {
				for range flow.DefaultPageRows/2 + 1 {
					emit(e)
				}
				return nil
			})
		}},
		{operator: "Scan", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Scan(in, nothing, func(_, e timed) (timed, error) { return e, nil })
		}},
		{operator: "Reduce", holds: func(int) bool { return true }, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return unbatched(operators.Reduce(in, func() []timed { return nil }, func(all []timed, e timed) ([]timed, error) { return append(all, e), nil }))
		}},
		{operator: "Take", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.Take(in, 1<<40) }},
		{operator: "Take", how: "of a few", ends: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.Take(in, 20) }},
		{operator: "TakeWhile", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.TakeWhile(in, always) }},
		{operator: "Skip", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.Skip(in, 0) }},
		{operator: "Skip", how: "of all", loses: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.Skip(in, 1<<40) }},
		{operator: "Tap", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Tap(in, func(timed) error { return nil })
		}},
		{operator: "Batch", how: "of one", put: batched(operators.BatchRows(1))},
		{operator: "Batch", how: "of three", put: batched(operators.BatchRows(3))},
		{operator: "Batch", how: "by bytes", put: batched(operators.BatchBytes(1))},
		{operator: "Batch", how: "with Linger", put: batched(operators.BatchRows(7), operators.BatchLinger(50*time.Microsecond))},
		{operator: "GroupAdjacent", loses: true, holds: func(part int) bool { return part == 0 }, put: earliest},
		{operator: "MapConcurrent", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.MapConcurrent(in, 3, unevenly) }},
		{operator: "MapConcurrent", how: "unordered", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.MapConcurrent(in, 4, unevenly, operators.Unordered())
		}},
		{operator: "Lookup", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return lookUpCustomer(in, timeOf, same, operators.LookupInFlight(3))
		}},
		{operator: "Lookup", how: "unordered", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return lookUpCustomer(in, timeOf, same, operators.LookupInFlight(4), operators.Unordered())
		}},
		{operator: "Merge", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.Merge(in) }},
		{operator: "Merge", how: "with another", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Merge(in, another("other"))
		}},
		{operator: "DistinctAdjacent", loses: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.DistinctAdjacent(in, func(e timed) int { return e.at / 4 })
		}},
		{operator: "Distinct", loses: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Distinct(in, func(e timed) int { return e.at / 4 }, operators.DistinctKeys(1<<20))
		}},
		{operator: "Distinct", how: "that forgets", loses: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Distinct(in, func(e timed) int { return e.at / 4 }, operators.DistinctKeys(2), operators.ForgetOldest(nil))
		}},
		{operator: "Concat", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.Concat(in) }},
		{operator: "Concat", how: "with another", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Concat(another("before"), in, another("behind"))
		}},
		{operator: "Zip", how: "with another", ends: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Zip(in, count(1<<40, 10), func(e timed, _ int) (timed, error) { return e, nil })
		}},
		{operator: "MergeSorted", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.MergeSorted(func(_, _ timed) int { return 0 }, in)
		}},
		{operator: "MergeSorted", how: "with another", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.MergeSorted(func(_, _ timed) int { return 0 }, in, another("other"))
		}},
		{operator: "MergeJoin", how: "with another", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			pairs := operators.MergeJoin(in, another("other"), func(timed) int { return 0 }, func(timed) int { return 1 }, cmp.Compare[int], operators.JoinLeft())
			return operators.Map(pairs, func(p rxcql.Pair[timed, timed]) (timed, error) { return p.Left, nil })
		}},
		{operator: "IntervalJoin", how: "with another", holds: func(int) bool { return true }, loses: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Map(near(in, another("other"), noKey, -10, 10), laterOf)
		}},
		{operator: "Lanes", put: lanedBy(3, func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.MapConcurrent(in, 3, unevenly) })},
		{operator: "Lanes", how: "alone", put: lanedBy(1, func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return in })},
		{operator: "Lanes", how: "in lanes", put: lanedBy(2, lanedBy(2, func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.Map(in, same) }))},
		{operator: "Lanes", how: "that drop all", loses: true, put: lanedBy(4, func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Filter(in, func(timed) bool { return false })
		})},
		{operator: "Lanes", how: "that hold rows", holds: func(int) bool { return true }, put: lanedBy(3, batched(operators.BatchRows(4)))},
		{operator: "Lanes", how: "that fold all", holds: func(int) bool { return true }, loses: true, put: lanedBy(3, func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Reduce(in, nothing, func(_, e timed) (timed, error) { return e, nil })
		})},
		{operator: "Lanes", how: "that end", ends: true, loses: true, put: lanedBy(2, func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.Take(in, 3) })},
		{operator: "GroupBy", holds: func(int) bool { return true }, loses: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			groups := operators.GroupBy(in, func(e timed) timed { return e }, nothing, func(_, e timed) (timed, error) { return e, nil }, operators.GroupByGroups(1<<20))
			return operators.Map(groups, func(g operators.Group[timed, timed]) (timed, error) { return g.Value, nil })
		}},
		{operator: "Window", holds: func(int) bool { return true }, loses: true, put: inSeconds(operators.Tumbling(time.Second))},
		{operator: "Window", how: "that keeps late rows", holds: func(int) bool { return true }, loses: true,
			put: inSeconds(operators.Tumbling(time.Second), operators.AllowedLateness(3*time.Second))},
		{operator: "Window", how: "of sessions", holds: func(int) bool { return true }, loses: true,
			put: inSeconds(operators.Session(time.Second), operators.MergeStates(func(e, _ timed) (timed, error) { return e, nil }))},
		{operator: "WindowWithLate", holds: func(int) bool { return true }, loses: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			out := operators.WindowWithLate(in, operators.Tumbling(time.Second), momentOf, itself[timed], nothing, latest, operators.WindowKeys(1<<20))
			return operators.Map(out, func(o operators.WindowOrLate[timed, timed, timed]) (timed, error) { return o.Window.Value, nil })
		}},
		{operator: "WindowAdjacent", holds: func(part int) bool { return part == 0 }, loses: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			windows := operators.WindowAdjacent(in, operators.Tumbling(time.Second), momentOf, itself[timed], nothing, latest)
			return operators.Map(windows, func(r operators.WindowResult[timed, timed]) (timed, error) { return r.Value, nil })
		}},
		{operator: "Retry", outside: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.Retry(in) }},
		{operator: "Retry", how: "of one that fails at first", outside: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Retry(failsFirst(in), atOnce()...)
		}},
		{operator: "Recover", outside: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Recover(in, another("other"))
		}},
		{operator: "Recover", how: "from one that has failed", outside: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			broken := rxcqltest.NewScript[timed]().Name("broken").Fail(errStays)
			return operators.Recover(broken.Stream(), in)
		}},
		{operator: "Throttle", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Throttle(in, rxcql.NewRate(rxcql.RowsPerSecond(1e6), rxcql.RateBurst(time.Microsecond)))
		}},
		{operator: "Buffer", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.Buffer(in, 2, rxcql.OverflowBlock) }},
		{operator: "Buffer", how: "that drops the oldest", loses: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Buffer(in, 2, rxcql.OverflowDropOldest)
		}},
		{operator: "Buffer", how: "that drops the newest", loses: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Buffer(in, 2, rxcql.OverflowDropNewest)
		}},
		{operator: "Buffer", how: "of the latest", loses: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Buffer(in, 9, rxcql.OverflowLatest)
		}},
		{operator: "Timeout", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.Timeout(in, time.Hour) }},
		{operator: "Sample", loses: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Sample(in, 50*time.Microsecond)
		}},
		{operator: "Debounce", loses: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Debounce(in, 50*time.Microsecond)
		}},
		{operator: "Conflate", put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return unbatched(operators.Conflate(in, func() []timed { return nil }, func(all []timed, e timed) ([]timed, error) { return append(all, e), nil }))
		}},
		{operator: "EventTime", sets: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.EventTime(in, happened, operators.OutOfOrderness(time.Hour), operators.IdleAfter(time.Hour))
		}},
		{operator: "Rx", own: true, put: func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Rx[timed, timed](in, func(o rxgo.Observable) rxgo.Observable { return o })
		}},
	}
}
