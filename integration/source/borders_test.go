package source_test

import (
	"math"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/ring"
	"github.com/rxcql/rxcql/internal/ringtest"
	"github.com/rxcql/rxcql/source"
)

// atBorder is where a row's token lies: so far from a border of the ranges.
type atBorder struct {
	K      []byte `cql:"k"`
	Border int64  `cql:"border"`
	Off    int    `cql:"off"`
}

// fillBorders writes rows with the tokens at, one before and one after every
// border, two partitions a token, and returns how many rows there are.
func fillBorders(t *testing.T, session *gocql.Session, table string, tiles []ring.Range) (rows int) {
	exec(t, session, "CREATE TABLE %s (k blob PRIMARY KEY, border bigint, off int)", table)
	borders := []int64{math.MinInt64} // where no row can be, but one after it
	for _, tile := range tiles {
		borders = append(borders, tile.End)
	}
	for _, border := range borders {
		for off := -1; off <= 1; off++ {
			token := border + int64(off)
			if border == math.MinInt64 && off < 1 || border == math.MaxInt64 && off > 0 {
				continue // not on the ring
			}
			for n := range uint64(2) {
				key := ringtest.KeyOf(token, n)
				require.Equal(t, token, ring.Token(key))
				require.NoError(t, session.Query("INSERT INTO "+table+" (k, border, off) VALUES (?, ?, ?)", key, border, off).Exec())
				rows++
			}
		}
	}
	return rows
}

func TestRowsAtTheBordersOfRangesArriveExactlyOnce(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	wrapped, err := driver.Wrap(session)
	require.NoError(t, err)
	server, err := wrapped.Ring(t.Context())
	require.NoError(t, err)
	require.NotEmpty(t, server.Tokens)

	for name, cut := range map[string]struct{ splits, shares int }{
		"nodes": {1, 1}, "by_default": {64, 1}, "many": {200, 1}, "shares": {1, 3},
	} {
		t.Run(name, func(t *testing.T) {
			var tiles []ring.Range
			for i := range cut.shares {
				tiles = append(tiles, ring.Shard(ring.Tile(server.Tokens, cut.splits), i, cut.shares)...)
			}
			table := ks + "." + name
			rows := fillBorders(t, session, table, tiles)
			var token int64
			require.NoError(t, session.Query("SELECT token(k) FROM "+table+" WHERE k = ?", ringtest.KeyOf(tiles[0].End, 0)).Scan(&token))
			require.Equal(t, tiles[0].End, token, "the server agrees on the tokens")

			seen, ranges := make(map[string]int), int64(0)
			for i := range cut.shares {
				report, err := source.Table[atBorder](session, table, source.Splits(cut.splits), source.Shard(i, cut.shares)).
					ForEach(t.Context(), func(r atBorder) error {
						seen[string(r.K)]++
						require.Equal(t, 1, seen[string(r.K)], "%+d from the border at %d", r.Off, r.Border)
						return nil
					})
				require.NoError(t, err)
				ranges += report.Ranges
			}
			require.EqualValues(t, len(tiles), ranges, "the borders are those that were read by")
			requireNoneMissing(t, session, table, seen)
			require.Len(t, seen, rows)
		})
	}
}

// requireNoneMissing names the first row that was not seen.
func requireNoneMissing(t *testing.T, session *gocql.Session, table string, seen map[string]int) {
	t.Helper()
	all, err := source.Query[atBorder](session, "SELECT k, border, off FROM "+table).Collect(t.Context(), rxcql.WithWorkers(1))
	require.NoError(t, err)
	for _, r := range all {
		require.NotZero(t, seen[string(r.K)], "%+d from the border at %d did not arrive", r.Off, r.Border)
	}
}
