package operators_test

import (
	"cmp"
	"context"
	"strings"
	"testing"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// weighty is a row of a thousand bytes.
type weighty struct {
	n    int
	text string
}

var thousand = strings.Repeat("x", 1000)

// weighties are rows 0 to n-1.
func weighties(n int) rxcql.Stream[weighty] {
	return source.Seq(func(yield func(weighty, error) bool) {
		for i := range n {
			if !yield(weighty{i, thousand}, nil) {
				return
			}
		}
	})
}

// inBatchesOf holds rows and hands them on as they are.
func inBatchesOf(in rxcql.Stream[weighty], opts ...operators.BatchOption) rxcql.Stream[weighty] {
	return operators.FlatMap(operators.Batch(in, opts...), func(rows []weighty, emit func(weighty) bool) error {
		for _, row := range rows {
			emit(row)
		}
		return nil
	})
}

func first(a, _ weighty) (weighty, error) { return a, nil }

func zip(a, b rxcql.Stream[weighty]) rxcql.Stream[weighty] { return operators.Zip(a, b, first) }

func byNumber(a, b weighty) int { return cmp.Compare(a.n, b.n) }

func allEqual(_, _ weighty) int { return 0 }

func number(w weighty) int { return w.n }

// joined are the rows of the left side, or else of the right.
func joined(a, b rxcql.Stream[weighty]) rxcql.Stream[weighty] {
	return operators.Map(operators.MergeJoin(a, b, number, number, cmp.Compare[int]), func(p rxcql.Pair[weighty, weighty]) (weighty, error) {
		if p.HasLeft {
			return p.Left, nil
		}
		return p.Right, nil
	})
}

// crowd is a source of eight workers, of which each reads pages ahead.
func crowd(pages int) rxcql.Stream[weighty] {
	info := rxcql.StageInfo{Name: "Crowd", Source: true}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[weighty]) error {
		defer st.Input().Done()
		group, inner := st.TaskGroup(ctx)
		ready := make(chan *flow.Page[weighty])
		for range 8 {
			group.Go(func() error {
				for range pages {
					reservation, err := st.Input().Reserve(inner, 8000)
					if err != nil {
						return err
					}
					p := &flow.Page[weighty]{Rows: make([]weighty, 8), Reservation: reservation}
					for i := range p.Rows {
						p.Rows[i].text = thousand
					}
					p.Resize(8000)
					select {
					case ready <- p:
					case <-inner.Done():
						p.Release()
						return context.Cause(inner)
					}
				}
				return nil
			})
		}
		var err error
		for i := 0; i < 8*pages && err == nil; i++ {
			select {
			case p := <-ready:
				p.Position = flow.Position{Page: int64(i), Last: i == 8*pages-1}
				p.AddReceipt(st.Receipt())
				st.CountPage(len(p.Rows), 0)
				err = out.Next(ctx, p)
				p.Finish(err)
			case <-inner.Done():
				err = context.Cause(inner)
			}
		}
		group.Cancel(err)
		if failed := group.Wait(); err == nil {
			err = failed
		}
		if err != nil {
			return err
		}
		return out.Done(ctx, false)
	})
}

func TestAnInputThatHoldsTheBudgetWhileAnotherWaitsForItIsFoundOut(t *testing.T) {
	const rows = 3000
	tooLarge := func() rxcql.Stream[weighty] { return inBatchesOf(weighties(rows), operators.BatchRows(2000)) }
	behind := map[string]func(in rxcql.Stream[weighty]) rxcql.Stream[weighty]{
		"nothing": func(in rxcql.Stream[weighty]) rxcql.Stream[weighty] { return in },
		"Map": func(in rxcql.Stream[weighty]) rxcql.Stream[weighty] {
			return operators.Tap(in, func(weighty) error { return nil })
		},
		"Batch": func(in rxcql.Stream[weighty]) rxcql.Stream[weighty] { return inBatchesOf(in, operators.BatchRows(10)) },
		"timed Batch": func(in rxcql.Stream[weighty]) rxcql.Stream[weighty] {
			return inBatchesOf(in, operators.BatchLinger(1e9))
		},
		"Merge":  func(in rxcql.Stream[weighty]) rxcql.Stream[weighty] { return operators.Merge(in, weighties(rows)) },
		"Concat": func(in rxcql.Stream[weighty]) rxcql.Stream[weighty] { return operators.Concat(in, weighties(rows)) },
		"Zip":    func(in rxcql.Stream[weighty]) rxcql.Stream[weighty] { return zip(in, weighties(rows)) },
		"MergeSorted": func(in rxcql.Stream[weighty]) rxcql.Stream[weighty] {
			return operators.MergeSorted(allEqual, in, weighties(rows))
		},
		"a crowd": func(rxcql.Stream[weighty]) rxcql.Stream[weighty] { return crowd(rows / 64) },
		"MapConcurrent": func(in rxcql.Stream[weighty]) rxcql.Stream[weighty] {
			return operators.MapConcurrent(in, 3, sameWeighty)
		},
		"Unordered": func(in rxcql.Stream[weighty]) rxcql.Stream[weighty] {
			return operators.MapConcurrent(in, 3, sameWeighty, operators.Unordered())
		},
		"Rx": func(in rxcql.Stream[weighty]) rxcql.Stream[weighty] {
			return operators.Rx[weighty, weighty](in, func(o rxgo.Observable) rxgo.Observable { return o })
		},
	}
	for name, put := range behind {
		for way, s := range map[string]rxcql.Stream[weighty]{
			"Zip, first":         zip(tooLarge(), put(weighties(rows))),
			"Zip, second":        zip(put(weighties(rows)), tooLarge()),
			"MergeSorted":        operators.MergeSorted(allEqual, put(weighties(rows)), tooLarge(), put(weighties(rows))),
			"MergeSorted, first": operators.MergeSorted(allEqual, tooLarge(), put(weighties(rows))),
			"MergeJoin": operators.Map(operators.MergeJoin(put(weighties(rows)), tooLarge(),
				func(weighty) int { return 0 }, func(weighty) int { return 1 }, cmp.Compare[int], operators.JoinLeft()),
				func(p rxcql.Pair[weighty, weighty]) (weighty, error) { return p.Left, nil }),
		} {
			alone(t, name+" before "+way, func(t *testing.T) {
				_, err := s.Count(context.Background(), rxcql.WithBudget(sourcesOf(s)*128<<10))
				require.ErrorIs(t, err, rxcql.ErrBudgetHeld)
				var held *flow.BudgetHeldError
				require.ErrorAs(t, err, &held)
				require.Equal(t, "Batch", strings.TrimRight(held.Stage, " 23"))
			})
		}
	}
}

func sameWeighty(_ context.Context, w weighty) (weighty, error) { return w, nil }

// sourcesOf is the number of sources of a stream.
func sourcesOf[T any](s rxcql.Stream[T]) (n int64) {
	for _, info := range s.Stages() {
		if info.Source {
			n++
		}
	}
	return max(n, 1)
}

func TestWhereStreamsAreReadTwiceInStepTheBudgetIsFoundHeldAllTheSame(t *testing.T) {
	a, b := weighties(3000), weighties(3000)
	batch := func(in rxcql.Stream[weighty]) rxcql.Stream[weighty] {
		return inBatchesOf(in, operators.BatchRows(2000))
	}
	both := operators.MapConcurrent(a, 3, sameWeighty)
	for name, s := range map[string]rxcql.Stream[weighty]{
		"one stream":               zip(a, batch(a)),
		"a stream of several":      zip(both, batch(both)),
		"crosswise":                operators.Merge(zip(a, batch(b)), zip(b, batch(a))),
		"crosswise, of one stream": operators.Merge(zip(batch(a), a), zip(a, batch(a))),
		"one within the other":     zip(zip(a, b), batch(zip(a, b))),
		"behind one that goes on":  operators.Concat(zip(a, a), zip(a, batch(b))),
	} {
		alone(t, name, func(t *testing.T) {
			_, err := s.Count(context.Background(), rxcql.WithBudget(sourcesOf(s)*256<<10))
			require.ErrorIs(t, err, rxcql.ErrBudgetHeld)
		})
	}
}

func TestStreamsThatAreReadInStepComeToTheirEndWithTheLeastBudget(t *testing.T) {
	const rows = 700
	a, b := weighties(rows), weighties(rows)
	batch := func(in rxcql.Stream[weighty]) rxcql.Stream[weighty] { return inBatchesOf(in, operators.BatchRows(10)) }
	huge := source.Seq(func(yield func(weighty, error) bool) {
		for i := range 20 {
			if !yield(weighty{i, strings.Repeat("x", 200<<10)}, nil) {
				return
			}
		}
	})
	var many []rxcql.Stream[weighty]
	for range 20 {
		many = append(many, batch(weighties(rows/20)))
	}
	for name, c := range map[string]struct {
		s    rxcql.Stream[weighty]
		rows int64
	}{
		"Zip":                      {zip(a, b), rows},
		"Zip of batches":           {zip(batch(a), batch(b)), rows},
		"Zip with one row":         {zip(a, operators.Reduce(b, func() weighty { return weighty{} }, first)), 1},
		"crosswise":                {operators.Merge(zip(a, batch(b)), zip(b, batch(a))), 2 * rows},
		"one stream":               {zip(a, batch(a)), rows},
		"one stream three times":   {operators.MergeSorted(byNumber, a, a, a), 3 * rows},
		"one stream of huge rows":  {zip(huge, huge), 20},
		"huge rows":                {joined(huge, b), rows},
		"MergeSorted":              {operators.MergeSorted(byNumber, a, batch(b)), 2 * rows},
		"MergeSorted of many":      {operators.MergeSorted(allEqual, many...), rows},
		"MergeJoin":                {joined(a, batch(b)), rows},
		"of eight workers":         {zip(crowd(10), batch(a)), 640},
		"of eight workers, second": {operators.MergeSorted(allEqual, batch(a), crowd(10)), rows + 640},
		"behind MapConcurrent":     {zip(operators.MapConcurrent(a, 64, sameWeighty), batch(operators.MapConcurrent(b, 64, sameWeighty))), rows},
		"one that begins late":     {zip(a, operators.Concat(weighties(0), operators.Take(weighties(9), 1), batch(b))), rows},
	} {
		alone(t, name, func(t *testing.T) {
			n, err := c.s.Count(context.Background(), rxcql.WithBudget(sourcesOf(c.s)*rxcql.MinBudgetPerInput))
			require.NoError(t, err)
			require.Equal(t, c.rows, n)
		})
	}
}

// inStepTree draws streams of which several are read in step, with batches that are small enough. A
// stream that holds rows is not read twice: its source has one part of the budget for both.
func inStepTree(t *rapid.T, depth int) (s rxcql.Stream[weighty], rows int, holds bool) {
	if depth == 0 {
		rows = rapid.IntRange(0, 200).Draw(t, "rows")
		return weighties(rows), rows, false
	}
	a, n, holds := inStepTree(t, depth-1)
	switch kind := rapid.IntRange(0, 7).Draw(t, "kind"); {
	case kind == 0:
		return inBatchesOf(a, operators.BatchRows(rapid.IntRange(1, 10).Draw(t, "batch"))), n, true
	case kind == 1:
		return operators.MapConcurrent(a, 3, sameWeighty), n, true
	case kind == 2 && !holds:
		return zip(a, a), n, false
	case kind == 3 && !holds:
		return operators.MergeSorted(allEqual, a, a), 2 * n, false
	}
	b, m, also := inStepTree(t, depth-1)
	holds = holds || also
	switch rapid.IntRange(0, 3).Draw(t, "two") {
	case 0:
		return operators.Merge(a, b), n + m, holds
	case 1:
		return operators.MergeSorted(allEqual, a, b), n + m, holds
	case 2:
		pairs := operators.MergeJoin(a, b, func(weighty) int { return 0 }, func(weighty) int { return 1 }, cmp.Compare[int])
		return operators.Map(pairs, func(p rxcql.Pair[weighty, weighty]) (weighty, error) { return p.Left, nil }), n + m, holds
	}
	return zip(a, b), min(n, m), holds
}

func TestNoTreeOfStreamsReadInStepHangsOrIsTakenForStuck(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, rows, _ := inStepTree(rt, rapid.IntRange(1, 4).Draw(rt, "depth"))
		large := rapid.Bool().Draw(rt, "and a batch that is too large")
		if large {
			in, n, _ := inStepTree(rt, 2)
			s, rows = zip(s, inBatchesOf(in, operators.BatchRows(1000))), min(rows, n)
		}
		var n int64
		var err error
		inBubble(t, func() {
			n, err = s.Count(context.Background(), rxcql.WithBudget(sourcesOf(s)*rxcql.MinBudgetPerInput))
		})
		if large && err != nil {
			require.ErrorIs(rt, err, rxcql.ErrBudgetHeld)
			return
		}
		require.NoError(rt, err)
		require.EqualValues(rt, rows, n)
	})
}
