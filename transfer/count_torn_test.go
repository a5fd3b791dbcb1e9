package transfer_test

import (
	"bytes"
	"cmp"
	"fmt"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/gravetest"
	"github.com/rxcql/rxcql/transfer"
)

// counted is what a count of all that can be read finds, added up row by row.
func counted(g *gravetest.Table, largest int) (want transfer.CountReport) {
	type partition struct {
		key         string
		rows, bytes int64
	}
	parts := map[string]*partition{}
	part := func(k string) *partition {
		if parts[k] == nil {
			parts[k] = &partition{key: k}
			if g.Static[k] {
				parts[k].bytes = 4
			}
		}
		return parts[k]
	}
	for _, row := range g.Rows {
		if !g.Unreadable(row) {
			p := part(string(row.K))
			p.rows++
			p.bytes += int64(len(row.K) + 4 + len(row.D) + 4)
		}
	}
	hopeless := g.Hopeless()
	for k := range g.Static {
		if _, lost := hopeless[k]; parts[k] == nil && !lost && g.StaticOnly()[k] {
			part(k).bytes += int64(len(k))
			want.StaticOnly++
		}
	}
	want.Table = "ks.t"
	list := []*partition{}
	for _, p := range parts {
		want.Partitions++
		want.Rows += p.rows
		want.Bytes += p.bytes
		list = append(list, p)
	}
	for _, by := range []struct {
		to   *[]transfer.CountPartition
		size func(*partition) int64
	}{
		{&want.LargestByRows, func(p *partition) int64 { return p.rows }},
		{&want.LargestByBytes, func(p *partition) int64 { return p.bytes }},
	} {
		slices.SortFunc(list, func(a, b *partition) int {
			return cmp.Or(cmp.Compare(by.size(b), by.size(a)), bytes.Compare([]byte(a.key), []byte(b.key)))
		})
		for _, p := range list[:min(largest, len(list))] {
			*by.to = append(*by.to, transfer.CountPartition{Key: []string{fmt.Sprintf("0x%x", p.key)}, Rows: p.rows, Bytes: p.bytes})
		}
	}
	return want
}

// eachGraveyard runs a test for random tables in which some rows cannot be read.
func eachGraveyard(t *testing.T, n uint64, test func(t *testing.T, g *gravetest.Table)) {
	t.Helper()
	for seed := range n {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g := gravetest.New(t, seed)
				for v := range len(g.Rows) {
					if g.Random.IntN(6) == 0 {
						g.BuryAt(g.Rows[v])
					}
				}
				test(t, g)
			})
		})
	}
}

func TestACountAmongTombstonesHasAllThatCanBeRead(t *testing.T) {
	unread := 0
	eachGraveyard(t, 30, func(t *testing.T, g *gravetest.Table) {
		got, err := count(t, g.Session, transfer.CountSizes(), transfer.CountLargest(3), transfer.CountRanges(), transfer.WithSplits(1+g.Random.IntN(3)),
			transfer.WithRun(rxcql.WithRetry(time.Second, 2)))
		require.Equal(t, err == nil, got.Run.Complete)
		if err != nil {
			require.ErrorIs(t, err, rxcql.ErrUnread)
			require.Contains(t, got.String(), got.Run.Unread[0].Range)
			unread++
		}
		var sum int64
		for _, r := range got.Ranges {
			sum += r.Partitions
		}
		require.Equal(t, got.Partitions, sum)
		got.Run, got.Ranges = rxcql.Report{}, nil
		require.Equal(t, counted(g, 3), got)
	})
	require.Greater(t, unread, 10)
}
