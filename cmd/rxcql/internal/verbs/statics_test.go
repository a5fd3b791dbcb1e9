package verbs_test

import (
	"fmt"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

const leftStatics = "1 partitions that have static columns only were left out, since the target has no static column for what they have: copy their static columns too"

// Partitions for which the target has no place are left out, although nothing failed.
func TestPartitionsOfStaticColumnsOnlyThatACopyLeavesOutAreSaid(t *testing.T) {
	b := newBench(t, "t (p int, c int, s text STATIC, v int, PRIMARY KEY (p, c))", "flat (p int, c int, s text, v int, PRIMARY KEY (p, c))",
		"n (p int, c int, s counter STATIC, v counter, PRIMARY KEY (p, c))", "m (p int, c int, v counter, PRIMARY KEY (p, c))")
	b.server.Exec("INSERT INTO shop.t (p, c, s, v) VALUES (1, 1, 'x', 1)", "UPDATE shop.n SET s = s + 1, v = v + 1 WHERE p = 1 AND c = 1")
	copies := [][]string{
		{"copy", "shop.t", "--to", "shop.flat"}, {"copy", "shop.t", "--to", "shop.flat", "--times"},
		{"copy", "shop.t", "--to", "shop.flat", "--drop", "s", "--checkpoint", filepath.Join(b.folder, "going")},
	}
	for _, args := range copies {
		got := b.rxcql(args...)
		require.Zero(t, got.code, "%v: %s%s", args, got.out, got.err)
	}
	counters := []string{"copy", "shop.n", "--to", "shop.m", "--counters", "--drop", "s"}
	require.Zero(t, b.rxcql(counters...).code)
	b.server.Exec("INSERT INTO shop.t (p, s) VALUES (2, 'alone')", "UPDATE shop.n SET s = s + 1 WHERE p = 2", "TRUNCATE shop.m")
	for _, args := range append(copies, counters) {
		got := b.rxcql(args...)
		require.Equal(t, 3, got.code, "%v: %s%s", args, got.out, got.err)
		require.Contains(t, got.out, ": left, ")
		require.Contains(t, got.out, leftStatics, args)
	}
}

// The run that goes on cannot know how many those before it have left out.
func TestACopyThatGoesOnSaysThatEarlierRunsMayHaveLeftOutStaticColumns(t *testing.T) {
	for _, target := range []string{"flat", "same"} {
		b := newBench(t, "t (p int, c int, s text STATIC, v int, PRIMARY KEY (p, c))", "flat (p int, c int, s text, v int, PRIMARY KEY (p, c))",
			"same (p int, c int, s text STATIC, v int, PRIMARY KEY (p, c))")
		fillStatics(b)
		going := filepath.Join(b.folder, "going")
		args := []string{"copy", "shop.t", "--to", "shop." + target, "--checkpoint", going, "--retry-time", "0", "--workers", "1"}
		for kept := []string(nil); len(kept) == 0; { // what is settled when a write fails is not the same each time
			stop := failsAfter(b.server, "shop."+target, 50)
			require.Equal(t, 1, b.rxcql(args...).code)
			stop()
			var err error
			kept, err = filepath.Glob(filepath.Join(going, "*.checkpoint"))
			require.NoError(t, err)
		}
		got := b.rxcql(args...)
		require.Contains(t, got.out, "went on after")
		if target == "same" {
			require.Zero(t, got.code, got.out)
			continue
		}
		require.Equal(t, 3, got.code, got.out)
		require.Contains(t, got.out, "earlier runs may have left out partitions that have static columns only")
	}
}

// fillStatics gives shop.t a hundred partitions with a row and a static column.
func fillStatics(b *bench) {
	for p := range 100 {
		b.server.Exec(fmt.Sprintf("INSERT INTO shop.t (p, c, s, v) VALUES (%d, 1, 'x', 1)", p))
	}
}
