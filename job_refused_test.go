package rxcql_test

import (
	"bytes"
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/saved"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestWhatCannotBeResumedIsRefusedByNew(t *testing.T) {
	with := rxcql.WithCheckpoint(&jobtest.Store{}, "job")
	to := rxcql.Sink[int](&resuming{})
	some := tens(1).Stream()
	refused := func(err error, words ...string) {
		t.Helper()
		require.ErrorIs(t, err, rxcql.ErrConfig)
		for _, word := range words {
			require.ErrorContains(t, err, word)
		}
	}
	s := operators.Take(operators.Scan(operators.Skip(source.Seq(numbers(3, nil)), 1), func() int { return 0 }, func(a, b int) (int, error) { return a + b, nil }), 2)
	_, err := rxcql.New(s, to, with)
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
	refused(err, "Seq", "Skip", "Scan", "Take")

	_, err = rxcql.New(some, rxcql.Sink[int](&memory[int]{}), with)
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
	refused(err, "memory", "SinkInfo.Resumable")

	file := rxcql.Sink[int](&resuming{info: rxcql.SinkInfo{Barrier: true}})
	_, err = rxcql.New(some, file, with)
	require.NoError(t, err)
	pairs := operators.FlatMap(operators.Batch(some, operators.BatchRows(2)), func([]int, func(int) bool) error { return nil })
	_, err = rxcql.New(pairs, file, with)
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
	refused(err, "Batch", "page to page")
	_, err = rxcql.New(pairs, to, with)
	require.NoError(t, err)

	_, err = rxcql.New(some, to, rxcql.WithCheckpoint(nil, "", nil, rxcql.CheckpointInterval(time.Millisecond)))
	refused(err, "store is nil", "no name", "option is nil", "CheckpointInterval(1ms)")

	_, err = rxcql.New(some, to, with, rxcql.WithCheckpoint(&jobtest.Store{}, "other"))
	refused(err, "WithCheckpoint is given twice")

	_, err = some.Collect(context.Background(), with)
	refused(err, "needs a pipeline")
	_, err = rxcql.New(some, to, rxcql.WithCheckpoint(&jobtest.Store{}, "job",
		rxcql.CheckpointHeldPages(0), rxcql.CheckpointHeldBytes(-1), rxcql.CheckpointSessions(0)))
	refused(err, "CheckpointHeldPages(0)", "CheckpointHeldBytes(-1)", "CheckpointSessions(0)")
}

// counts is a stage with a frontier, as far as New knows.
func counts[T any](in rxcql.Stream[T], name string) rxcql.Stream[T] {
	info := rxcql.StageInfo{Name: name, HoldsRows: true, Frontier: true}
	return rxcql.Lift(in, info, func(_ *rxcql.Stage, out flow.Observer[T]) flow.Observer[T] { return out })
}

func TestWindowsInAJobAreRefusedWhereRowsWouldBeCountedTwice(t *testing.T) {
	with := rxcql.WithCheckpoint(&jobtest.Store{}, "job")
	rows, table := tens(1).Stream(), rxcql.Sink[int](&resuming{})
	file := rxcql.Sink[int](&resuming{info: rxcql.SinkInfo{Barrier: true}})
	one := counts(rows, "Window")
	through := func(fn func(rxcql.Stream[int]) rxcql.Stream[int]) rxcql.Sink[int] { return sink.Through(fn, table) }
	for name, c := range map[string]struct {
		stream rxcql.Stream[int]
		to     rxcql.Sink[int]
		says   []string
	}{
		"a file behind them":       {one, file, []string{"stage Window", "a file", "give a table instead"}},
		"a file beside them":       {rows, sink.Tee(file, through(func(in rxcql.Stream[int]) rxcql.Stream[int] { return counts(in, "Window") })), []string{"stage Window", "a file"}},
		"windows of windows":       {counts(one, "Second"), table, []string{"stage Second", "let the first write a table"}},
		"windows in a sink behind": {one, through(func(in rxcql.Stream[int]) rxcql.Stream[int] { return counts(in, "Second") }), []string{"stage Second", "let the first write a table"}},
		"windows in lanes": {operators.Lanes(rows, 2, func(n int) int { return n }, func(in rxcql.Stream[int]) rxcql.Stream[int] { return counts(in, "Window") }), table,
			[]string{"stage Window", "lane", "before or behind"}},
		"Retry before them": {counts(operators.Retry(rows), "Window"), table, []string{"stage Window", "do without Retry"}},
		"Retry behind them": {operators.Retry(one), table, []string{"stage Retry", "do without Retry"}},
		"Retry before a sink with them": {operators.Retry(rows), through(func(in rxcql.Stream[int]) rxcql.Stream[int] { return counts(in, "Window") }),
			[]string{"stage Window", "do without Retry"}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := rxcql.New(c.stream, c.to, with)
			require.ErrorIs(t, err, rxcql.ErrConfig)
			require.ErrorIs(t, err, rxcql.ErrNotResumable)
			for _, word := range c.says {
				require.ErrorContains(t, err, word)
			}
			_, err = rxcql.New(c.stream, c.to)
			require.NoError(t, err, "without a checkpoint")
		})
	}
	for name, c := range map[string]struct {
		stream rxcql.Stream[int]
		to     rxcql.Sink[int]
	}{
		"before a table":    {one, table},
		"in two branches":   {rows, sink.Tee(through(func(in rxcql.Stream[int]) rxcql.Stream[int] { return counts(in, "Window") }), through(func(in rxcql.Stream[int]) rxcql.Stream[int] { return counts(in, "Other") }))},
		"behind operators":  {counts(operators.Filter(rows, func(int) bool { return true }), "Window"), table},
		"before operators":  {operators.Filter(one, func(int) bool { return true }), table},
		"of merged streams": {counts(operators.Merge(tens(1).Stream(), tens(2).Stream()), "Window"), table},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := rxcql.New(c.stream, c.to, with)
			require.NoError(t, err)
		})
	}
}

func TestACheckpointThatIsNotOursIsRefusedAndKept(t *testing.T) {
	good := func(t *testing.T) (*jobtest.Parts[int], *jobtest.Store, *resuming) {
		parts, store, to := tens(4), &jobtest.Store{}, &resuming{}
		stoppedAfter(t, 26, parts, store, to)
		parts.Read = 0
		return parts, store, to
	}
	edit := func(t *testing.T, store *jobtest.Store, change func(*saved.State)) {
		state, err := store.State("job")
		require.NoError(t, err)
		change(state)
		data, err := saved.Encode(state)
		require.NoError(t, err)
		store.Put("job", data)
	}
	for name, c := range map[string]struct {
		change func(t *testing.T, parts *jobtest.Parts[int], store *jobtest.Store, to *resuming)
		kind   error
		says   []string
	}{
		"another job's": {func(t *testing.T, _ *jobtest.Parts[int], store *jobtest.Store, _ *resuming) {
			edit(t, store, func(s *saved.State) { s.Job = "other" })
		}, rxcql.ErrCheckpointForeign, []string{`of job "other"`}},
		"of another table": {func(_ *testing.T, parts *jobtest.Parts[int], _ *jobtest.Store, _ *resuming) {
			parts.Facts = []rxcql.Fact{{Name: "table id", Value: "b"}, {Name: "share", Value: "0 of 2"}}
		}, rxcql.ErrCheckpointForeign, []string{`table id was "a" and is "b"`, "share", "another name"}},
		"of another source": {func(_ *testing.T, parts *jobtest.Parts[int], _ *jobtest.Store, _ *resuming) {
			parts.Name = "Others"
		}, rxcql.ErrCheckpointForeign, []string{"Parts"}},
		"of other sinks": {func(t *testing.T, _ *jobtest.Parts[int], store *jobtest.Store, _ *resuming) {
			edit(t, store, func(s *saved.State) { s.Sinks[0].Stage = "Table ks.t" })
		}, rxcql.ErrCheckpointForeign, []string{"sinks"}},
		"cut short": {func(_ *testing.T, _ *jobtest.Parts[int], store *jobtest.Store, _ *resuming) {
			data := store.Get("job")
			store.Put("job", data[:len(data)-3])
		}, rxcql.ErrCheckpointDamaged, []string{"checksum"}},
		"empty": {func(_ *testing.T, _ *jobtest.Parts[int], store *jobtest.Store, _ *resuming) {
			store.Put("job", []byte{})
		}, rxcql.ErrCheckpointDamaged, nil},
		"newer": {func(_ *testing.T, _ *jobtest.Parts[int], store *jobtest.Store, _ *resuming) {
			store.Put("job", bytes.Replace(store.Get("job"), []byte("rxcql-checkpoint 1 "), []byte("rxcql-checkpoint 2 "), 1))
		}, rxcql.ErrCheckpointNewer, []string{"format 2"}},
		"of other page states, before a sink that bears no row twice": {func(_ *testing.T, parts *jobtest.Parts[int], _ *jobtest.Store, to *resuming) {
			parts.Pages, to.info.Barrier = "2", true
		}, rxcql.ErrCheckpointForeign, []string{"page states"}},
	} {
		t.Run(name, func(t *testing.T) {
			parts, store, to := good(t)
			c.change(t, parts, store, to)
			before := positions(store)
			_, err := goOn(t, parts, store, to)
			require.ErrorIs(t, err, c.kind)
			require.ErrorContains(t, err, `checkpoint of job "job"`)
			for _, words := range c.says {
				require.ErrorContains(t, err, words)
			}
			require.Zero(t, parts.Read)
			require.Equal(t, before, positions(store), "what was saved was replaced")
			require.False(t, store.Locked("job"))
		})
	}
}

// positions is what a refusal must keep: the number of runs may go up.
func positions(store *jobtest.Store) string {
	state, err := store.State("job")
	if err != nil {
		return string(store.Get("job"))
	}
	return fmt.Sprintf("%q %+v %+v", state.Job, state.Sources, state.Sinks)
}

func TestWithOtherPageStatesPartsThatWereBegunAreReadFromTheirBeginning(t *testing.T) {
	parts, store, to := tens(4), &jobtest.Store{}, &resuming{}
	stoppedAfter(t, 26, parts, store, to)
	state, err := store.State("job")
	require.NoError(t, err)
	begun := 0
	for _, p := range state.Sources[0].Parts {
		begun += 2 * int(p.Pages)
	}
	require.Positive(t, begun)
	parts.Pages = "2"
	rep, err := goOn(t, parts, store, to)
	require.NoError(t, err)
	require.EqualValues(t, 14+begun, rep.ReadRows)
}

func TestASourceThatSaysNotWhereItIsCannotBePartOfAJob(t *testing.T) {
	to := &resuming{}
	info := rxcql.StageInfo{Name: "Own", Source: true}
	own := rxcql.NewStream(info, func(ctx context.Context, st *rxcql.Stage, out flow.Observer[int]) error {
		reservation, err := st.Input().Reserve(ctx, 1)
		if err != nil {
			return err
		}
		reservation.AddReceipt(st.Receipt())
		st.CountPage(1, 1)
		err = out.Next(ctx, &flow.Page[int]{Rows: []int{1}, Reservation: reservation})
		reservation.Finish(err)
		if err != nil {
			return err
		}
		return out.Done(ctx, false)
	})
	p := pipeline(t, own, rxcql.Sink[int](to), rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	_, err := p.Run(context.Background())
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
	require.ErrorContains(t, err, "Own")
}
