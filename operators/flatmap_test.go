package operators_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/operators"
)

// A row is of one text and numbers, or leads to more: their sizes are found in two ways.
func TestFlatMapCutsPagesOfRowsOfAnyKindByBytes(t *testing.T) {
	type note struct {
		ID   int32
		Text string
	}
	type tags struct {
		ID    int32
		Texts []string
	}
	text := strings.Repeat("x", 200<<10)
	t.Run("a text", func(t *testing.T) {
		cutByBytes(t, func(i int) note { return note{int32(i), text} }, func(n note) int32 { return n.ID })
	})
	t.Run("a list", func(t *testing.T) {
		cutByBytes(t, func(i int) tags { return tags{int32(i), []string{text}} }, func(n tags) int32 { return n.ID })
	})
}

// cutByBytes emits rows of 200 KiB. Six of them are more than 1 MiB.
func cutByBytes[B any](t *testing.T, row func(int) B, id func(B) int32) {
	t.Helper()
	pages, rep := pagesOut(t, operators.FlatMap(count(3, 1), func(n int, emit func(B) bool) error {
		for i := range 40 {
			require.True(t, emit(row(n*40+i)))
		}
		return nil
	}))
	require.EqualValues(t, 120, rep.Written)
	next := int32(0)
	for i, p := range pages {
		require.LessOrEqual(t, len(p.Rows), 6)
		if i < 21 && i%7 != 6 { // the last of a row has the rest, and the last of the part has none
			require.Len(t, p.Rows, 6, "page %d", i)
		}
		for _, row := range p.Rows {
			require.Equal(t, next, id(row))
			next++
		}
	}
}

// What is emitted when no more is wanted is not kept.
func TestFlatMapKeepsNothingOfAFunctionThatDoesNotListen(t *testing.T) {
	t.Run("numbers", func(t *testing.T) { notListening(t, func(i int) int { return i }) })
	t.Run("texts", func(t *testing.T) { notListening(t, func(i int) string { return strings.Repeat("x", i%10) }) })
}

func notListening[B any](t *testing.T, row func(int) B) {
	t.Helper()
	wanted := 0
	endless := operators.FlatMap(count(1, 1), func(_ int, emit func(B) bool) error {
		for i := range 100_000 {
			if emit(row(i)) {
				wanted = i
			}
		}
		return nil
	})
	require.Equal(t, []B{row(0), row(1), row(2)}, collect(t, operators.Take(endless, 3)))
	require.Less(t, wanted, 1000)
}
