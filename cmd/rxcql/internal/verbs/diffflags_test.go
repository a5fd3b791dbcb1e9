package verbs_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// compare compares shop.t with shop.u in a folder of its own.
func (b *bench) compare(code int, args ...string) (got ended, out string) {
	b.t.Helper()
	out = filepath.Join(b.t.TempDir(), "diff")
	return b.ends(code, append([]string{"diff", "shop.t", "--to", "shop.u", "--pause", "0", "--out", out}, args...)...), out
}

func TestDiffLeavesColumnsOut(t *testing.T) {
	b := newBench(t, "t (id int PRIMARY KEY, v int, one int)", "u (id int PRIMARY KEY, v int, other int)")
	b.server.Exec("INSERT INTO shop.t (id, v, one) VALUES (1, 1, 1)", "INSERT INTO shop.u (id, v, other) VALUES (1, 2, 3)")
	b.compare(1)
	got, _ := b.compare(3, "--leave-out", "one,other")
	require.Contains(t, got.out, "1 newer")
	b.compare(0, "--leave-out", "one,other", "--leave-out", "v")
	b.compare(3, "--leave-out", "v", "--rename", "one=other")
}

func TestDiffOfTimesHasTolerances(t *testing.T) {
	b := newBench(t, "t (id int PRIMARY KEY, v int)", "u (id int PRIMARY KEY, v int)")
	b.server.Exec("INSERT INTO shop.t (id, v) VALUES (1, 1) USING TIMESTAMP 1000000", "INSERT INTO shop.u (id, v) VALUES (1, 1) USING TIMESTAMP 2500000")
	b.compare(0)
	b.compare(3, "--times")
	b.compare(3, "--times", "--write-tolerance", "1s")
	b.compare(0, "--times", "--write-tolerance", "2s")
	b.server.Exec("INSERT INTO shop.t (id, v) VALUES (1, 1) USING TIMESTAMP 3000000 AND TTL 90000", "INSERT INTO shop.u (id, v) VALUES (1, 1) USING TIMESTAMP 3000000 AND TTL 80000")
	b.compare(0)
	b.compare(3, "--times", "--expiry-tolerance", "2h")
	b.compare(0, "--times", "--expiry-tolerance", "3h")
}

func TestDiffGivesUpATableInWhichTooMuchSeemsToDiffer(t *testing.T) {
	b := newBench(t, "t (id int PRIMARY KEY, v int)", "u (id int PRIMARY KEY, v int)")
	for i := range 20 {
		b.server.Exec(fmt.Sprintf("INSERT INTO shop.t (id, v) VALUES (%d, 1)", i))
	}
	got, _ := b.compare(1, "--max-candidates", "19")
	require.Contains(t, got.out, "--max-candidates")
	got, _ = b.compare(3, "--max-candidates", "20")
	require.Contains(t, got.out, "20 missing")
}

func TestSharesOfADiffFindEachDifferenceOnce(t *testing.T) {
	b := newBench(t, "t (id int PRIMARY KEY, v int)", "u (id int PRIMARY KEY, v int)")
	for i := range 50 {
		b.server.Exec(fmt.Sprintf("INSERT INTO shop.t (id, v) VALUES (%d, 1)", i))
	}
	missing, read := 0, 0
	for i := range 3 {
		got, _ := b.compare(3, "--shard", fmt.Sprintf("%d/3", i))
		var rows, of int
		_, err := fmt.Sscanf(got.out, "shop.t: left, %d rows read; %d missing", &rows, &of)
		require.NoError(t, err, got.out)
		require.Positive(t, of)
		missing, read = missing+of, read+rows
	}
	require.Equal(t, 50, missing)
	require.Equal(t, 50, read)
}

func TestWithFailFastTheTablesBehindOneThatFailsAreNotBegun(t *testing.T) {
	server, host := shop(t)
	failing(server, `shop.Odd`)
	failing(server, `shop."Odd"`)
	args := []string{"count", "shop", "--hosts", host, "--progress", "none", "--retry-time", "0"}
	got := rxcql(t, args...)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "3 tables: 2 done, 1 failed")
	got = rxcql(t, append(args, "--fail-fast")...)
	require.Equal(t, 1, got.code)
	require.Contains(t, got.out, "3 tables: 1 failed, 2 not begun")
}
