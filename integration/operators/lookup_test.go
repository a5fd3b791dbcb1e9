package operators_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestALookupJoinsEachRow(t *testing.T) {
	session := shop(t, cassandra.Configure(func(c *gocql.ClusterConfig) { c.NumConns, c.Timeout = 2, time.Minute }))
	for _, inFlight := range []int{1, 256, 4096} {
		rows := 6000
		if inFlight == 1 {
			rows = 200
		}
		opts := []operators.LookupOption{operators.LookupInFlight(inFlight)}
		got, err := names(numbers(rows), session, opts...).Collect(t.Context())
		require.NoError(t, err)
		require.Equal(t, wantAll(rows), got)
		got, err = names(numbers(rows), session, append(opts, operators.Unordered(), operators.LookupCache(1<<20, time.Hour))...).Collect(t.Context())
		require.NoError(t, err)
		require.ElementsMatch(t, wantAll(rows), got)
	}
}

func TestALookupTakesKeysOfAllKindsAndStatementsThatCannotBePaged(t *testing.T) {
	session, _ := cassandra.Keyspace(t, cluster)
	run(t, session, "CREATE TABLE odd (u uuid, d decimal, at timestamp, l frozen<list<int>>, n int, v text, PRIMARY KEY ((u, d), at, l, n))")
	id, at := gocql.TimeUUID(), time.UnixMilli(1_790_000_000_000).UTC()
	for n := range 5 {
		require.NoError(t, session.Query("INSERT INTO odd (u, d, at, l, n, v) VALUES (?, 1.50, ?, ?, ?, ?)", id, at, []int{1, 2}, n, fmt.Sprint("v", n)).Exec())
	}
	one := operators.Lookup(numbers(6), session, "SELECT v FROM odd WHERE u = ? AND d = ? AND at = ? AND l = ? AND n = ?",
		func(n int) ([]any, error) { return []any{id, "1.50", at, []int{1, 2}, n}, nil },
		func(_ int, found operators.Found[string]) (string, error) { return found.Row, nil })
	_, err := one.Collect(t.Context())
	require.ErrorContains(t, err, "bound value 2: this string cannot be encoded as decimal")

	in := operators.Lookup(numbers(2), session, "SELECT n FROM odd WHERE u = ? AND d IN (1.50, 2) AND at = ? ORDER BY at DESC, l DESC, n DESC",
		func(int) ([]any, error) { return []any{id, at}, nil },
		func(_ int, found operators.Found[int]) ([]int, error) { return found.Rows, nil }, operators.LookupAll(1<<20))
	got, err := in.Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, [][]int{{4, 3, 2, 1, 0}, {4, 3, 2, 1, 0}}, got)

	virtual := operators.Lookup(numbers(1), session, "SELECT keyspace_name FROM system_virtual_schema.tables WHERE keyspace_name = ? LIMIT 3",
		func(int) ([]any, error) { return []any{"system_views"}, nil },
		func(_ int, found operators.Found[string]) ([]string, error) { return found.Rows, nil }, operators.LookupAll(1<<20))
	views, err := virtual.Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, [][]string{{"system_views", "system_views", "system_views"}}, views)
}

func TestAllRowsOfAPartitionAreFoundPageByPage(t *testing.T) {
	session, _ := cassandra.Keyspace(t, cluster)
	run(t, session, "CREATE TABLE visits (id int, n int, note text, PRIMARY KEY (id, n))")
	for n := range 777 {
		require.NoError(t, session.Query("INSERT INTO visits (id, n, note) VALUES (7, ?, 'a visit')", n).Exec())
	}
	for cql, want := range map[string]int{
		"SELECT n FROM visits WHERE id = ?": 777, "SELECT n FROM visits WHERE id = ? LIMIT 150": 150, "SELECT n FROM visits WHERE id = ? LIMIT 100": 100,
		"SELECT n FROM visits WHERE id = ? LIMIT 2": 2,
	} {
		s := operators.Lookup(numbers(8), session, cql, func(n int) ([]any, error) { return []any{n}, nil },
			func(_ int, found operators.Found[int]) (int, error) {
				for i, n := range found.Rows {
					if i != n {
						return 0, errors.New("another order")
					}
				}
				return len(found.Rows), nil
			}, operators.LookupAll(1<<20))
		got, err := s.Collect(t.Context())
		require.NoError(t, err)
		require.Equal(t, []int{0, 0, 0, 0, 0, 0, 0, want}, got, cql)
	}
	small := operators.Lookup(numbers(8), session, "SELECT n, note FROM visits WHERE id = ?", func(n int) ([]any, error) { return []any{n}, nil },
		func(n int, _ operators.Found[rxcql.Row]) (int, error) { return n, nil }, operators.LookupAll(2000))
	_, err := small.Collect(t.Context())
	require.ErrorContains(t, err, "more than the 2000 bytes of LookupAll")
	several := operators.Lookup(numbers(8), session, "SELECT n FROM visits WHERE id = ?", func(n int) ([]any, error) { return []any{n}, nil },
		func(n int, _ operators.Found[int]) (int, error) { return n, nil })
	_, err = several.Collect(t.Context())
	require.ErrorContains(t, err, "more than one row")
}

func TestValuesThatTheServerRefusesAreErrorsOfTheirRows(t *testing.T) {
	session, _ := cassandra.Keyspace(t, cluster)
	run(t, session, "CREATE TABLE texts (id text PRIMARY KEY, v int)", "INSERT INTO texts (id, v) VALUES ('1', 10)")
	s := operators.Lookup(numbers(5), session, "SELECT v FROM texts WHERE id = ?", func(n int) ([]any, error) {
		switch n {
		case 2:
			return []any{""}, nil // no key may be empty
		case 3:
			return []any{nil}, nil
		}
		return []any{fmt.Sprint(n)}, nil
	}, func(n int, found operators.Found[int]) (int, error) { return found.Row, nil })
	letters := &jobtest.Letters{}
	var got []int
	rep, err := s.ForEach(t.Context(), func(n int) error { got = append(got, n); return nil }, rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
	require.NoError(t, err)
	require.Equal(t, []int{0, 10, 0}, got)
	require.EqualValues(t, 2, rep.DeadLettered)
	require.Len(t, letters.All, 2)
	require.ElementsMatch(t, []string{"2", "3"}, []string{string(letters.All[0].Row), string(letters.All[1].Row)}, "look-ups in flight end in any order")
}

func TestASchemaThatChangesUnderLookupsEndsTheRun(t *testing.T) {
	for name, change := range map[string][]string{
		"dropped":        {"DROP TABLE customers"},
		"made again":     {"DROP TABLE customers", "CREATE TABLE customers (id int PRIMARY KEY, name text)"},
		"other key":      {"DROP TABLE customers", "CREATE TABLE customers (id bigint PRIMARY KEY, name text)"},
		"without column": {"ALTER TABLE customers DROP name"},
	} {
		session := shop(t)
		var after atomic.Int64
		in := operators.Tap(numbers(100_000), func(n int) error {
			if n == 3000 {
				run(t, session, change...)
			}
			return nil
		})
		_, err := names(in, session).ForEach(t.Context(), func(string) error { after.Add(1); return nil }, rxcql.WithRowErrors(rxcql.SkipRows(1<<40)))
		require.ErrorIs(t, err, rxcql.ErrSchema, name)
		var stage *rxcql.StageError
		require.ErrorAs(t, err, &stage)
		require.Equal(t, "Lookup", stage.Stage)
	}
	session := shop(t)
	in := operators.Tap(numbers(3000), func(n int) error {
		if n == 1000 {
			run(t, session, "ALTER TABLE customers ADD age int")
		}
		return nil
	})
	got, err := names(in, session).Collect(t.Context())
	require.NoError(t, err, "a further column changes nothing")
	require.Equal(t, wantAll(3000), got)
}

func TestAJobWithALookupGoesOnWhereItWasBrokenOff(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, session, ks)
	run(t, session, "CREATE TABLE joined (id int PRIMARY KEY, name text)")
	type joined struct {
		ID   int    `cql:"id"`
		Name string `cql:"name"`
	}
	broken := fmt.Errorf("broken on purpose: %w", gocql.ErrTimeoutNoResponse) // which is no row's own
	const rows = 4000
	store, letters := &jobtest.Store{}, &jobtest.Letters{}
	run := func(ctx context.Context, after int) (rxcql.Report, error) {
		in := operators.Tap(numbers(rows), func(n int) error {
			if after > 0 && n == after {
				return broken
			}
			return nil
		})
		s := operators.Lookup(in, session, "SELECT id, name FROM customers WHERE id = ?", byID,
			func(n int, found operators.Found[customer]) (joined, error) {
				if n%customers == 5 {
					return joined{}, errors.New("not this one")
				}
				name, err := named(n, found)
				return joined{n, name}, err
			}, operators.LookupInFlight(64), operators.LookupCache(1<<20, time.Hour))
		p, err := rxcql.New(s, sink.Table[joined](session, ks+".joined"), rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(10*time.Millisecond)),
			rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
		require.NoError(t, err)
		return p.Run(ctx)
	}
	_, err := run(t.Context(), 1500)
	require.ErrorIs(t, err, broken)
	_, err = run(t.Context(), 3000)
	require.ErrorIs(t, err, broken)
	rep, err := run(t.Context(), 0)
	require.NoError(t, err)
	require.True(t, rep.Complete)
	require.True(t, rep.Resumed)
	require.EqualValues(t, rows, rep.ResumedRows+rep.ReadRows)
	got, err := source.Table[joined](session, ks+".joined").Collect(t.Context())
	require.NoError(t, err)
	require.Len(t, got, rows-rows/customers)
	for _, row := range got {
		require.Equal(t, wantNamed(row.ID), row.Name)
	}
	bad := map[string]bool{}
	for _, l := range letters.All {
		bad[string(l.Row)] = true
	}
	require.Equal(t, map[string]bool{"5": true, "1005": true, "2005": true, "3005": true}, bad)
}

// Cassandra reads the rows that it counts in pages of the size that is asked for: in pages of two
// this is no matter of seconds.
func TestAnAggregateOverALargePartitionIsOneLookup(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	run(t, session, "CREATE TABLE visits (id int, n int, PRIMARY KEY (id, n))")
	type visit struct {
		ID int `cql:"id"`
		N  int `cql:"n"`
	}
	const rows = 200_000
	visits := operators.Map(numbers(rows), func(n int) (visit, error) { return visit{7, n}, nil })
	_, err := rxcql.Run(t.Context(), visits, sink.Table[visit](session, ks+".visits"))
	require.NoError(t, err)
	type counted struct {
		Rows int64 `cql:"rows"`
		Last *int  `cql:"last"`
	}
	s := operators.Lookup(numbers(8), session, "SELECT count(*) AS rows, max(n) AS last FROM visits WHERE id = ?",
		func(n int) ([]any, error) { return []any{n}, nil },
		func(n int, found operators.Found[counted]) (int64, error) {
			if found.Row.Last != nil && *found.Row.Last != rows-1 {
				return 0, errors.New("another row is the last")
			}
			return found.Row.Rows, nil
		})
	got, err := s.Collect(t.Context(), rxcql.WithRetry(0, 0))
	require.NoError(t, err)
	require.Equal(t, []int64{0, 0, 0, 0, 0, 0, 0, rows}, got)
}

func TestAConsistencyThatTheServerRefusesEndsTheRunUnderEveryPolicy(t *testing.T) {
	session := shop(t)
	rep, err := names(numbers(50), session, operators.LookupConsistency(gocql.Any)).ForEach(t.Context(), func(string) error { return nil },
		rxcql.WithRowErrors(rxcql.SkipRows(1<<40)))
	require.ErrorContains(t, err, "ANY ConsistencyLevel is only supported for writes")
	require.Zero(t, rep.Skipped)
}
