package source_test

import (
	"bytes"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/source"
)

func TestAPositionInTwoTablesIsReadAsItWasSaved(t *testing.T) {
	cell := rapid.OneOf(rapid.Just([]byte(nil)), rapid.SliceOfN(rapid.Byte(), 0, 300))
	state := rapid.OneOf(rapid.Just([]byte(nil)), rapid.SliceOfN(rapid.Byte(), 1, 300))
	rapid.Check(t, func(t *rapid.T) {
		want := source.PairPlace{Left: state.Draw(t, "left"), Right: state.Draw(t, "right")}
		if want.Left == nil {
			want.LeftOver = rapid.Bool().Draw(t, "left is over")
		}
		if want.Right == nil {
			want.RightOver = rapid.Bool().Draw(t, "right is over")
		}
		columns := rapid.IntRange(1, 4).Draw(t, "columns")
		if rapid.Bool().Draw(t, "a pair") {
			want.Last = rapid.SliceOfN(cell, columns, columns).Draw(t, "key")
		}
		saved := want.Save()
		got, err := source.ParsePairPlace(bytes.Clone(saved), columns)
		require.NoError(t, err)
		require.Equal(t, want, got)
		for i := 1; i < len(saved); i++ { // some of it, up to an end that could be one
			if got, err := source.ParsePairPlace(bytes.Clone(saved[:i]), columns); err == nil {
				require.Nil(t, got.Last, "cut after %d of %d bytes", i, len(saved))
			}
		}
		_, err = source.ParsePairPlace(append(bytes.Clone(saved), 0), columns+1)
		if want.Last == nil {
			require.ErrorIs(t, err, rxcql.ErrCheckpointDamaged)
		}
	})
}

func TestAPositionInTwoTablesBeginsWithNone(t *testing.T) {
	got, err := source.ParsePairPlace(nil, 2)
	require.NoError(t, err)
	require.Equal(t, source.PairPlace{}, got)
}

func TestAPositionInTwoTablesThatCannotBeReadIsRefused(t *testing.T) {
	for name, state := range map[string][]byte{
		"of no bytes":                 {},
		"without the right table":     {1, 0},
		"of a page state that is cut": {1, 1, 5, 'x'},
		"of no such place":            {1, 7, 0},
		"of a key that is cut":        {1, 0, 0, 1, 2, 'x'},
		"of slices in the first form": {1, 3, 0, 0},
		"of a hole that is cut":       {2, 0, 0, 1, 0, 3},
		"of more than a key":          {1, 0, 0, 0, 0, 0},
	} {
		_, err := source.ParsePairPlace(state, 2)
		require.ErrorIs(t, err, rxcql.ErrCheckpointDamaged, name)
	}
	_, err := source.ParsePairPlace([]byte{3, 0, 0}, 2)
	require.ErrorIs(t, err, rxcql.ErrCheckpointNewer)
}
