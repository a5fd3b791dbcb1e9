package transfer_test

import (
	"encoding/json"
	"math"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/source"
	"github.com/rxcql/rxcql/transfer"
)

type pair = rxcql.Pair[rxcql.Row, rxcql.Row]

var staticColumns = rxcql.NewColumns([]rxcql.Column{
	{Name: "p", Type: intType}, {Name: "c", Type: textType}, {Name: "s", Type: textType}, {Name: "v", Type: textType},
})

// text is a value of a text column; "" is null.
func text(s string) []byte {
	if s == "" {
		return nil
	}
	return []byte(s)
}

func row(p int32, c, s, v string) rxcql.Row {
	return rxcql.NewRow(staticColumns, [][]byte{num(p), text(c), text(s), text(v)})
}

func left(r rxcql.Row) pair        { return pair{Left: r, HasLeft: true} }
func right(r rxcql.Row) pair       { return pair{Right: r, HasRight: true} }
func both(l, r rxcql.Row) pair     { return pair{Left: l, Right: r, HasLeft: true, HasRight: true} }
func key(cells ...[]byte) [][]byte { return cells }

// scanned runs the first phase over pairs, and returns the lines without their hashes, and the sum
// of rows.
func scanned(t *testing.T, pairs ...pair) (lines []transfer.Scanned, leftRows, rightRows int64) {
	t.Helper()
	return scannedFrom(t, source.Of(pairs...))
}

func scannedFrom(t *testing.T, pairs rxcql.Stream[pair]) (lines []transfer.Scanned, leftRows, rightRows int64) {
	t.Helper()
	c := comparison(t, table(textType, true), table(textType, true), false)
	all, err := c.Scan(pairs, 100).Collect(t.Context())
	require.NoError(t, err)
	for _, l := range all {
		if l.Sums != nil {
			leftRows, rightRows = leftRows+l.Sums.LeftRows, rightRows+l.Sums.RightRows
			continue
		}
		l.Left, l.Right, l.Repeated = "", "", false
		lines = append(lines, l)
	}
	return lines, leftRows, rightRows
}

func TestStaticColumnsAreComparedOnceAPartition(t *testing.T) {
	lines, l, r := scanned(t,
		both(row(1, "a", "x", "1"), row(1, "a", "y", "1")),
		both(row(1, "b", "x", "1"), row(1, "b", "y", "2")),
		both(row(2, "a", "x", "1"), row(2, "a", "x", "1")),
	)
	require.Equal(t, []transfer.Scanned{{Key: key(num(1)), Static: true}, {Key: key(num(1), []byte("b"))}}, lines)
	require.EqualValues(t, 3, l)
	require.EqualValues(t, 3, r)
}

func TestStaticColumnsAreUnsureWhereOnlyOneSideHasARow(t *testing.T) {
	// The target has the partition's static columns in another row.
	lines, l, r := scanned(t,
		left(row(1, "", "x", "")), // a partition of static columns alone
		right(row(1, "a", "x", "1")),
		left(row(2, "a", "", "1")), // says nothing of the static columns
		both(row(2, "b", "", "1"), row(2, "b", "z", "1")),
		left(row(3, "a", "x", "1")), // the target may have nothing of this partition
		right(row(4, "a", "x", "1")),
	)
	require.Equal(t, []transfer.Scanned{
		{Key: key(num(1)), Static: true, Unsure: true}, {Key: key(num(1), []byte("a"))},
		{Key: key(num(2), []byte("a"))}, {Key: key(num(2)), Static: true},
		{Key: key(num(3)), Static: true, Unsure: true}, {Key: key(num(3), []byte("a"))},
		{Key: key(num(4)), Static: true, Unsure: true}, {Key: key(num(4), []byte("a"))},
	}, lines)
	require.EqualValues(t, 3, l, "a partition of static columns alone is no row")
	require.EqualValues(t, 3, r)
}

func TestAScanEndsWhenTablesAreTooDifferent(t *testing.T) {
	c := comparison(t, table(textType, true), table(textType, true), false)
	_, err := c.Scan(source.Of(left(row(1, "a", "", "1")), left(row(1, "b", "", "1")), left(row(1, "c", "", "1"))), 2).Collect(t.Context())
	require.ErrorIs(t, err, transfer.ErrTooDifferent)
}

func TestEachTokenIsInItsRangeOfSums(t *testing.T) {
	end := int64(math.MinInt64)
	for i := range transfer.SumRanges {
		r := transfer.SumTokens(i)
		require.Equal(t, end, r[0], "ranges follow each other")
		end = r[1]
	}
	require.EqualValues(t, math.MaxInt64, end)
	rapid.Check(t, func(t *rapid.T) {
		token := rapid.Int64().Draw(t, "token")
		r := transfer.SumTokens(transfer.SumRange(token))
		require.True(t, r[0] < token && token <= r[1] || token == math.MinInt64)
	})
}

func TestWhatMayBeTwiceInTheFileIsReadAgainOnce(t *testing.T) {
	folder := t.TempDir()
	file, err := os.Create(filepath.Join(folder, "scanned"))
	require.NoError(t, err)
	enc := json.NewEncoder(file)
	for _, l := range []transfer.Scanned{
		{Key: key(num(1)), Static: true, Left: "a", Right: "b"},
		{Key: key(num(1), []byte("")), Left: "a"},
		{Key: key(num(2)), Static: true, Unsure: true, Left: "a"},
		{Key: key(num(1)), Static: true, Left: "a", Right: "b", Repeated: true}, // a run that went on
	} {
		require.NoError(t, enc.Encode(l))
	}
	require.NoError(t, file.Close())
	_, candidates, read, err := transfer.Sift(t.Context(), folder, "scanned")
	require.NoError(t, err)
	require.EqualValues(t, 2, candidates, "what is unsure does not count")
	require.Len(t, read, 3)
	require.True(t, transfer.SameKey(key(num(1), []byte{}), read[1].Key), "empty is not null")
}
