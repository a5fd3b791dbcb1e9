package operators_test

import (
	"context"
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// inBubble runs fn in a bubble of synctest, which finds a wait without end.
func inBubble(t *testing.T, fn func()) {
	t.Helper()
	synctest.Test(t, func(*testing.T) { fn() })
}

type two struct{ a, b int }

func pairOf(a, b int) (two, error) { return two{a, b}, nil }

func TestZipPairsRowsByPositionWhateverTheirPages(t *testing.T) {
	for _, rows := range []int{0, 1, 2, 100, 1500} {
		for _, pages := range [][2]int{{1, 1}, {1, 7}, {7, 3}, {64, 100}, {512, 5}, {1000, 1000}} {
			var want []two
			for i := range rows {
				want = append(want, two{i, i})
			}
			got, rep := pagesOut(t, operators.Zip(count(rows, pages[0]), count(rows, pages[1]), pairOf))
			var all []two
			for _, p := range got {
				all = append(all, p.Rows...)
			}
			require.Equal(t, want, all)
			require.True(t, rep.Complete)
			require.Equal(t, rep.Pages, rep.PagesSettled)
			require.Zero(t, rep.BytesInFlight)
			require.EqualValues(t, 2*rows, stagesOf(rep)["Zip"].In)
		}
	}
}

func TestZipEndsWithTheShorterStreamAndEndsTheOther(t *testing.T) {
	endless := func() rxcql.Stream[int] { return count(1<<40, 10) }
	for name, s := range map[string]rxcql.Stream[two]{
		"first":  operators.Zip(count(25, 7), endless(), pairOf),
		"second": operators.Zip(endless(), count(25, 7), pairOf),
	} {
		sink := &gather[two]{}
		p, err := rxcql.New(s, sink)
		require.NoError(t, err)
		rep, err := p.Run(t.Context())
		require.NoError(t, err, name)
		require.Len(t, sink.rows(), 25, name)
		require.Equal(t, "Zip", rep.EndedBy, name)
		require.False(t, rep.Complete)
		require.Equal(t, rep.Pages, rep.PagesSettled, name)
		require.Equal(t, rep.ReadRows, 2*rep.Written+rep.Filtered, name)
	}
	for _, empty := range []rxcql.Stream[two]{
		operators.Zip(count(0, 7), endless(), pairOf), operators.Zip(endless(), count(0, 7), pairOf), operators.Zip(count(0, 1), count(0, 1), pairOf),
	} {
		require.Empty(t, collect(t, empty))
	}
}

func TestZipOfStreamsThatDifferInLengthIsAnErrorWithZipStrict(t *testing.T) {
	for longer, s := range map[string]rxcql.Stream[two]{
		"first":  operators.Zip(count(26, 5), count(25, 7), pairOf, operators.ZipStrict()),
		"second": operators.Zip(count(25, 5), count(1<<40, 7), pairOf, operators.ZipStrict()),
	} {
		_, err := s.Collect(t.Context())
		require.ErrorIs(t, err, operators.ErrZipLength)
		require.ErrorContains(t, err, "the "+longer+" has more rows")
		failedIn(t, "Zip", err)
	}
	require.Len(t, collect(t, operators.Zip(count(25, 5), count(25, 7), pairOf, operators.ZipStrict())), 25)
	_, err := operators.Zip(count(1, 1), count(1, 1), pairOf, nil).Collect(t.Context())
	require.ErrorContains(t, err, "an option is nil")
}

func TestZipReadsAsManyRowsAsAreWanted(t *testing.T) {
	var a, b int
	s := operators.Zip(source.Seq(numbers(1000, &a)), source.Seq(numbers(1000, &b)), pairOf)
	require.Len(t, collect(t, operators.Take(s, 10)), 10)
	require.Equal(t, []int{10, 10}, []int{a, b})
}

func TestZipHandsPairsOnBeforeItWaitsForMore(t *testing.T) {
	a, b := make(chan int), make(chan int)
	s := operators.Zip(source.Chan(a), source.Chan(b), pairOf)
	go func() { a <- 0; b <- 0 }()
	n := 0
	for pair, err := range s.All(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, two{n, n}, pair)
		if n++; n == 20 {
			break
		}
		go func() { b <- n; a <- n }()
	}
	require.Equal(t, 20, n)
}

func TestAPairThatFailsIsLeftOutOrEndsTheStream(t *testing.T) {
	failing := func(a, b int) (two, error) {
		if a%10 == 3 {
			return two{}, errBad
		}
		return two{a, b}, nil
	}
	s := operators.Zip(count(100, 7), count(100, 11), failing)
	_, err := s.Collect(t.Context())
	require.ErrorIs(t, err, errBad)
	failedIn(t, "Zip", err)
	got, err := s.Collect(t.Context(), rxcql.WithRowErrors(rxcql.SkipRows(10)))
	require.NoError(t, err)
	require.Len(t, got, 90)
	letters := &jobtest.Letters{}
	rep, err := s.ForEach(t.Context(), func(two) error { return nil }, rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
	require.NoError(t, err)
	require.EqualValues(t, 10, rep.DeadLettered)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	for i, l := range letters.All {
		require.Equal(t, "Zip", l.Stage)
		require.Equal(t, 10*i+3, int(l.Page)*7+l.Index, "the place on the left")
		require.Contains(t, string(l.Row), fmt.Sprintf(`"Right":%d`, 10*i+3))
	}
}

func TestZipThatIsStoppedDropsRowsWithoutAPartnerAndSettlesThemNot(t *testing.T) {
	var p *rxcql.Pipeline
	never := make(chan int)
	stopping := operators.Tap(count(10, 5), func(int) error { p.Stop(); return nil })
	sink := &gather[two]{}
	p, err := rxcql.New(operators.Zip(stopping, source.Chan(never), pairOf), sink)
	require.NoError(t, err)
	rep, err := p.Run(t.Context())
	require.NoError(t, err)
	require.Equal(t, "Stop", rep.EndedBy)
	require.Empty(t, sink.rows())
	require.Less(t, rep.PagesSettled, rep.Pages)
	require.Zero(t, rep.BytesInFlight)
}

func TestAFailingInputEndsStreamsThatAreReadInStepWithIt(t *testing.T) {
	never := func() rxcql.Stream[int] { return source.Chan(make(chan int)) }
	failing := operators.Tap(count(10, 1), func(n int) error {
		if n == 5 {
			return errBoom
		}
		return nil
	})
	early := operators.Tap(count(10, 1), func(int) error { return errBoom })
	compare := func(a, b int) int { return a - b }
	for name, s := range map[string]anyStream{
		"Zip":                             operators.Zip(count(100, 3), failing, pairOf),
		"Zip beside one that waits":       operators.Zip(never(), early, pairOf),
		"Zip behind Merge":                operators.Zip(operators.Merge(count(10, 3), early), never(), pairOf),
		"MergeSorted":                     operators.MergeSorted(compare, count(100, 3), failing, count(100, 3)),
		"MergeSorted beside waiting":      operators.MergeSorted(compare, never(), early, count(100, 3)),
		"MergeJoin":                       operators.MergeJoin(failing, count(100, 3), itself[int], itself[int], compare),
		"MergeJoin beside one that waits": operators.MergeJoin(never(), early, itself[int], itself[int], compare),
	} {
		_, err := s.Count(context.Background())
		require.ErrorIs(t, err, errBoom, name)
		failedIn(t, "Tap", err)
	}
}

func TestWhatIsReadInStepCannotBePartOfAJobWhereAResumeWouldPairOtherRows(t *testing.T) {
	a, b := &jobtest.Parts[int]{Name: "A"}, &jobtest.Parts[int]{Name: "B"}
	compare := func(a, b int) int { return a - b }
	_, err := rxcql.New(operators.Zip(a.Stream(), b.Stream(), pairOf), &resumableSink[two]{}, rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
	require.ErrorContains(t, err, "stage Zip: when the job goes on each stream begins at another place")
	require.ErrorContains(t, err, "use MergeJoin")
	joined := operators.MergeJoin(a.Stream(), b.Stream(), itself[int], itself[int], compare)
	_, err = rxcql.New(joined, &resumableSink[rxcql.Pair[int, int]]{}, rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
	require.ErrorContains(t, err, "stage MergeJoin: when the job goes on its two sides begin at different places")
	require.ErrorContains(t, err, "source.TablePair")
}

// resumableSink is a sink that may be part of a job.
type resumableSink[T any] struct{ gather[T] }

func (*resumableSink[T]) Info() rxcql.SinkInfo { return rxcql.SinkInfo{Resumable: true} }

func TestRowsAtHandCountAsDroppedWhenTheStreamIsEndedOnPurpose(t *testing.T) {
	compare := func(a, b int) int { return a - b }
	merged := operators.MergeSorted(compare, count(100, 10), count(100, 7), count(100, 3))
	rep, err := run(t, operators.TakeWhile(merged, func(n int) bool { return n < 20 }))
	require.NoError(t, err)
	require.Equal(t, "TakeWhile", rep.EndedBy)
	require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered, "%v", rep)
	require.Equal(t, rep.Pages, rep.PagesSettled)
	st := stagesOf(rep)["MergeSorted"]
	require.Equal(t, st.In, st.Out+st.Dropped, "%v", rep)

	failing := operators.Tap(merged, func(n int) error {
		if n == 20 {
			return errBoom
		}
		return nil
	})
	rep, err = run(t, failing)
	require.ErrorIs(t, err, errBoom)
	require.Zero(t, rep.Filtered)
	require.Zero(t, rep.BytesInFlight)
}

// leavingStream is a stream whose first page is given up while it waits in Next: the context of the
// call ends. Then its rows are overwritten, and another stream brings a page.
type leavingStream struct{ left, goOn chan struct{} }

func (l leavingStream) stream() rxcql.Stream[int] {
	info := rxcql.StageInfo{Name: "Leaving", Source: true}
	return rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		reservation, err := st.Input().Reserve(ctx, 64)
		if err != nil {
			return err
		}
		p := &flow.Page[int]{Rows: []int{1, 2, 3}, Reservation: reservation}
		p.AddReceipt(st.Receipt())
		st.CountPage(3, 0)
		call, cancel := context.WithCancelCause(ctx)
		go func() {
			synctest.Wait() // the page waits
			cancel(errBoom)
		}()
		err = out.Next(call, p)
		clear(p.Rows)
		p.Finish(err)
		close(l.left)
		<-l.goOn
		return err
	})
}

func TestRowsOfAPageThatIsGivenUpAreNotUsed(t *testing.T) {
	compare := func(a, b int) int { return a - b }
	for name, put := range map[string]func(leaving, other rxcql.Stream[int], see func(int)) anyStream{
		"Zip": func(leaving, other rxcql.Stream[int], see func(int)) anyStream {
			return operators.Zip(leaving, other, func(a, _ int) (int, error) { see(a); return a, nil })
		},
		"MergeSorted": func(leaving, other rxcql.Stream[int], see func(int)) anyStream {
			return operators.Tap(operators.MergeSorted(compare, leaving, other), func(n int) error { see(n); return nil })
		},
		"MergeJoin": func(leaving, other rxcql.Stream[int], see func(int)) anyStream {
			return operators.MergeJoin(leaving, other, func(n int) int { see(n); return n }, itself[int], compare)
		},
	} {
		alone(t, name, func(t *testing.T) {
			l := leavingStream{make(chan struct{}), make(chan struct{})}
			other := source.Seq(func(yield func(int, error) bool) {
				<-l.left
				go func() {
					synctest.Wait() // this page waits, too
					close(l.goOn)
				}()
				yield(5, nil)
			}, source.PageRows(1))
			saw := []int{}
			_, err := put(l.stream(), other, func(n int) { saw = append(saw, n) }).Count(context.Background())
			require.ErrorIs(t, err, errBoom)
			require.NotContains(t, saw, 0, "which the rows were overwritten with")
			require.NotContains(t, saw, 5, "nothing goes on without that stream")
		})
	}
}
