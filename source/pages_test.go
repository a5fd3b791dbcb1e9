package source_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

var errPages = errors.New("broken on purpose")

// answer is what a call of a function of Pages returns.
type answer[T any] struct {
	rows []T
	err  error
}

// answering gives the answers one after the other, io.EOF when there are no more, and
// counts the calls.
func answering[T any](calls *int, answers ...answer[T]) func(context.Context) ([]T, error) {
	return func(context.Context) ([]T, error) {
		if *calls++; *calls > len(answers) {
			return nil, io.EOF
		}
		a := answers[*calls-1]
		return a.rows, a.err
	}
}

func TestPagesHandsOnThePagesThatItsFunctionGives(t *testing.T) {
	for name, c := range map[string]struct {
		answers []answer[int]
		pages   []int // their rows
	}{
		"the end by itself":    {[]answer[int]{{[]int{1, 2}, nil}, {[]int{3}, nil}, {nil, io.EOF}}, []int{2, 1, 0}},
		"the end with rows":    {[]answer[int]{{[]int{1, 2}, nil}, {[]int{3}, io.EOF}}, []int{2, 1}},
		"empty pages go on":    {[]answer[int]{{nil, nil}, {[]int{1, 2}, nil}, {[]int{}, nil}, {nil, nil}, {[]int{3}, io.EOF}}, []int{0, 2, 0, 0, 1}},
		"an end with no pages": {[]answer[int]{{nil, io.EOF}}, []int{0}},
	} {
		calls := 0
		var s shape
		rep, err := shaped(source.Pages(answering(&calls, c.answers...)), &s).
			ForEach(t.Context(), func(int) error { return nil })
		require.NoError(t, err, name)
		require.True(t, rep.Complete, name)
		require.Equal(t, c.pages, s.rows, name)
		require.Equal(t, len(c.answers), calls, name)
		for i, at := range s.at {
			require.Equal(t, flow.Position{Page: int64(i), Last: i == len(s.at)-1}, at, name)
		}
		require.Equal(t, []int64{1, 1, int64(len(c.pages))}, []int64{rep.Ranges, rep.RangesDone, rep.Pages}, name)
	}
}

// An HTTP client wraps io.EOF where its connection was lost: that is not the end of the rows.
func TestPagesTakesNoWrappedEOFForTheEnd(t *testing.T) {
	lost := &url.Error{Op: "Get", URL: "http://example.test/users", Err: io.EOF}
	calls := 0
	in := source.Pages(answering(&calls, answer[int]{[]int{1}, nil}, answer[int]{nil, lost}))
	rep, err := in.ForEach(t.Context(), func(int) error { return nil }, rxcql.WithRetry(0, 0))
	require.ErrorIs(t, err, lost)
	require.False(t, rep.Complete)
	require.Zero(t, rep.RangesDone)
	require.EqualValues(t, 1, rep.ReadRows)
}

func TestPagesEndsWithAnErrorOfItsFunction(t *testing.T) {
	for name, c := range map[string]struct {
		failed answer[int]
		want   []int
	}{
		"without rows":                {answer[int]{nil, errPages}, []int{1}},
		"with rows":                   {answer[int]{[]int{2, 3}, errPages}, []int{1, 2, 3}},
		"with rows, which may pass":   {answer[int]{[]int{2, 3}, syscall.ECONNRESET}, []int{1, 2, 3}},
		"a deadline of its own":       {answer[int]{nil, context.DeadlineExceeded}, []int{1}},
		"a cancellation of its own":   {answer[int]{nil, context.Canceled}, []int{1}},
		"with the end inside it":      {answer[int]{nil, errors.Join(errPages, io.EOF)}, []int{1}},
		"with no rows, but not nil":   {answer[int]{[]int{}, errPages}, []int{1}},
		"of an end that is no end":    {answer[int]{nil, fmt.Errorf("page 2: %w", errPages)}, []int{1}},
		"with rows and a wrapped end": {answer[int]{[]int{2}, fmt.Errorf("page 2: %w", io.EOF)}, []int{1, 2}},
	} {
		calls := 0
		var got []int
		in := source.Pages(answering(&calls, answer[int]{[]int{1}, nil}, c.failed, answer[int]{[]int{9}, nil}))
		rep, err := in.ForEach(t.Context(), func(n int) error { got = append(got, n); return nil }, rxcql.WithRetry(0, 0))
		require.ErrorIs(t, err, c.failed.err, name)
		var stage *rxcql.StageError
		require.ErrorAs(t, err, &stage, name)
		require.Equal(t, "Pages", stage.Stage, name)
		require.Equal(t, c.want, got, name)
		require.Equal(t, 2, calls, name)
		require.False(t, rep.Complete, name)
		require.Zero(t, rep.RangesDone, name)
		require.Zero(t, rep.BytesInFlight, name)
	}
}

func TestPagesAsksAgainForWhatMayPass(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		lost := &url.Error{Op: "Get", URL: "http://example.test", Err: io.EOF}
		in := source.Pages(answering(&calls, answer[int]{[]int{1}, nil}, answer[int]{nil, syscall.ECONNRESET}, answer[int]{nil, lost},
			answer[int]{[]int{2}, nil}, answer[int]{nil, syscall.ECONNRESET}, answer[int]{[]int{3}, io.EOF}))
		var got []int
		rep, err := in.ForEach(t.Context(), func(n int) error { got = append(got, n); return nil })
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.Equal(t, []int{1, 2, 3}, got)
		require.EqualValues(t, 3, rep.Retried)
		require.EqualValues(t, 3, rep.Pages)
		require.Equal(t, 6, calls)
	})
	synctest.Test(t, func(t *testing.T) {
		calls := 0
		in := source.Pages(func(context.Context) ([]int, error) { calls++; return nil, syscall.ECONNRESET })
		_, err := in.Count(t.Context(), rxcql.WithRetry(time.Hour, 4))
		var given *rxcql.RetryError
		require.ErrorAs(t, err, &given)
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.ErrorContains(t, err, "stage Pages")
		require.Equal(t, 4, given.Attempts)
		require.Equal(t, 4, calls)
	})
	synctest.Test(t, func(t *testing.T) { // what comes again may fail in another way
		calls := 0
		in := source.Pages(answering(&calls, answer[int]{nil, syscall.ECONNRESET}, answer[int]{[]int{1}, syscall.ECONNRESET}))
		got := 0
		_, err := in.ForEach(t.Context(), func(int) error { got++; return nil })
		require.ErrorIs(t, err, syscall.ECONNRESET)
		require.Equal(t, 1, got)
		require.Equal(t, 2, calls, "an error with rows is not asked for again")
	})
}

func TestAPanicInAFunctionOfPagesIsAnErrorWithItsStack(t *testing.T) {
	calls := 0
	in := source.Pages(func(context.Context) ([]int, error) {
		if calls++; calls == 2 {
			panic(errPages)
		}
		return []int{calls}, nil
	})
	rep, err := in.ForEach(t.Context(), func(int) error { return nil })
	require.ErrorIs(t, err, errPages)
	require.ErrorIs(t, err, rxcql.ErrPanic)
	var stage *rxcql.StageError
	require.ErrorAs(t, err, &stage)
	require.Equal(t, "Pages", stage.Stage)
	require.Contains(t, string(stage.Stack), "pages_test.go")
	require.EqualValues(t, 1, rep.ReadRows)
	require.Zero(t, rep.BytesInFlight)
}

func TestPagesEndsWithTheCauseOfItsContext(t *testing.T) {
	why := errors.New("enough")
	for name, waits := range map[string]func(context.Context) ([]int, error){
		"an error of ctx":       func(ctx context.Context) ([]int, error) { <-ctx.Done(); return nil, ctx.Err() },
		"the cause":             func(ctx context.Context) ([]int, error) { <-ctx.Done(); return nil, context.Cause(ctx) },
		"wrapped":               func(ctx context.Context) ([]int, error) { <-ctx.Done(); return nil, fmt.Errorf("page: %w", ctx.Err()) },
		"no error":              func(ctx context.Context) ([]int, error) { <-ctx.Done(); return []int{2}, nil },
		"the end":               func(ctx context.Context) ([]int, error) { <-ctx.Done(); return []int{2}, io.EOF },
		"rows and its error":    func(ctx context.Context) ([]int, error) { <-ctx.Done(); return []int{2}, ctx.Err() },
		"what may pass, always": func(context.Context) ([]int, error) { return nil, syscall.ECONNRESET },
		"no rows, always": func(context.Context) ([]int, error) {
			time.Sleep(time.Minute)
			return nil, nil
		},
	} {
		synctest.Test(t, func(t *testing.T) {
			ctx, cancel := context.WithTimeoutCause(t.Context(), time.Hour, why)
			defer cancel()
			first, got := true, 0
			in := source.Pages(func(ctx context.Context) ([]int, error) {
				if first {
					first = false
					return []int{1}, nil
				}
				return waits(ctx)
			})
			rep, err := in.ForEach(ctx, func(int) error { got++; return nil }, rxcql.WithRetry(1000*time.Hour, 0))
			require.Equal(t, why, err, name)
			require.False(t, rep.Complete, name)
			require.Equal(t, 1, got, name)
			require.Zero(t, rep.BytesInFlight, name)
		})
	}
	ctx, cancel := context.WithCancel(t.Context())
	in := source.Pages(func(context.Context) ([]int, error) { cancel(); return nil, errPages })
	_, err := in.Count(ctx)
	require.Error(t, err, "an error that has nothing to do with the end of ctx")
	require.ErrorIs(t, err, errPages)
}

func TestStopEndsPagesAndWritesWhatItsFunctionHasGiven(t *testing.T) {
	for name, c := range map[string]struct {
		next func(context.Context) ([]int, error)
		want []int
	}{
		"waiting":            {func(ctx context.Context) ([]int, error) { <-ctx.Done(); return nil, ctx.Err() }, []int{1}},
		"waiting, the cause": {func(ctx context.Context) ([]int, error) { <-ctx.Done(); return nil, context.Cause(ctx) }, []int{1}},
		"with rows in hand":  {func(ctx context.Context) ([]int, error) { <-ctx.Done(); return []int{2, 3}, nil }, []int{1, 2, 3}},
		"rows and an error":  {func(ctx context.Context) ([]int, error) { <-ctx.Done(); return []int{2, 3}, ctx.Err() }, []int{1, 2, 3}},
		"between two tries":  {func(context.Context) ([]int, error) { return nil, syscall.ECONNRESET }, []int{1}},
	} {
		synctest.Test(t, func(t *testing.T) {
			first := true
			var got []int
			in := source.Pages(func(ctx context.Context) ([]int, error) {
				if first {
					first = false
					return []int{1}, nil
				}
				return c.next(ctx)
			})
			p, err := rxcql.New(in, sink.Each(func(_ context.Context, n int) error { got = append(got, n); return nil }, sink.InFlight(1)),
				rxcql.WithRetry(1000*time.Hour, 0))
			require.NoError(t, err)
			go func() {
				time.Sleep(time.Hour)
				p.Stop()
			}()
			rep, err := p.Run(t.Context())
			require.NoError(t, err, name)
			require.Equal(t, c.want, got, name)
			require.Equal(t, "Stop", rep.EndedBy, name)
			require.False(t, rep.Complete, name)
			require.Zero(t, rep.RangesDone, name)
			require.Equal(t, rep.Pages, rep.PagesSettled, name)
			require.Zero(t, rep.BytesInFlight, name)
		})
	}
}

func TestAnErrorAfterStopIsNotSwallowedByIt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		in := source.Pages(func(ctx context.Context) ([]int, error) { <-ctx.Done(); return nil, errPages })
		p, err := rxcql.New(in, sink.Each(func(context.Context, int) error { return nil }))
		require.NoError(t, err)
		go func() {
			time.Sleep(time.Hour)
			p.Stop()
		}()
		_, err = p.Run(t.Context())
		require.ErrorIs(t, err, errPages)
	})
}

func TestPagesAsksForNoPageBeforeTheOneBeforeIsUsed(t *testing.T) {
	calls := 0
	numbers := func() rxcql.Stream[int] {
		calls = 0
		return source.Pages(func(context.Context) ([]int, error) {
			calls++
			return []int{2*calls - 2, 2*calls - 1}, nil
		})
	}
	got, err := operators.Take(numbers(), 3).Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{0, 1, 2}, got)
	require.Equal(t, 2, calls)

	for n, err := range numbers().All(t.Context()) {
		require.NoError(t, err)
		require.Equal(t, n/2+1, calls)
		if n == 6 {
			break
		}
	}
	require.Equal(t, 4, calls)

	p, err := rxcql.New(numbers(), sink.Each(func(context.Context, int) error { return nil }))
	require.NoError(t, err)
	require.NoError(t, p.Check(t.Context()))
	require.Zero(t, calls)
}

func TestPagesCanBeRunOnceAndIsAskedNothingForASecondRun(t *testing.T) {
	calls := 0
	in := source.Pages(answering(&calls, answer[int]{[]int{1}, io.EOF}))
	got, err := in.Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, []int{1}, got)
	_, err = in.Collect(t.Context())
	require.ErrorIs(t, err, rxcql.ErrSingleRun)
	require.ErrorContains(t, err, "stage Pages")
	require.Equal(t, 1, calls)
}

func TestSourcesThatCannotBePartOfAJobNameWhatCan(t *testing.T) {
	calls := 0
	to := sink.Each(func(context.Context, int) error { return nil }, sink.Idempotent())
	_, err := rxcql.New(source.Pages(answering[int](&calls)), to, rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "stage Pages: ")
	require.ErrorContains(t, err, "source.SeqFrom")

	for name, c := range map[string]struct {
		in     rxcql.Stream[int]
		remedy string
	}{
		"Seq":            {source.Seq(each([]int{1})), "source.SeqFrom"},
		"Chan":           {source.Chan(make(chan int)), "write them to a table or a file first"},
		"FromObservable": {source.FromObservable[int](rxgo.Just(1)()), "write them to a table or a file first"},
	} {
		_, err := rxcql.New(c.in, to, rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
		require.ErrorIs(t, err, rxcql.ErrNotResumable)
		require.ErrorContains(t, err, "stage "+name+": ")
		require.ErrorContains(t, err, c.remedy)
	}

	_, err = source.Pages[int](nil).Count(t.Context())
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "Pages: the function is nil")
	require.Zero(t, calls)
}

// The slice of a page may be used again by the function, and is not touched by the stream.
func TestPagesReadsASliceAndLeavesItAsItIs(t *testing.T) {
	page, calls := make([]int, 10), 0
	in := source.Pages(func(context.Context) ([]int, error) {
		for i := range page {
			page[i] = 10*calls + i
		}
		if calls++; calls == 5 {
			return page, io.EOF
		}
		return page, nil
	})
	batches := operators.Batch(operators.MapConcurrent(in, 4, func(_ context.Context, n int) (int, error) { return n, nil }), operators.BatchRows(7))
	got, err := batches.Collect(t.Context())
	require.NoError(t, err)
	all := slices.Concat(got...)
	require.Len(t, all, 50)
	for i, n := range all {
		require.Equal(t, i, n)
	}
	require.Equal(t, []int{40, 41, 42, 43, 44, 45, 46, 47, 48, 49}, page)
}

func TestPagesKeepsToTheBudget(t *testing.T) {
	texts := func(size int) rxcql.Stream[string] {
		calls := 0
		return source.Pages(func(context.Context) ([]string, error) {
			if calls++; calls > 50 {
				return nil, io.EOF
			}
			return []string{strings.Repeat("x", size), strings.Repeat("y", calls)}, nil
		})
	}
	call := func(_ context.Context, text string) (string, error) { return text, nil }
	for _, size := range []int{1, 10_000, 200_000} { // the last is larger than the budget
		ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
		rep, err := operators.MapConcurrent(operators.Merge(texts(size), texts(size), texts(size)), 8, call).
			ForEach(ctx, func(string) error { return nil }, rxcql.WithBudget(3*rxcql.MinBudgetPerInput))
		cancel()
		require.NoError(t, err, size)
		require.EqualValues(t, 300, rep.ReadRows, size)
		require.Greater(t, rep.LargestPage, int64(size), size)
		require.LessOrEqual(t, rep.PeakBytes, rep.Budget+int64(rep.PeakFetches)*rep.LargestPage, size)
		require.Zero(t, rep.BytesInFlight, size)
	}
}

func TestPagesAllocatesNothingARow(t *testing.T) {
	rows := make([]int64, 512)
	allocs := testing.AllocsPerRun(3, func() {
		calls := 0
		_, _ = source.Pages(func(context.Context) ([]int64, error) {
			if calls++; calls == 200 {
				return rows, io.EOF
			}
			return rows, nil
		}).Count(context.Background())
	})
	require.Less(t, allocs, 5000.0, "a few a page")
}

// Whatever the cuts, and whatever failures come between them, each row comes once.
func TestPagesGivesEachRowOnceWhateverThePages(outer *testing.T) {
	rapid.Check(outer, func(t *rapid.T) {
		rows := rapid.SliceOfN(rapid.Int(), 0, 100).Draw(t, "rows")
		cuts := rapid.SliceOfN(rapid.IntRange(0, len(rows)), 0, 20).Draw(t, "cuts")
		slices.Sort(cuts)
		var pages [][]int
		from := 0
		for _, cut := range append(cuts, len(rows)) {
			pages = append(pages, rows[from:cut])
			from = cut
		}
		withEnd := rapid.Bool().Draw(t, "the end comes with rows")
		failures := rapid.SliceOfN(rapid.IntRange(0, 1), len(pages), len(pages)).Draw(t, "failures before a page")
		failed := slices.Clone(failures)
		at := 0
		var s shape
		var got []int
		var rep rxcql.Report
		var err error
		in := shaped(source.Pages(func(context.Context) ([]int, error) {
			switch {
			case at == len(pages):
				return nil, io.EOF
			case failed[at] > 0:
				failed[at]--
				return nil, syscall.ECONNREFUSED
			}
			page := pages[at]
			if at++; at == len(pages) && withEnd {
				return page, io.EOF
			}
			return page, nil
		}), &s)
		synctest.Test(outer, func(*testing.T) { // for the waits
			rep, err = in.ForEach(context.Background(), func(n int) error { got = append(got, n); return nil })
		})
		require.NoError(t, err)
		require.True(t, slices.Equal(rows, got))
		require.True(t, rep.Complete)
		for i, position := range s.at {
			require.Equal(t, flow.Position{Page: int64(i), Last: i == len(s.at)-1}, position)
		}
		retries := 0
		for _, n := range failures {
			retries += n
		}
		require.EqualValues(t, retries, rep.Retried)
	})
}
