package rxcql_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// oneAfterOther reads streams in turn, in the goroutine that reads it or in one of a
// Group; each after a pause.
func oneAfterOther[T any](pause time.Duration, apart bool, ins ...rxcql.Stream[T]) rxcql.Stream[T] {
	var up []rxcql.AnyStream
	for _, in := range ins {
		up = append(up, in)
	}
	return rxcql.NewStream(rxcql.StageInfo{Name: "Concat", MixesRows: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[T]) error {
		read := func(ctx context.Context) error {
			for _, in := range ins {
				time.Sleep(pause)
				if err := in.Subscribe(ctx, st, op[T, T]{next: out.Next, done: func(context.Context, bool) error { return nil }}); err != nil {
					return err
				}
			}
			return nil
		}
		if apart {
			group, ctx := st.TaskGroup(ctx)
			group.Go(func() error { return read(ctx) })
			if err := group.Wait(); err != nil {
				return err
			}
		} else if err := read(ctx); err != nil {
			return err
		}
		return out.Done(ctx, false)
	}, up...)
}

// heavy gives so many rows of 1000 bytes.
func heavy(n int) rxcql.Stream[[]byte] { return heavyOf(n, 1000) }

func heavyOf(n, bytes int) rxcql.Stream[[]byte] {
	return source.Seq(func(yield func([]byte, error) bool) {
		for range n {
			if !yield(make([]byte, bytes), nil) {
				return
			}
		}
	})
}

// ownSource is a source of a user's that calls no Done.
func ownSource(pages int) rxcql.Stream[[]byte] {
	return rxcql.NewStream(rxcql.StageInfo{Name: "Own", Source: true}, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[[]byte]) error {
		track := st.Track(flow.WholeRange)
		for i := range pages {
			reservation, err := st.Input().Reserve(ctx, 1000)
			if err != nil {
				return err
			}
			reservation.Resize(1000)
			p := &flow.Page[[]byte]{Rows: [][]byte{make([]byte, 1000)}, Reservation: reservation}
			p.Position = flow.Position{Page: int64(i), Last: i == pages-1}
			if err := flow.Deliver(ctx, track, p, 1000, nil, out); err != nil {
				return err
			}
		}
		return out.Done(ctx, false)
	})
}

func TestABatchThatTheBudgetHasNoRoomForIsFoundWhateverSourcesThereAre(t *testing.T) {
	twice, large := heavy(10), heavy(10_000)
	both := operators.MapConcurrent(oneAfterOther(0, false, large, heavy(1)), 2, func(_ context.Context, b []byte) ([]byte, error) { return b, nil })
	for name, in := range map[string]rxcql.Stream[[]byte]{
		"one":                         heavy(10_000),
		"merged":                      operators.Merge(heavy(10_000), heavy(10_000)),
		"one after the other":         oneAfterOther(0, false, heavy(10_000), heavy(10_000)),
		"with pauses":                 oneAfterOther(time.Second, false, heavy(10), heavy(10_000), heavy(1)),
		"in a goroutine":              oneAfterOther(0, true, heavy(10_000), heavy(10_000)),
		"one within the other":        oneAfterOther(0, false, oneAfterOther(0, false, heavy(10_000), heavy(1)), heavy(1)),
		"merged with a finished one":  operators.Merge(heavy(10), oneAfterOther(0, false, heavy(10_000), heavy(1))),
		"behind a Map":                oneAfterOther(0, false, heavy(10_000), mapped(heavy(1), func(b []byte) []byte { return b })),
		"with one that calls no Done": operators.Merge(heavy(10_000), ownSource(3)),
		"of one's own":                oneAfterOther(0, false, ownSource(5), ownSource(10_000), ownSource(1)),
		"with one read twice":         operators.Merge(oneAfterOther(time.Second, false, twice, twice), heavy(10_000)),
		"read twice at once":          operators.Merge(large, large),
		"read twice in turn":          oneAfterOther(0, true, large, large),
		"each in a Group of its own":  apart(heavy(10_000), heavy(1)),
		"twice behind a border":       operators.Merge(oneAfterOther(0, false, both, heavy(1)), both),
		"behind a border":             operators.MapConcurrent(oneAfterOther(0, false, heavy(10_000), heavy(1)), 2, func(_ context.Context, b []byte) ([]byte, error) { return b, nil }),
	} {
		alone(t, name, func(t *testing.T) {
			p := pipeline(t, operators.Batch(in, operators.BatchRows(100_000)), sink.Each(func(context.Context, [][]byte) error { return nil }),
				rxcql.WithBudget(256*kib))
			_, err := p.Run(context.Background())
			require.ErrorIs(t, err, rxcql.ErrBudgetHeld)
		})
	}
}

// paired keeps rows of the first, which begin with 0, until as many of the second have come.
func paired(a, b rxcql.Stream[[]byte]) rxcql.Stream[[]byte] {
	return rxcql.Lift(operators.Merge(a, b), rxcql.StageInfo{Name: "Pair"}, func(st *rxcql.Stage, out flow.Observer[[]byte]) flow.Observer[[]byte] {
		acc, size := st.Account(false), rxcql.SizeFunc[[]byte]()
		var kept []*flow.Reservation
		ahead := 0 // rows of the second, which are not kept
		return op[[]byte, []byte]{done: out.Done, next: func(_ context.Context, p *flow.Page[[]byte]) error {
			for i := range p.Rows {
				switch {
				case p.Rows[i][0] == 0 && ahead > 0:
					ahead--
				case p.Rows[i][0] == 0:
					l := acc.Reservation()
					l.Take(p.Reservation, int64(size(&p.Rows[i])))
					kept = append(kept, l)
				case len(kept) > 0:
					kept[0].Settle()
					kept = kept[1:]
				default:
					ahead++
				}
			}
			return nil
		}}
	})
}

func TestASourceThatBeginsLateIsWaitedFor(t *testing.T) {
	second := func(n int) rxcql.Stream[[]byte] {
		return mapped(heavy(n), func(b []byte) []byte { b[0] = 1; return b })
	}
	twice, own := second(1000), mapped(ownSource(1000), func(b []byte) []byte { b[0] = 1; return b })
	for name, in := range map[string]rxcql.Stream[[]byte]{
		"once": second(2000), "twice": oneAfterOther(time.Hour, false, twice, twice), "one's own twice": oneAfterOther(time.Hour, true, own, own),
		"twice within": mapped(oneAfterOther(time.Hour, false, twice, twice), func(b []byte) []byte { return b }),
	} {
		for _, late := range []time.Duration{0, time.Hour} {
			alone(t, name+" "+late.String(), func(t *testing.T) {
				_, err := paired(heavy(2000), oneAfterOther(late, false, in)).Count(context.Background(), rxcql.WithBudget(256*kib))
				require.NoError(t, err)
			})
		}
	}
}

// nested draws streams within streams, with batches that are small enough for the
// budget, all together.
func nested(t *rapid.T, depth int) (s rxcql.Stream[[]byte], rows int) {
	kind := rapid.IntRange(0, 4).Draw(t, "kind")
	if depth == 0 || kind == 0 {
		rows = rapid.IntRange(0, 300).Draw(t, "rows")
		if rapid.Bool().Draw(t, "own") {
			return ownSource(rows), rows
		}
		return heavy(rows), rows
	}
	switch kind {
	case 1, 2:
		var ins []rxcql.Stream[[]byte]
		if kind == 2 && rapid.Bool().Draw(t, "twice") {
			in, n := nested(t, depth-1)
			ins, rows = append(ins, in, in), 2*n
		}
		for range rapid.IntRange(1, 3).Draw(t, "inputs") {
			in, n := nested(t, depth-1)
			ins, rows = append(ins, in), rows+n
		}
		if kind == 1 {
			return operators.Merge(ins...), rows
		}
		pause := time.Duration(rapid.IntRange(0, 2).Draw(t, "pause")) * time.Second
		return oneAfterOther(pause, rapid.Bool().Draw(t, "apart"), ins...), rows
	case 3:
		in, n := nested(t, depth-1)
		return operators.MapConcurrent(in, 3, func(_ context.Context, b []byte) ([]byte, error) { return b, nil }, operators.Unordered()), n
	}
	in, n := nested(t, depth-1)
	return operators.FlatMap(operators.Batch(in, operators.BatchRows(rapid.IntRange(1, 20).Draw(t, "batch"))), func(rows [][]byte, emit func([]byte) bool) error {
		for _, row := range rows {
			emit(row)
		}
		return nil
	}), n
}

func TestNoTreeOfStreamsIsTakenForStuckThatIsNot(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		s, rows := nested(rt, 3)
		large := rapid.Bool().Draw(rt, "and a batch that is too large")
		if large {
			s = operators.FlatMap(operators.Batch(s, operators.BatchRows(100_000)), func(rows [][]byte, emit func([]byte) bool) error {
				for _, row := range rows {
					emit(row)
				}
				return nil
			})
		}
		inputs := int64(max(1, sources(s)))
		var n int64
		var err error
		synctest.Test(t, func(t *testing.T) { // which finds a wait without end
			n, err = s.Count(context.Background(), rxcql.WithBudget(inputs*rxcql.MinBudgetPerInput))
		})
		if large && errors.Is(err, rxcql.ErrBudgetHeld) {
			require.Greater(rt, int64(rows)*1024, inputs*rxcql.MinBudgetPerInput/2)
			return
		}
		require.NoError(rt, err)
		require.EqualValues(rt, rows, n)
	})
}

// sources is the number of sources that a stream reads.
func sources[T any](s rxcql.Stream[T]) (n int) {
	for _, info := range s.Stages() {
		if info.Source {
			n++
		}
	}
	return n
}
