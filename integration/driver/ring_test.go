package driver_test

import (
	"bytes"
	"math"
	"math/rand/v2"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/ring"
)

func TestTheRingIsTheServers(t *testing.T) {
	_, s, _ := open(t)
	var r driver.Ring
	for range 2 * *nodes { // so that each node is the first to answer
		var err error
		r, err = s.Ring(t.Context())
		require.NoError(t, err)
		require.Equal(t, *nodes, r.Hosts)
		require.Len(t, r.Tokens, 16**nodes)
	}
	require.True(t, r.Murmur3())
	require.Equal(t, cluster.Datacenter(), r.DC)
	require.NotEmpty(t, r.ReleaseVersion)
	require.NotEmpty(t, r.Cluster)
	require.NoError(t, ring.Covers(ring.Tile(r.Tokens, 100)))
}

func TestTokensAreTheServers(t *testing.T) {
	session, s, _ := open(t)
	run(t, session, "CREATE TABLE tokens (k blob PRIMARY KEY)")
	random := rand.NewChaCha8([32]byte{1})
	for length := 1; length <= 70; length++ { // every tail, and full blocks
		for range 3 {
			key := make([]byte, length)
			_, _ = random.Read(key)
			require.NoError(t, s.Exec(t.Context(), driver.Statement{
				CQL: "INSERT INTO tokens (k) VALUES (?)", Args: []any{&driver.Value{Bytes: key}},
			}))
		}
	}
	seen := 0
	require.NoError(t, s.Each(t.Context(), driver.Statement{CQL: "SELECT k, token(k) FROM tokens"}, func(_ string, cells [][]byte) error {
		seen++
		require.Equal(t, cells[1], bigint(ring.Token(cells[0])))
		return nil
	}))
	require.Equal(t, 70*3, seen)
}

func TestEveryRowIsInTheRangeOfItsTokenAndInNoOther(t *testing.T) {
	session, s, _ := open(t)
	run(t, session, "CREATE TABLE scanned (k int PRIMARY KEY)")
	const rows = 1000
	for from := 0; from < rows; from += 100 {
		for k := from; k < from+100; k++ {
			require.NoError(t, s.Exec(t.Context(), driver.Statement{CQL: "INSERT INTO scanned (k) VALUES (?)", Args: []any{k}}))
		}
	}
	r, err := s.Ring(t.Context())
	require.NoError(t, err)
	// A border on tokens of rows, where one too many or too few would show.
	tokens := append(r.Tokens, ring.Token([]byte{0, 0, 0, 1}), ring.Token([]byte{0, 0, 0, 2}), math.MaxInt64, math.MinInt64)
	seen := make(map[string]int)
	for i := range 3 {
		for _, part := range ring.Shard(ring.Tile(tokens, 30), i, 3) {
			st := driver.Statement{
				CQL:  "SELECT k FROM scanned WHERE token(k) > ? AND token(k) <= ?",
				Args: []any{part.Start, part.End},
			}
			require.NoError(t, s.Each(t.Context(), st, func(_ string, cells [][]byte) error {
				require.True(t, part.Contains(ring.Token(cells[0])))
				seen[string(bytes.Clone(cells[0]))]++
				return nil
			}))
		}
	}
	require.Len(t, seen, rows)
	for _, times := range seen {
		require.Equal(t, 1, times)
	}
}
