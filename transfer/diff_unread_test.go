package transfer_test

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/gravetest"
	"github.com/rxcql/rxcql/transfer"
)

// wantedDifferences are those of two tables, by place, and how many parts cannot be read.
func wantedDifferences(left, right *gravetest.Table) (want map[gravetest.Place]bool, parts int) {
	want = map[gravetest.Place]bool{}
	holes := left.Holes()
	parts = len(holes) + len(right.Holes())
	for place := range right.Holes() {
		holes[place] = true
	}
	sides := []*gravetest.Table{left, right}
	seen := map[string]bool{} // partitions of which something comes
	for i, g := range sides {
		for place, v := range g.Places() {
			if holes[place] {
				continue
			}
			seen[place.K] = true
			if other, both := sides[1-i].Places()[place]; !both || other != v {
				want[place] = true
			}
		}
		for k := range g.StaticOnly() {
			_, lost := g.Hopeless()[k]
			_, lostThere := sides[1-i].Hopeless()[k]
			if !lost && !lostThere {
				seen[k] = true
			}
		}
		parts += len(g.Hopeless())
	}
	for i, g := range sides {
		for k := range g.Static {
			if !sides[1-i].Static[k] && seen[k] {
				want[gravetest.Place{K: k, D: "(static)"}] = true
			}
		}
	}
	return want, parts
}

// foundDifferences are those of the folder of a diff.
func foundDifferences(t *testing.T, folder string) (found map[gravetest.Place]bool, parts int) {
	t.Helper()
	found = map[gravetest.Place]bool{}
	all, err := transfer.Differences(folder).Collect(t.Context())
	require.NoError(t, err)
	for _, d := range all {
		if d.Cause == transfer.Unread {
			require.NotNil(t, d.Range)
			require.Regexp(t, "^(source|target): ", d.Reason)
			parts++
			continue
		}
		var key struct {
			K string
			C int
			D string
		}
		require.NoError(t, json.Unmarshal(d.Key, &key))
		k, err := hex.DecodeString(strings.TrimPrefix(key.K, "0x"))
		require.NoError(t, err)
		place := gravetest.Place{K: string(k), C: key.C, D: key.D}
		if d.Static {
			place.D = "(static)"
		}
		require.False(t, found[place], "%v twice", place)
		found[place] = true
	}
	return found, parts
}

func eachDiff(t *testing.T, n uint64, test func(t *testing.T, left, right *gravetest.Table)) {
	t.Helper()
	for seed := range n {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				left, right := gravetest.Pair(t, seed)
				test(t, left, right)
			})
		})
	}
}

func diffOf(t *testing.T, left, right *gravetest.Table, folder string, opts ...transfer.DiffOption) (transfer.DiffReport, error) {
	t.Helper()
	job, err := transfer.Diff(transfer.Table{Session: left.Session, Name: "ks.t"}, transfer.Table{Session: right.Session, Name: "ks.t"}, folder,
		append(opts, transfer.Pause(time.Second), transfer.WithSplits(1+left.Random.IntN(4)), transfer.WithWorkers(1+left.Random.IntN(3)))...)
	require.NoError(t, err)
	return job.Run(t.Context())
}

func TestADiffAmongTombstonesComparesAllThatCanBeRead(t *testing.T) {
	unread := 0
	eachDiff(t, 15, func(t *testing.T, left, right *gravetest.Table) {
		folder := filepath.Join(t.TempDir(), "diff")
		report, err := diffOf(t, left, right, folder, transfer.WithRun(rxcql.WithRetry(time.Second, 2)))
		require.NoError(t, err)
		require.True(t, report.Complete)
		want, parts := wantedDifferences(left, right)
		found, unreadParts := foundDifferences(t, folder)
		require.Equal(t, want, found)
		require.Equal(t, parts, unreadParts)
		require.EqualValues(t, parts, report.Unread)
		require.EqualValues(t, len(want)+parts, report.Differences())
		require.Equal(t, len(want)+parts == 0, report.Equal())
		require.Zero(t, report.Settled-(report.Candidates-int64(len(want))))
		unread += parts
	})
	require.Greater(t, unread, 20)
}
