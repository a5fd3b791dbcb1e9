package operators_test

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

func TestGroupsInLanesAreWholeWhereTheKeyIsThatOfTheGroup(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		parts := someParts(rt)
		width := rapid.IntRange(1, 30).Draw(rt, "rows a group")
		group := func(n cell) cell { return cell{part: n.part, row: n.row / width} }
		s := operators.Lanes(parts.Stream(), rapid.IntRange(1, 5).Draw(rt, "lanes"), group, func(in rxcql.Stream[cell]) rxcql.Stream[operators.Group[cell, int]] {
			return operators.GroupAdjacent(in, group, zero, func(sum int, n cell) (int, error) { return sum + n.row, nil })
		})
		got, err := s.Collect(context.Background())
		require.NoError(rt, err)
		want := map[cell]operators.Group[cell, int]{}
		for _, rows := range parts.Rows {
			for _, row := range rows {
				g := want[group(row)]
				want[group(row)] = operators.Group[cell, int]{Key: group(row), Value: g.Value + row.row, Rows: g.Rows + 1}
			}
		}
		require.Len(rt, got, len(want))
		for _, g := range got {
			require.Equal(rt, want[g.Key], g)
		}
	})
}

func TestAJobRefusesLanesWhoseStateNoCheckpointHasAndSaysSoOnce(t *testing.T) {
	in := (&jobtest.Parts[int]{Rows: [][]int{{1}}, PageRows: 1}).Stream()
	to := sink.Each(func(context.Context, int) error { return nil }, sink.Idempotent())
	for says, chain := range map[string]func(rxcql.Stream[int]) rxcql.Stream[int]{
		"stage Scan: no checkpoint has its state":        func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.Scan(in, zero, add) },
		"GroupAdjacent has one in each lane; put it bef": tensOf,
		"DistinctAdjacent has one in each lane; put it ": func(in rxcql.Stream[int]) rxcql.Stream[int] { return operators.DistinctAdjacent(in, itself[int]) },
	} {
		_, err := rxcql.New(operators.Lanes(in, 3, itself[int], chain), to, rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
		require.ErrorIs(t, err, rxcql.ErrNotResumable)
		require.Equal(t, 1, strings.Count(err.Error(), says), "%v", err)
		_, err = rxcql.New(operators.Lanes(in, 3, itself[int], chain), to)
		require.NoError(t, err)
	}
	lane := 0
	other := operators.Lanes(in, 3, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[int] {
		if lane++; lane == 2 {
			return tensOf(in)
		}
		return in
	})
	_, err := rxcql.New(other, to, rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.ErrorContains(t, err, "GroupAdjacent has one in each lane", "in the second lane alone")
	batches := operators.Lanes(in, 2, itself[int], func(in rxcql.Stream[int]) rxcql.Stream[[]int] { return operators.Batch(in, operators.BatchRows(3)) })
	_, err = rxcql.New(batches, sink.NDJSON[[]int]("x"), rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
	require.ErrorIs(t, err, rxcql.ErrNotResumable)
	require.ErrorContains(t, err, "stage Batch holds rows from page to page")
}

func TestAJobGoesOnWithOtherLanes(t *testing.T) {
	parts, store := &jobtest.Parts[cell]{PageRows: 7, Rows: [][]cell{nil}}, &jobtest.Store{}
	for row := range 500 {
		parts.Rows[0] = append(parts.Rows[0], cell{row: row})
	}
	to := newDurable(1)
	for lanes := 1; ; lanes++ {
		d := &disturbance{}
		if lanes < 5 {
			d.left.Store(100)
		}
		s := operators.Lanes(parts.Stream(), lanes, itself[cell], func(in rxcql.Stream[cell]) rxcql.Stream[cell] {
			return operators.Map(in, func(n cell) (cell, error) { return n, d.call() })
		})
		rep, err := rxcql.Run(t.Context(), s, to, rxcql.WithCheckpoint(store, "job"))
		if lanes < 5 {
			require.ErrorIs(t, err, errUser)
			continue
		}
		require.NoError(t, err)
		require.True(t, rep.Complete)
		break
	}
	var rows []int
	for row := range to.rows {
		rows = append(rows, row.row)
	}
	slices.Sort(rows)
	require.Equal(t, upTo(500), rows)
}
