package source_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func discard[T any]() rxcql.Sink[T] {
	return sink.Each(func(context.Context, T) error { return nil }, sink.Idempotent())
}

func numbersFile(t *testing.T, n int) string {
	t.Helper()
	var b strings.Builder
	for i := range n {
		fmt.Fprintln(&b, i)
	}
	return fileWith(t, b.String())
}

func TestAFileIsReadInPagesUnderTheBudget(t *testing.T) {
	var s shape
	n, err := shaped(source.NDJSON[int](numbersFile(t, 1300)), &s).Count(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, 1300, n)
	require.Equal(t, []int{512, 512, 276}, s.rows)
	for i, at := range s.at {
		require.Equal(t, flow.Position{Page: int64(i), Last: i == 2}, at)
	}

	var large shape
	text := strings.Repeat(`"`+strings.Repeat("x", 10_000)+"\"\n", 100)
	_, err = shaped(source.NDJSON[string](fileWith(t, text)), &large).Count(context.Background(), rxcql.WithBudget(rxcql.MinBudgetPerInput))
	require.NoError(t, err)
	require.Equal(t, 2, slices.Max(large.rows), "a page is filled by 16 KiB where the budget is 64 KiB")
}

func TestAFileObeysStopAndCancelBetweenRows(t *testing.T) {
	path := numbersFile(t, 100_000)
	broken := errors.New("enough")
	for name, end := range map[string]func(p *rxcql.Pipeline, cancel context.CancelCauseFunc){
		"stop":   func(p *rxcql.Pipeline, _ context.CancelCauseFunc) { p.Stop() },
		"cancel": func(_ *rxcql.Pipeline, cancel context.CancelCauseFunc) { cancel(broken) },
	} {
		ctx, cancel := context.WithCancelCause(context.Background())
		var p *rxcql.Pipeline
		p, err := rxcql.New(source.NDJSON[int](path), sink.Each(func(_ context.Context, n int) error {
			if n == 700 {
				end(p, cancel)
			}
			return nil
		}))
		require.NoError(t, err)
		rep, err := p.Run(ctx)
		require.Equal(t, name == "cancel", errors.Is(err, broken))
		require.Less(t, rep.ReadRows, int64(1030))
		cancel(nil)
	}
}

// copied is a job that copies numbers, and fails or stops at one of them.
func copied(t *testing.T, in rxcql.Stream[int], store *jobtest.Store, got *[]int, failAt int) error {
	t.Helper()
	p, err := rxcql.New(in, sink.Each(func(_ context.Context, n int) error {
		if n == failAt {
			return errors.New("broken on purpose")
		}
		*got = append(*got, n)
		return nil
	}, sink.Idempotent()), rxcql.WithCheckpoint(store, "job"))
	require.NoError(t, err)
	_, err = p.Run(context.Background())
	return err
}

func TestAJobGoesOnInAFileAfterTheSettledPages(t *testing.T) {
	path, store := numbersFile(t, 1000), &jobtest.Store{}
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, append([]byte("\ufeff"), data...), 0o600))
	in := func() rxcql.Stream[int] { return source.NDJSON[int](path, source.PageRows(10)) }
	var got []int
	require.Error(t, copied(t, in(), store, &got, 305))
	state, err := store.State("job")
	require.NoError(t, err)
	require.EqualValues(t, 30, state.Sources[0].Parts[0].Pages)
	require.Contains(t, string(state.Sources[0].Parts[0].State), `"line":300`)

	// The folder may be another, and the file may have grown.
	moved := filepath.Join(t.TempDir(), filepath.Base(path))
	require.NoError(t, os.Rename(path, moved))
	f, err := os.OpenFile(moved, os.O_APPEND|os.O_WRONLY, 0)
	require.NoError(t, err)
	_, err = f.WriteString("1000\nx\n")
	require.NoError(t, err)
	require.NoError(t, f.Close())
	path, got = moved, nil

	err = copied(t, in(), store, &got, -1)
	require.ErrorContains(t, err, "line 1002", "lines are counted on")
	require.Equal(t, 300, got[0])
	require.Equal(t, 1000, got[len(got)-1])

	// A line that was bad may be fixed: it was not settled.
	data, err = os.ReadFile(path)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, bytes.TrimSuffix(data, []byte("x\n")), 0o600))
	got = nil
	require.NoError(t, copied(t, in(), store, &got, -1))
	require.LessOrEqual(t, len(got), 1)
}

func TestAJobDoesNotGoOnInAFileThatIsNotTheOneItHasRead(t *testing.T) {
	for name, c := range map[string]struct {
		meddle func(path string) error
		says   string
	}{
		"shorter": {func(path string) error { return os.Truncate(path, 1000) }, "shorter than"},
		"other bytes": {func(path string) error {
			data, err := os.ReadFile(path)
			require.NoError(t, err)
			return os.WriteFile(path, bytes.Replace(data, []byte("\n250\n"), []byte("\n251\n"), 1), 0o600)
		}, "other bytes before offset"},
	} {
		path, store := numbersFile(t, 1000), &jobtest.Store{}
		var got []int
		require.Error(t, copied(t, source.NDJSON[int](path), store, &got, 600))
		require.NoError(t, c.meddle(path))
		got = nil
		err := copied(t, source.NDJSON[int](path), store, &got, -1)
		require.ErrorIs(t, err, rxcql.ErrCheckpointForeign, name)
		require.ErrorContains(t, err, c.says)
		require.ErrorContains(t, err, path)
		require.Empty(t, got)
	}
	path, store := numbersFile(t, 1000), &jobtest.Store{}
	var got []int
	require.Error(t, copied(t, source.NDJSON[int](path), store, &got, 600))
	other := filepath.Join(filepath.Dir(path), "other")
	require.NoError(t, os.Rename(path, other))
	require.ErrorIs(t, copied(t, source.NDJSON[int](other), store, &got, -1), rxcql.ErrCheckpointForeign)
}

func TestAJobDoesNotGoOnUnderAnotherHeaderOrNullText(t *testing.T) {
	type pair struct {
		A string `cql:"a"`
		B string `cql:"b"`
	}
	text := strings.Repeat("1,2\n", 5_000)
	path, store := fileWith(t, "a,b\n"+text), &jobtest.Store{}
	run := func(opts ...source.CSVOption) error {
		var p *rxcql.Pipeline
		n := 0
		p, err := rxcql.New(source.CSV[pair](path, opts...), sink.Each(func(context.Context, pair) error {
			if n++; n == 3000 {
				p.Stop()
			}
			return nil
		}, sink.Idempotent()), rxcql.WithCheckpoint(store, "job"))
		require.NoError(t, err)
		return second(p.Run(context.Background()))
	}
	require.NoError(t, run())
	err := run(source.NullText("NULL"))
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	require.ErrorContains(t, err, "null text")
	require.NoError(t, os.WriteFile(path, []byte("b,a\n"+text), 0o600))
	err = run()
	require.ErrorIs(t, err, rxcql.ErrCheckpointForeign)
	require.ErrorContains(t, err, `header was "a,b" and is "b,a"`)
	require.NoError(t, os.WriteFile(path, []byte("a,b\n"+text), 0o600))
	require.NoError(t, run(source.IgnoreUnknown(), source.MaxLine(5_000)))
}

func TestHeadersWhoseNamesHaveCommasOrQuotesInThemAreNotTakenForEachOther(t *testing.T) {
	type row struct {
		A string `cql:"a"`
	}
	headers := []string{`a,"x,y",z`, `a,x,"y,z"`, `"x,y",a`, `"""x","y""",a`, `"x,"",""y,",a`, `"x,","y,",a`}
	fields := []int{3, 3, 2, 3, 2, 3}
	for i, before := range headers {
		text := strings.Repeat(strings.Repeat("1,", fields[i]-1)+"1\n", 5_000)
		for j, after := range headers {
			path, store := fileWith(t, before+"\n"+text), &jobtest.Store{}
			run := func(stopAt int) error {
				var p *rxcql.Pipeline
				n := 0
				p, err := rxcql.New(source.CSV[row](path, source.IgnoreUnknown()), sink.Each(func(context.Context, row) error {
					if n++; n == stopAt {
						p.Stop()
					}
					return nil
				}, sink.Idempotent()), rxcql.WithCheckpoint(store, "job"))
				require.NoError(t, err)
				return second(p.Run(context.Background()))
			}
			require.NoError(t, run(3000))
			require.NoError(t, os.WriteFile(path, []byte(after+"\n"+text), 0o600))
			err := run(-1)
			if i == j {
				require.NoError(t, err)
				continue
			}
			require.ErrorIs(t, err, rxcql.ErrCheckpointForeign, "%s, %s", before, after)
			require.ErrorContains(t, err, "header was")
		}
	}
}
