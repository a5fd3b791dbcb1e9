package operators_test

import (
	"context"
	"errors"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/reactivex/rxgo/v2"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestWhatCanBeReadOnlyOnceIsRefusedByRetryWithTheRemedy(t *testing.T) {
	for name, c := range map[string]struct {
		in     rxcql.Stream[int]
		remedy string
	}{
		"Chan":           {source.Chan(make(chan int)), "rxcql.Retry"},
		"FromObservable": {source.FromObservable[int](rxgo.Just(1)()), "rxcql.Retry"},
		"Pages":          {source.Pages(func(context.Context) ([]int, error) { return nil, errUser }), "source.SeqFrom"},
		"Rx":             {operators.Rx[int, int](count(3, 1), func(o rxgo.Observable) rxgo.Observable { return o }), "put Retry before Rx"},
	} {
		for place, s := range map[string]rxcql.Stream[int]{
			"alone":  operators.Retry(c.in),
			"behind": operators.Retry(operators.Merge(count(3, 1), operators.Filter(c.in, func(int) bool { return true }))),
		} {
			_, err := rxcql.New(s, &gather[int]{})
			require.ErrorIs(t, err, rxcql.ErrConfig, "%s %s", name, place)
			require.ErrorContains(t, err, "Retry: "+name+" cannot be read again")
			require.ErrorContains(t, err, c.remedy)
		}
		_, err := rxcql.New(operators.Recover(count(1, 1), c.in), &gather[int]{})
		require.NoError(t, err, "%s is read once by Recover", name)
	}
	again := sink.Through(func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Retry(in) }, &gather[int]{})
	_, err := rxcql.New(count(3, 1), again)
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "Through in cannot be read again")
}

func TestTheStreamOfALaneIsRefusedByRetryAndLanesAreReadAgainAsAWhole(t *testing.T) {
	inside := func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Retry(in, atOnce()...) }
	for name, s := range map[string]rxcql.Stream[int]{
		"in a lane":                operators.Lanes(count(9, 2), 3, itself[int], inside),
		"in a lane, behind others": operators.Lanes(count(9, 2), 3, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[int] { return inside(laned(in, 2, nil)) }),
		"in a lane of a lane":      operators.Lanes(count(9, 2), 3, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Lanes(in, 2, itself[int], inside) }),
	} {
		_, err := rxcql.New(s, &gather[int]{})
		require.ErrorIs(t, err, rxcql.ErrConfig, name)
		require.ErrorContains(t, err, "Retry: the stream of a lane cannot be read again", name)
		require.ErrorContains(t, err, "put Retry before Lanes, or around it", name)
		require.Equal(t, 1, strings.Count(err.Error(), "cannot be read again"), name)
	}
	var calls atomic.Int64
	fails := laned(count(300, 20), 3, func(int) error {
		if n := calls.Add(1); n == 100 || n == 301 { // the first reading makes at most 300 calls, and two at least 400
			return errPasses
		}
		return nil
	})
	got := map[int]bool{}
	rep, err := operators.Retry(fails, atOnce()...).ForEach(t.Context(), func(n int) error { got[n] = true; return nil })
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.EqualValues(t, 2, rep.Retried)
	require.Len(t, got, 300)
}

func TestFoldsOfRowsThatComeTogetherAreRefusedBehindRetryAndRecover(t *testing.T) {
	for name, in := range map[string]rxcql.Stream[int]{
		"Retry":   operators.Retry(count(9, 2)),
		"Recover": operators.Recover(count(9, 2), count(9, 2)),
	} {
		groups := operators.GroupAdjacent(in, itself[int], zero, add)
		_, err := groups.Count(t.Context())
		require.ErrorIs(t, err, rxcql.ErrConfig, name)
		require.ErrorContains(t, err, name)
		_, err = operators.DistinctAdjacent(in, itself[int]).Count(t.Context())
		require.ErrorIs(t, err, rxcql.ErrConfig, name)
		inside := sink.Through(func(in rxcql.Stream[int]) rxcql.Stream[int] {
			return operators.DistinctAdjacent(in, itself[int])
		}, &gather[int]{})
		_, err = rxcql.New(in, inside)
		require.ErrorIs(t, err, rxcql.ErrConfig, name)
	}
}

func TestWrongOptionsOfRetryAndRecoverAreReported(t *testing.T) {
	s := operators.Retry(count(1, 1), operators.RetryIf(nil), operators.RetryAttempts(-1), operators.RetryWindow(0),
		operators.RetryDelay(0, time.Second), operators.RetryDelay(time.Second, time.Millisecond), nil)
	s = operators.Recover(s, rxcql.Stream[int]{}, operators.RecoverIf(nil), nil)
	_, err := s.Count(t.Context())
	require.ErrorIs(t, err, rxcql.ErrConfig)
	for _, text := range []string{
		"the function of RetryIf is nil", "RetryAttempts is -1", "RetryWindow(0s): must be more than 0", "RetryDelay(0s, 1s)", "RetryDelay(1s, 1ms)",
		"an option is nil", "the function of RecoverIf is nil", "zero Stream",
	} {
		require.ErrorContains(t, err, text)
	}
}

func TestRetryInAJobIsRefusedBeforeAFileAndRecoverInAnyJob(t *testing.T) {
	parts := func() rxcql.Stream[line] {
		return (&jobtest.Parts[line]{PageRows: 1, Rows: [][]line{{{}}}}).Stream()
	}
	job := rxcql.WithCheckpoint(&jobtest.Store{}, "job")
	path := filepath.Join(t.TempDir(), "rows.ndjson")
	table := sink.Each(func(context.Context, line) error { return nil }, sink.Idempotent())
	for name, c := range map[string]struct {
		in   rxcql.Stream[line]
		to   rxcql.Sink[line]
		want string // empty if it is accepted
	}{
		"Retry before a file":    {operators.Retry(parts()), sink.NDJSON[line](path), "stage Retry hands rows on again after a failure"},
		"a file among others":    {operators.Retry(parts()), sink.Tee(table, sink.NDJSON[line](path)), "stage Retry hands rows on again after a failure"},
		"Retry before a table":   {operators.Retry(parts()), table, ""},
		"Recover before a table": {operators.Recover(parts(), parts()), table, "stage Recover: no checkpoint says which of its streams"},
		"Recover before a file":  {operators.Recover(parts(), parts()), sink.NDJSON[line](path), "stage Recover: no checkpoint says"},
	} {
		_, err := rxcql.New(c.in, c.to, job)
		if c.want == "" {
			require.NoError(t, err, name)
			continue
		}
		require.ErrorIs(t, err, rxcql.ErrNotResumable, name)
		require.ErrorContains(t, err, c.want, name)
	}
}

func TestASourceOfOnesOwnThatIsReadOnceInTruthEndsRetryWithBothErrors(t *testing.T) {
	// It does not say so (ReadOnce), so New cannot know.
	taken := false
	once := source.Seq(func(yield func(int, error) bool) {
		if taken {
			yield(0, rxcql.ErrSingleRun)
			return
		}
		taken = true
		_ = yield(1, nil) && yield(0, errPasses)
	})
	rep, err := run(t, operators.Retry(once, operators.RetryDelay(time.Nanosecond, time.Nanosecond), operators.RetryIf(anyError)))
	require.ErrorIs(t, err, rxcql.ErrSingleRun)
	require.ErrorIs(t, err, errPasses, "which is why it was read again")
	require.EqualValues(t, 1, rep.Retried)
	require.False(t, errors.Is(err, rxcql.ErrUnsettled))
}
