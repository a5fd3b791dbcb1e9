package verbs_test

import (
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// batches are how many rows each batch has that a server was sent so far.
func (b *bench) batches() func() []int {
	var mu sync.Mutex
	var sent []int
	b.server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if r.Kind == cqlfake.Batch {
			mu.Lock()
			defer mu.Unlock()
			sent = append(sent, len(r.Statements))
		}
		return nil
	})
	return func() []int {
		mu.Lock()
		defer mu.Unlock()
		got := sent
		sent = nil
		return got
	}
}

func TestLoadSpreadBatchesRowsOfManyPartitions(t *testing.T) {
	b := newBench(t)
	var file strings.Builder
	file.WriteString("id,v\n")
	for i := range 2000 {
		fmt.Fprintf(&file, "%d,some text of row %d\n", i, i)
	}
	path := b.file("rows.csv", file.String())
	sent := b.batches()
	most := func(args ...string) (rows int) {
		t.Helper()
		got := b.load(path, args...)
		require.Zero(t, got.code, got.err)
		require.Len(t, b.rows(), 2000)
		for _, n := range sent() {
			rows = max(rows, n)
		}
		return rows
	}
	require.Zero(t, most(), "each row is a partition")
	require.Equal(t, 10, most("--spread"))
	require.Equal(t, 30, most("--spread-partitions", "30", "--spread-bytes", "48KiB"), "bytes for more")
	require.Greater(t, most("--spread-partitions", "1000", "--spread-bytes", "1MiB"), 100, "rows for more")
	require.Greater(t, most("--spread", "--spread-bytes", "1KiB"), 1)
	require.Less(t, most("--spread-bytes", "1KiB"), 10, "the bytes of a batch are the limit")
}

func TestLoadSpreadWithWrongBoundsIsRefused(t *testing.T) {
	b := newBench(t)
	path := b.file("rows.csv", "id,v\n1,one\n")
	for flag, says := range map[string]string{
		"--spread-partitions=1": "from 2 to 1000", "--spread-partitions=1001": "from 2 to 1000",
		"--spread-bytes=1000": "from 1KiB to 16MiB", "--spread-bytes=17MiB": "from 1KiB to 16MiB", "--spread-bytes=many": "--spread-bytes",
	} {
		got := b.load(path, flag)
		require.Equal(t, 2, got.code, flag)
		require.Contains(t, got.err, says, flag)
	}
}

func TestSpreadFalseIsRefusedTogetherWithFlagsThatSpread(t *testing.T) {
	b := newBench(t)
	path := b.file("rows.csv", "id,v\n1,one\n")
	for _, flag := range []string{"--spread-partitions=100", "--spread-bytes=48KiB"} {
		got := b.load(path, "--spread=false", flag)
		require.Equal(t, 2, got.code, flag)
		require.Contains(t, got.err, "--spread=false, and --spread-partitions or --spread-bytes")
	}
	require.Zero(t, b.load(path, "--spread=false").code)
}

func TestALoadGoesOnWithOrWithoutSpread(t *testing.T) {
	b := newBench(t)
	path := b.file("rows.csv", "id,v\n1,one\nx,two\n")
	folder := t.TempDir()
	for _, more := range [][]string{nil, {"--spread"}, {"--spread-partitions", "30"}, {"--spread-bytes", "1KiB"}, nil, {"--max-errors", "1", "--spread"}} {
		got := b.load(path, append(more, "--checkpoint", folder)...)
		require.NotContains(t, got.out, "another", "%v", more)
		require.Equal(t, len(more) != 3, got.code == 1, "%v: %s", more, got.out)
	}
	require.Equal(t, []string{"1,one,"}, b.rows())
}
