package splits_test

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// countable are clustering types, with the ith of many values in ascending order.
var countable = map[string]func(i int) any{
	"int":       func(i int) any { return i - 700 },
	"bigint":    func(i int) any { return int64(i) << 30 },
	"smallint":  func(i int) any { return int16(i - 700) },
	"text":      func(i int) any { return fmt.Sprintf("käse %05d", i) },
	"ascii":     func(i int) any { return fmt.Sprintf("%05d", i) },
	"blob":      func(i int) any { return []byte{0xff, byte(i >> 8), byte(i)} },
	"timestamp": func(i int) any { return time.UnixMilli(1_700_000_000_000 + int64(i)*60_000) },
	"date":      func(i int) any { return time.Unix(0, 0).UTC().AddDate(0, 0, i) },
	"time":      func(i int) any { return time.Duration(i) * time.Second },
	"double":    func(i int) any { return float64(i)/7 - 50 },
	"float":     func(i int) any { return float32(i) - 700 },
	"varint":    func(i int) any { return new(big.Int).Lsh(big.NewInt(int64(i-700)), 70) },
	"timeuuid":  func(i int) any { return gocql.UUIDFromTime(time.Unix(1_700_000_000+int64(i), 0)) },
	"uuid": func(i int) any {
		return gocql.UUID{0x10, 2: byte(i >> 8), 3: byte(i), 6: 0x40, 8: 0x80}
	},
}

// Three rows, then too many tombstones, three rows, as many again, and three rows. The same table
// is read without the option first, which fails, and then with it.
func TestTransferRowsOfEachTypeAmongTooManyTombstones(t *testing.T) {
	session, keyspace := cassandra.Keyspace(t, cluster)
	const graves = allowed + 100
	const all = 2*graves + 9
	isRow := func(i int) bool { return i%(graves+3) < 3 }
	for typ, value := range countable {
		orders := []string{"ASC"}
		if slices.Contains([]string{"int", "text", "timeuuid"}, typ) {
			orders = append(orders, "DESC")
		}
		for _, order := range orders {
			t.Run(typ+" "+order, func(t *testing.T) {
				name := strings.ToLower(typ + order)
				exec(t, session, "CREATE TABLE %s (k int, c %s, v int, PRIMARY KEY (k, c)) WITH CLUSTERING ORDER BY (c %s)", name, typ, order)
				each(t, session, "DELETE FROM "+name+" WHERE k = 1 AND c = ?", all, func(i int) []any { return []any{value(i)} })
				want := []int{}
				for i := range all {
					if isRow(i) {
						require.NoError(t, session.Query("INSERT INTO "+name+" (k, c, v) VALUES (1, ?, ?)", value(i), i).Exec())
						want = append(want, i)
					}
				}
				in := func(opts ...source.TableOption) rxcql.Stream[int] {
					return source.Table[int](session, keyspace+"."+name, append(opts, source.Columns("v"), source.Splits(4))...)
				}
				_, err := in().Collect(t.Context())
				require.Equal(t, driver.TooManyTombstones, driver.Classify(err))
				got, err := in(source.AdaptiveSplits()).Collect(t.Context())
				require.NoError(t, err)
				if order == "ASC" {
					require.Equal(t, want, got)
				} else {
					require.ElementsMatch(t, want, got)
					require.IsDecreasing(t, got)
				}
			})
		}
	}
}

// Tombstones in one value of the first clustering column, in a partition among many.
func TestTransferTombstonesAreFoundInTheLastColumnOfTheKey(t *testing.T) {
	session, keyspace := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE deep (k int, a text, b int, c bigint, s int STATIC, v int, PRIMARY KEY (k, a, b, c)) WITH CLUSTERING ORDER BY (a ASC, b DESC, c ASC)")
	table := keyspace + ".deep"
	each(t, session, "DELETE FROM deep WHERE k = 7 AND a = 'here' AND b = 3 AND c = ?", 4*allowed, func(i int) []any { return []any{int64(i)} })
	want := map[int]bool{}
	insert := func(k int, a string, b int, c int64) {
		v := len(want)
		require.NoError(t, session.Query("INSERT INTO deep (k, a, b, c, s, v) VALUES (?, ?, ?, ?, ?, ?)", k, a, b, c, k, v).Exec())
		want[v] = true
	}
	for k := range 30 {
		for _, a := range []string{"a", "her", "here", "hereabouts", "z"} {
			insert(k, a, 3, -1)
			insert(k, a, 3, 2*allowed+7)
			insert(k, a, 2, 5)
			insert(k, a, 4, 5)
		}
	}
	in := func() rxcql.Stream[int] {
		return source.Table[int](session, table, source.Columns("v"), source.Splits(2), source.PageRows(20), source.AdaptiveSplits())
	}
	counts := map[int]int{}
	report, err := in().ForEach(t.Context(), func(v int) error { counts[v]++; return nil })
	require.NoError(t, err)
	require.True(t, report.Complete)
	require.Len(t, counts, len(want))
	for v, n := range counts {
		require.Equal(t, 1, n, "row %d", v)
	}
	require.Less(t, report.Retried, int64(400), "requests that failed")

	store, given, errCut := &jobtest.Store{}, map[int]bool{}, errors.New("broken off")
	for run := 0; ; run++ { // broken off again and again
		require.Less(t, run, 100)
		left := 50
		report, err := rxcql.Run(t.Context(), in(), sink.Each(func(_ context.Context, v int) error {
			if left--; left < 0 {
				return errCut
			}
			given[v] = true
			return nil
		}, sink.Idempotent(), sink.InFlight(1)), rxcql.WithWorkers(1), rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(10*time.Millisecond)))
		if err == nil {
			require.EqualValues(t, len(want), report.ReadRows+report.ResumedRows)
			break
		}
		require.ErrorIs(t, err, errCut)
	}
	require.Len(t, given, len(want))
}

// What no statement can ask for is named, and all else is read.
func TestTransferStaticColumnsAmongTooManyTombstonesAreNamedAsUnread(t *testing.T) {
	session, keyspace := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE bare (k int, c int, s int STATIC, v int, PRIMARY KEY (k, c))")
	for k := range 20 {
		exec(t, session, "UPDATE bare SET s = 1 WHERE k = %d", k)
	}
	each(t, session, "DELETE FROM bare WHERE k = 3 AND c = ?", allowed+100, func(i int) []any { return []any{i} })
	in := source.Table[rxcql.Row](session, keyspace+".bare", source.AdaptiveSplits())
	report, err := in.ForEach(t.Context(), func(rxcql.Row) error { return nil })
	require.ErrorIs(t, err, rxcql.ErrUnread)
	require.False(t, report.Complete)
	require.EqualValues(t, 19, report.ReadRows)
	require.Len(t, report.Unread, 1)
	require.Equal(t, "too many tombstones", report.Unread[0].Reason)
	require.Equal(t, "static columns of a partition without rows", report.Unread[0].Within)
}
