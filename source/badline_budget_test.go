package source_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

type slowLetters struct{}

func (slowLetters) Check(context.Context) error                            { return nil }
func (s slowLetters) Open(context.Context) (rxcql.DeadLetterWriter, error) { return s, nil }
func (slowLetters) Close() error                                           { return nil }
func (s slowLetters) Write(_ context.Context, l []rxcql.Letter) error {
	time.Sleep(5 * time.Millisecond)
	return nil
}

type heapAtFirst struct{ most uint64 }

func (h *heapAtFirst) rowFailed(context.Context, rxcql.RowFailedEvent) {
	if h.most == 0 {
		runtime.GC()
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		h.most = m.HeapAlloc
	}
}

// Skipped lines weigh nothing, so a page of them is as large as PageRows lets it.
func TestSkippedLinesAreCountedInTheBudget(t *testing.T) {
	const rows = 1 << 17
	path := fileWith(t, strings.Repeat("x\n", rows))
	heap := &heapAtFirst{}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	rep, err := source.NDJSON[int](path, source.PageRows(1<<20)).ForEach(t.Context(), func(int) error { return nil },
		rxcql.WithBudget(rxcql.MinBudgetPerInput), rxcql.WithRowErrors(rxcql.SkipRows(rows)), rxcql.WithHooks(rxcql.Hooks{RowFailed: heap.rowFailed}))
	require.NoError(t, err)
	held := int64(heap.most) - int64(m.HeapAlloc)
	t.Logf("pages %d, peak said %d, heap held %d", rep.Pages, rep.PeakBytes, held)
	good, err := source.NDJSON[int](fileWith(t, strings.Repeat("1\n", rows)), source.PageRows(1<<20)).ForEach(t.Context(), func(int) error { return nil },
		rxcql.WithBudget(rxcql.MinBudgetPerInput))
	require.NoError(t, err)
	t.Logf("as many good lines: %d pages", good.Pages)
	require.Less(t, held, int64(2<<20), "with a budget of 64 KiB")
}

// README: peak <= budget + fetches x largest page.
func TestLettersOfLinesStayInTheBudget(t *testing.T) {
	path := fileWith(t, strings.Repeat("x\n", 2_000))
	rep, err := source.NDJSON[int](path).ForEach(t.Context(), func(int) error { return nil },
		rxcql.WithBudget(rxcql.MinBudgetPerInput), rxcql.WithRowErrors(rxcql.DeadLetter(slowLetters{})))
	require.NoError(t, err)
	bound := rep.Budget + int64(rep.PeakFetches)*rep.LargestPage
	t.Logf("peak %d, budget %d, fetches %d, largest page %d", rep.PeakBytes, rep.Budget, rep.PeakFetches, rep.LargestPage)
	require.LessOrEqual(t, rep.PeakBytes, bound)
}

// The index of a record behind which nothing can be read, after bad lines.
func TestTheIndexOfARowCountsTheBadOnesBefore(t *testing.T) {
	text := "a,b\n1,x\nbad,x\nbad,x\n2,\"y\n"
	_, err := source.CSV[pair](fileWith(t, text)).ForEach(t.Context(), func(pair) error { return nil }, rxcql.WithRowErrors(rxcql.SkipRows(10)))
	var row *rxcql.RowError
	require.ErrorAs(t, err, &row)
	require.Equal(t, 3, row.Row, "rows 0 to 2 of the page were before it: %v", err)
}

// Cancel among empty lines.
func TestACancelIsObeyedAmongEmptyLines(t *testing.T) {
	path := filepath.Join(t.TempDir(), "in.txt")
	f, err := os.Create(path)
	require.NoError(t, err)
	chunk := []byte(strings.Repeat("\n", 1<<20))
	for range 100 {
		_, err = f.Write(chunk)
		require.NoError(t, err)
	}
	require.NoError(t, f.Close())
	for name, in := range map[string]rxcql.Stream[int]{"ndjson": source.NDJSON[int](path)} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
		_, err = in.Count(ctx)
		cancel()
		require.ErrorIs(t, err, context.DeadlineExceeded, name) // read to its end there would be none
	}
}

// After the limit of a Take behind a Map that leaves rows out each bad line is a page.
func TestBadLinesBehindALimitFillPages(t *testing.T) {
	path := fileWith(t, "1\n"+strings.Repeat("x\n", 10_000)+"2\n")
	in := operators.Map(source.NDJSON[int](path), func(n int) (int, error) {
		if n == 1 {
			return 0, errors.New("bad")
		}
		return n, nil
	})
	rep, err := operators.Take(in, 1).ForEach(t.Context(), func(int) error { return nil }, rxcql.WithRowErrors(rxcql.SkipPercent(100, 0)))
	require.NoError(t, err)
	require.EqualValues(t, 10_001, rep.Skipped)
	require.Less(t, rep.Pages, int64(100))
}
