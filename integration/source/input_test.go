package source_test

import (
	"context"
	"strings"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/source"
)

type wrong struct {
	PK   bool `cql:"pk"`
	Gone int  `cql:"gone"`
}

type twice struct {
	PK int `cql:"pk"`
	V  int `cql:"v"`
}

type untagged struct{ A, B int }

func TestBadInputIsAClearErrorBeforeReadingStarts(t *testing.T) {
	watch := &requests{match: "SELECT \""}
	session, ks := cassandra.Keyspace(t, cluster, observed(watch))
	exec(t, session, "CREATE TABLE %s.t (pk int PRIMARY KEY, v int)", ks)

	count := func(s interface {
		Count(ctx context.Context, opts ...rxcql.Option) (int64, error)
	}) error {
		_, err := s.Count(t.Context())
		return err
	}
	for name, each := range map[string]struct {
		err  error
		kind error
		says []string
	}{
		"unknown table":    {count(source.Table[rxcql.Row](session, ks+".tt")), rxcql.ErrSchema, []string{"tt", "did you mean t?"}},
		"unknown keyspace": {count(source.Table[rxcql.Row](session, "nowhere.t")), rxcql.ErrSchema, []string{"nowhere"}},
		"type mismatch and unknown column": {count(source.Table[wrong](session, ks+".t")), rxcql.ErrSchema,
			[]string{"gone", "pk, v"}},
		"type mismatch": {count(source.Query[wrong](session, "SELECT \"pk\", v AS gone FROM "+ks+".t")), rxcql.ErrSchema,
			[]string{"pk", "int", "PK", "bool"}},
		"a struct without tags":  {count(source.Table[untagged](session, ks+".t")), rxcql.ErrConfig, []string{"untagged", "cql"}},
		"a scalar with no name":  {count(source.Table[int](session, ks+".t")), rxcql.ErrConfig, []string{"Columns("}},
		"no session":             {count(source.Table[rxcql.Row](nil, ks+".t")), rxcql.ErrConfig, []string{"gocql.Session is nil"}},
		"no name":                {count(source.Table[rxcql.Row](session, "t")), rxcql.ErrConfig, []string{"keyspace"}},
		"every option at once":   {count(source.Table[rxcql.Row](session, "t", source.Splits(0), source.Shard(3, 2), source.PageRows(-1))), rxcql.ErrConfig, []string{"keyspace", "Splits(0)", "Shard(3, 2)", "PageRows(-1)"}},
		"a statement of nothing": {count(source.Query[rxcql.Row](session, " ")), rxcql.ErrConfig, []string{"empty"}},
		"not a SELECT":           {count(source.Query[rxcql.Row](session, "INSERT INTO "+ks+".t (pk) VALUES (1)")), rxcql.ErrSchema, []string{"SELECT"}},
		"a refused statement":    {count(source.Query[rxcql.Row](session, "SELECT nope FROM "+ks+".t")), rxcql.ErrSchema, []string{"nope"}},
		"too few bound values":   {count(source.Query[rxcql.Row](session, "SELECT \"v\" FROM "+ks+".t WHERE pk = ?")), rxcql.ErrSchema, []string{"1 bind markers", "0 values"}},
		"a column twice, as rows": {count(source.Query[rxcql.Row](session, "SELECT \"pk\", v, pk AS v FROM "+ks+".t")), rxcql.ErrSchema,
			[]string{`two columns are named "v"`, "AS"}},
		"a column twice, as structs": {count(source.Query[twice](session, "SELECT \"pk\", v, pk AS v FROM "+ks+".t")), rxcql.ErrSchema,
			[]string{`column "v"`, "twice", "AS"}},
		"a virtual table": {count(source.Table[rxcql.Row](session, "system_views.settings")), rxcql.ErrSchema, []string{"virtual", "Query"}},
	} {
		t.Run(name, func(t *testing.T) {
			require.ErrorIs(t, each.err, each.kind)
			for _, text := range each.says {
				require.ErrorContains(t, each.err, text)
			}
		})
	}
	require.Zero(t, watch.pages.Load(), "rows were read")
}

func TestANameThatIsProposedIsFound(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE %s.%q (pk int PRIMARY KEY)", ks, "MyTable")
	count := func(name string) error {
		_, err := source.Table[rxcql.Row](session, name).Count(t.Context())
		return err
	}
	name := ks + ".MyTable"
	for range 2 { // the second time with what the first proposed
		err := count(name)
		if err == nil {
			return
		}
		_, proposed, found := strings.Cut(err.Error(), "did you mean ")
		require.True(t, found, err)
		name = ks + "." + strings.TrimSuffix(proposed, "?")
	}
	require.NoError(t, count(name), name)
}

func TestAClosedSessionIsAClearError(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE %s.t (pk int PRIMARY KEY, v int)", ks)
	other, err := cluster.Config().CreateSession()
	require.NoError(t, err)
	stream := source.Table[rxcql.Row](other, ks+".t")
	other.Close()
	_, err = stream.Count(t.Context())
	require.ErrorContains(t, err, "closed")
}

func TestABoundValueOfAnotherTypeIsFoundBeforeReadingStarts(t *testing.T) {
	watch := &requests{match: "SELECT"}
	session, ks := cassandra.Keyspace(t, cluster, observed(watch))
	exec(t, session, "CREATE TABLE %s.t (pk int, ck text, PRIMARY KEY (pk, ck))", ks)
	query := func(where string, args ...any) rxcql.Stream[rxcql.Row] {
		return source.Query[rxcql.Row](session, "SELECT * FROM "+ks+".t WHERE "+where, source.Bind(args...))
	}
	const canary = "canary-5d41"
	for name, each := range map[string]struct {
		stream rxcql.Stream[rxcql.Row]
		says   []string
	}{
		"text for an int":   {query("pk = ?", canary), []string{"bound value 1: this string cannot be encoded as int"}},
		"every one at once": {query("pk = ? AND ck = ? LIMIT ?", true, 5, canary), []string{"bound value 1: this bool", "bound value 2: this int ", "bound value 3: this string"}},
		"too large":         {query("pk = ?", int64(1)<<40), []string{"this int64 cannot be encoded as int"}},
		"one for many":      {query("pk IN ?", 7), []string{"this int cannot be encoded as list(int)"}},
		"a tuple":           {query("pk = ? AND (ck) > ?", 7, []any{canary}), []string{"a tuple, which the driver cannot bind"}},
	} {
		_, err := each.stream.Count(t.Context())
		for _, err := range []error{err, each.stream.Check(t.Context())} {
			require.ErrorIs(t, err, rxcql.ErrSchema, name)
			for _, text := range each.says {
				require.ErrorContains(t, err, text, name)
			}
			require.NotContains(t, err.Error(), canary)
		}
	}
	require.Zero(t, watch.pages.Load(), "rows were read")

	for _, stream := range []rxcql.Stream[rxcql.Row]{
		query("pk = ? AND ck = ? LIMIT ?", 1, "a", 10), query("pk IN ? AND ck > ?", []int64{1, 2}, []byte("a")),
		query("token(pk) > ? AND token(pk) <= ?", int64(-1)<<63, int64(1)<<62), query("pk = ?", new(int)),
	} {
		require.NoError(t, stream.Check(t.Context()))
		_, err := stream.Count(t.Context())
		require.NoError(t, err)
	}
	require.NoError(t, query("pk = ?", nil).Check(t.Context()), "what a null means is the server's to say")
}

func TestABoundValueNeverReachesAnError(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE %s.t (pk text PRIMARY KEY, v int)", ks)
	const canary = "canary-5d41"
	_, err := source.Query[rxcql.Row](session, "SELECT * FROM "+ks+".t WHERE pk = ? AND v = ?",
		source.Bind(canary, canary)).Count(t.Context())
	require.Error(t, err)
	require.NotContains(t, err.Error(), canary)
}

func TestAnotherConsistencyIsUsed(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TABLE %s.t (pk int PRIMARY KEY, v int)", ks)
	_, err := source.Table[rxcql.Row](session, ks+".t", source.Consistency(gocql.Three)).Count(t.Context(), rxcql.WithRetry(0, 0))
	var stage *rxcql.StageError
	require.ErrorAs(t, err, &stage)
	var row *rxcql.RowError
	require.ErrorAs(t, err, &row)
	require.Contains(t, row.Range, "]")
	var unavailable *gocql.RequestErrUnavailable
	require.ErrorAs(t, err, &unavailable)
}
