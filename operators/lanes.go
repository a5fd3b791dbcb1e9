package operators

import (
	"context"
	"errors"
	"fmt"
	"hash/maphash"
	"slices"
	"strconv"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/rx"
)

const (
	// mostLanes is the most lanes that Lanes can be asked for.
	mostLanes = 1024
	// laneRows is how many rows may wait in a lane.
	laneRows = flow.DefaultPageRows
)

// Lanes puts a chain of operators on all cores: it deals the rows out to n lanes, which work at the
// same time. key decides which lane: all rows with one key go to the same lane, in their order.
// chain is called n times, when the stream is built, and makes the operators of one lane:
//
//	parsed := operators.Lanes(lines, runtime.GOMAXPROCS(0),
//		func(l Line) string { return l.Sensor },
//		func(in rxcql.Stream[Line]) rxcql.Stream[Reading] { return operators.Map(in, parse) })
//
// chain must build on the stream that it is given, use it once, and add no other source. Functions
// of one lane are called by one goroutine at a time; those of different lanes at the same time. So
// what chain makes for itself (a counter, a buffer) is the lane's own, and what lanes share needs a
// lock. It lasts as long as the stream: where that is read twice, the second reading finds what the
// first one left. The seed of a Scan or GroupBy is called for each reading. key is called by one
// goroutine at a time. To wait for something in each row, such as a query, MapConcurrent needs no
// lanes.
//
// A lane has the rows of many keys. To fold the rows of each key put GroupBy into the chain; a Scan
// or Reduce there folds all rows of its lane.
//
// Order: rows of one key keep theirs; rows of different keys have none, not even in one lane if its
// chain mixes them. So GroupAdjacent behind Lanes is refused, unless n is 1. Inside a lane it folds
// rows that follow each other in that lane. Give Lanes a key that is the same for all rows of a
// group, best the key of the group: otherwise each lane makes a group of its own of them.
//
// Memory: each lane holds up to 512 rows that wait for it (all rows that one page has for it, if
// these are more), and those that it works on, all charged to the budget, and what its operators
// hold. When a lane is full the reading waits, also where other lanes have nothing to do: keys
// should be many more than lanes, and alike in rows. No lane waits for another: one that is slow
// slows the reading, and one that drops all rows or holds all of them stops no other. The stream
// before Lanes runs in a goroutine of its own, and so does each lane.
//
// A limit downstream (Take) holds for the reading where the chains give a row for each row. Where
// they have goroutines of their own (MapConcurrent), a page or two more may be read.
//
// Ends: the first error of any lane ends all. If a lane ends its stream on purpose (Take), that
// lane alone ends: later rows for it are dropped, and the reading stops when all lanes have ended.
// The report's EndedBy names the first of them. What a part of a source says of its end and its
// watermark goes on when all lanes have handed it on.
//
// In the report, "Lanes in" has the rows that came in, "Lane 2" those of that lane, "Map (lane 2)"
// what Map did there, and "Lanes" what came out of all. A row that fails in a lane is named by its
// place in the page that was read, as far as operators in the lane have not dropped or added rows.
//
// It is resumable where the operators of the lanes are, except for GroupAdjacent and
// DistinctAdjacent. In a job key and chain must depend on nothing but the rows.
func Lanes[T any, K comparable, U any](in rxcql.Stream[T], n int, key func(T) K, chain func(in rxcql.Stream[T]) rxcql.Stream[U]) rxcql.Stream[U] {
	errs := []error{atLeast("n", int64(n), 1), required("the key function", key == nil), required("the chain", chain == nil)}
	if n > mostLanes {
		errs = append(errs, fmt.Errorf("n is %d: must be at most %d", n, mostLanes))
	}
	id := &lanesID{maphash.MakeSeed()}
	split := splitStream(in, id, key)
	upstream := []rxcql.AnyStream{split}
	var made []rxcql.Stream[U]
	if errors.Join(errs...) == nil {
		for i := range n {
			lane := laneStream(in, id, i)
			s := chain(lane)
			if err := s.MadeFrom(lane); err != nil {
				errs = append(errs, fmt.Errorf("the chain: %w", err))
				break
			}
			made, upstream = append(made, s), append(upstream, s)
		}
	}
	info := rxcql.StageInfo{Name: "Lanes", MixesRows: n > 1, Err: errors.Join(errs...)}
	if outer := in.Lane(); outer != "" {
		info.Lane, info.Name = outer, fmt.Sprintf("Lanes (lane %s)", outer)
	}
	for _, s := range made { // which need not be alike
		if folds, why := foldsInLanes(s.Stages()); folds {
			info.NotResumable, info.NotResumableReason = true, why
			break
		}
	}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[U]) error {
		l := newLanes[T](st, n, limitFor(out))
		j := newLaneJoin(st, out, n, l.knows, l.forget)
		err := border(context.WithValue(ctx, id, l), func(ctx context.Context, post poster) error {
			return runLanes(ctx, st, l, j, split, made, post)
		})
		if err != nil {
			return err
		}
		return out.Done(ctx, j.stopped || l.stopped) // the lanes may have ended before they were told
	}, upstream...)
}

// lanesID is the key under which a run of a Lanes is known to its context. The seed is that of the
// hashes of keys: a key has the same lane in every run of the stream.
type lanesID struct{ seed maphash.Seed }

// foldsInLanes reports whether one of the stages leaves snapshots in a checkpoint.
func foldsInLanes(stages []rxcql.StageInfo) (folds bool, why string) {
	i := slices.IndexFunc(stages, func(info rxcql.StageInfo) bool { return info.Adjacent })
	if i < 0 {
		return false, ""
	}
	return true, fmt.Sprintf("a checkpoint knows where one fold over a part of a source was, and %s has one in each lane; "+
		"put it before Lanes", stages[i].Name)
}

// laneStream is the stream that the chain of lane i is built on.
func laneStream[T any](in rxcql.Stream[T], id *lanesID, i int) rxcql.Stream[T] {
	number := strconv.Itoa(i + 1)
	if outer := in.Lane(); outer != "" {
		number = outer + "." + number
	}
	info := rxcql.StageInfo{Name: "Lane " + number, Lane: number, Synchronous: true, MixesRows: in.MixesRows()}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		l, ok := ctx.Value(id).(*lanes[T])
		if !ok {
			return st.Fail(errors.New("the stream given to the chain of Lanes can only be read in that chain"))
		}
		return l.all[i].run(ctx, st, out)
	})
}

// runLanes reads the stream before Lanes in this goroutine, and runs each lane in one of its own.
func runLanes[T, U any](ctx context.Context, st *rxcql.Stage, l *lanes[T], j *laneJoin[U], split rxcql.Stream[T], made []rxcql.Stream[U], post poster) error {
	group, ctx := st.TaskGroup(ctx)
	errs := make([]error, len(made)+1)
	for i, s := range made {
		group.Go(func() error {
			err := rx.ErrExited // stays if Subscribe does not return
			defer func() { l.over(l.all[i], err) }()
			err = s.Subscribe(ctx, st, &across[U]{to: &laneOut[U]{j, i}, post: post, lost: st.CountDropped, limit: l.wanted})
			errs[i] = err
			return err
		})
	}
	var err error
	_ = ending(func() error {
		if err := l.awaitLanes(ctx); err != nil {
			return err
		}
		return split.Subscribe(ctx, st, nowhere[T]{})
	}, func(read error) {
		if read != nil {
			group.Cancel(read)
		} else {
			l.finish()
		}
		errs[len(made)] = read
		err = rxcql.FirstFailure(append(errs, group.Wait())...)
		if l.ending != nil {
			l.ending.Finish(err)
		}
	})
	return err
}

// nowhere is the observer of a stream that hands its rows on in another way.
type nowhere[T any] struct{}

func (nowhere[T]) Next(context.Context, *flow.Page[T]) error { return nil }
func (nowhere[T]) Done(context.Context, bool) error          { return nil }
