package source_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

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
