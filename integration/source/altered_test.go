package source_test

import (
	"context"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// other is another session in the same keyspace.
func other(t *testing.T, keyspace string) *gocql.Session {
	t.Helper()
	config := cluster.Config()
	config.Keyspace = keyspace
	session, err := config.CreateSession()
	require.NoError(t, err)
	t.Cleanup(session.Close)
	return session
}

func TestAStatementIsDescribedAsTheSchemaIsNow(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	living, err := driver.Wrap(session)
	require.NoError(t, err)
	changing := other(t, ks)
	statements := []string{
		"SELECT * FROM t", "SELECT JSON v FROM t WHERE k = ?", "select k,\nw FROM t", "SELECT DISTINCT k FROM t",
		"INSERT INTO t (k, v) VALUES (?, ?)", " INSERT\tINTO t JSON ?;", "UPDATE t SET v = ? WHERE k = ? IF EXISTS", "DELETE v FROM t WHERE k = ?",
		"BEGIN BATCH INSERT INTO t (k, v) VALUES (?, ?); UPDATE t SET w = ? WHERE k = ?; APPLY BATCH",
		"BEGIN UNLOGGED BATCH USING TIMESTAMP ? DELETE FROM t WHERE k = ?; APPLY BATCH;", "SELECT v.b, v.renamed FROM t", "SELECT FORM t", "UPDATE t SET",
	}
	for _, change := range []string{
		"CREATE TYPE u (a int, b text)", "CREATE TABLE t (k int PRIMARY KEY, v frozen<u>)", "ALTER TABLE t ADD w text", "ALTER TYPE u ADD c int",
		"ALTER TYPE u RENAME b TO renamed", "ALTER TABLE t DROP w", "ALTER TABLE t ADD w text", "ALTER TABLE t RENAME k TO other", "ALTER TABLE t RENAME other TO k",
		"DROP TABLE t", "CREATE TABLE t (k text PRIMARY KEY, v int, w tuple<int, text>)", "DROP TABLE t", "CREATE TABLE t (k int, v int, w list<int>, PRIMARY KEY ((k, v)))",
	} {
		exec(t, changing, "%s", change)
		fresh, err := driver.Wrap(other(t, ks))
		require.NoError(t, err)
		for _, cql := range statements {
			want, refused := fresh.Describe(t.Context(), cql)
			for range 2 { // the second is from what the driver keeps
				got, err := living.Describe(t.Context(), cql)
				if refused != nil {
					require.EqualError(t, err, refused.Error(), "%s after %s", cql, change)
					require.NotContains(t, err.Error(), "/*")
					continue
				}
				require.NoError(t, err, "%s after %s", cql, change)
				require.Equal(t, want, got, "%s after %s", cql, change)
			}
		}
	}
	_, err = living.Describe(t.Context(), "SELECT FORM t")
	require.ErrorContains(t, err, "line 1:12", "letters are counted in the text as it was given")
}

type address struct {
	Street string `cql:"street"`
	Zip    int    `cql:"zip"`
}

func TestAQueryIsCheckedAndReadByTheSchemaAsItIsInALivingSession(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	exec(t, session, "CREATE TYPE %s.address (street text)", ks)
	exec(t, session, "CREATE TABLE %s.t (k int PRIMARY KEY, home frozen<address>)", ks)
	exec(t, session, "INSERT INTO %s.t (k, home) VALUES (1, {street: 'x'})", ks)

	type person struct {
		K    int     `cql:"k"`
		Name string  `cql:"name"`
		Home address `cql:"home"`
	}
	people := source.Query[person](session, "SELECT * FROM "+ks+".t WHERE k = ?", source.Bind(1))
	require.ErrorIs(t, people.Check(t.Context()), rxcql.ErrSchema)
	exec(t, session, "ALTER TABLE %s.t ADD name text", ks)
	require.ErrorIs(t, people.Check(t.Context()), rxcql.ErrSchema, "zip is missing")
	exec(t, session, "ALTER TYPE %s.address ADD postcode int", ks)
	exec(t, session, "ALTER TYPE %s.address RENAME postcode TO zip", ks)
	exec(t, session, "INSERT INTO %s.t (k, name, home) VALUES (1, 'n', {street: 'y', zip: 7})", ks)
	rows, err := people.Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, []person{{1, "n", address{"y", 7}}}, rows)
	exec(t, session, "ALTER TABLE %s.t DROP name", ks)
	_, err = people.Collect(t.Context())
	require.ErrorIs(t, err, rxcql.ErrSchema)

	home := func(bound any) rxcql.Stream[int] {
		return source.Query[int](session, "SELECT k FROM "+ks+".t WHERE home = ? ALLOW FILTERING", source.Bind(bound))
	}
	exec(t, session, "ALTER TYPE %s.address RENAME street TO road", ks)
	n, err := home(map[string]any{"road": "y", "zip": 7}).Count(t.Context())
	require.NoError(t, err)
	require.EqualValues(t, 1, n)

	byKey := func(bound any) rxcql.Stream[string] {
		return source.Query[string](session, "SELECT v FROM "+ks+".made WHERE k = ?", source.Bind(bound))
	}
	exec(t, session, "CREATE TABLE %s.made (k int PRIMARY KEY, v text)", ks)
	exec(t, session, "INSERT INTO %s.made (k, v) VALUES (12, 'number')", ks)
	got, err := byKey(12).Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"number"}, got)
	exec(t, session, "DROP TABLE %s.made", ks)
	exec(t, session, "CREATE TABLE %s.made (k text PRIMARY KEY, v text)", ks)
	exec(t, session, "INSERT INTO %s.made (k, v) VALUES ('twelve', 'text')", ks)
	got, err = byKey("twelve").Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, []string{"text"}, got)
	_, err = byKey(12).Collect(t.Context())
	require.ErrorIs(t, err, rxcql.ErrSchema)
}

func TestATableMadeAnewWhileAQueryReadsItIsAnError(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, session, ks+".t", 400)
	again := func() {
		exec(t, session, "DROP TABLE %s.t", ks)
		fill(t, session, ks+".t", 400)
	}
	pages := func(ks string) rxcql.Stream[cell] {
		return source.Query[cell](session, "SELECT pk, ck, v FROM "+ks+".t WHERE pk = 0", source.PageRows(50))
	}
	for _, at := range []int{1, 150, 400} {
		for name, in := range map[string]rxcql.Stream[cell]{"read ahead": pages(ks), "page after page": operators.Take(pages(ks), 401)} {
			n := 0
			rep, err := in.ForEach(t.Context(), func(cell) error {
				if n++; n == at {
					again()
				}
				return nil
			})
			require.ErrorIs(t, err, rxcql.ErrSchema, "%s, at row %d", name, at)
			require.ErrorContains(t, err, "table \""+ks+"\".\"t\" was dropped") // a page may be asked for before it is made again
			require.False(t, rep.Complete)
		}
	}
	_, err := operators.Tap(pages(ks), func(c cell) error {
		if c.CK == 399 {
			exec(t, session, "DROP TABLE %s.t", ks)
		}
		return nil
	}).Count(t.Context())
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.ErrorContains(t, err, "was dropped while it was read")
}

// opening is a sink that does something when it is opened.
type opening struct {
	rxcql.Sink[cell]
	open func()
}

func (o opening) Open(ctx context.Context, r *rxcql.Execution) (rxcql.Writer[cell], error) {
	o.open()
	return o.Sink.Open(ctx, r)
}

func TestATableMadeAnewBeforeTheOnePageThatAJobHasLeftIsAnError(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, session, ks+".t", 390)
	pages := source.Query[cell](session, "SELECT pk, ck, v FROM "+ks+".t WHERE pk = 0", source.PageRows(100))
	store := &jobtest.Store{}
	run := func(each func(cell) error, open func()) (rxcql.Report, error) {
		to := sink.Each(func(_ context.Context, c cell) error { return each(c) }, sink.Idempotent(), sink.InFlight(1))
		p, err := rxcql.New(pages, opening{to, open}, rxcql.WithCheckpoint(store, "job"))
		require.NoError(t, err)
		return p.Run(t.Context())
	}
	_, err := run(func(c cell) error {
		if c.CK == 350 {
			return errBroken
		}
		return nil
	}, func() {})
	require.ErrorIs(t, err, errBroken)

	rep, err := run(func(cell) error { return nil }, func() {
		exec(t, session, "DROP TABLE %s.t", ks)
		fill(t, session, ks+".t", 390)
	})
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.EqualValues(t, 300, rep.ResumedRows)
	require.False(t, rep.Complete)
}

func TestAQueryGoesOnWhileTheSchemaChangesElsewhere(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	fill(t, session, ks+".t", 400)
	read := func(columns, change string, at int) (rxcql.Report, error) {
		var n int
		return source.Query[rxcql.Row](session, "SELECT "+columns+" FROM "+ks+".t WHERE pk = ?", source.PageRows(50), source.Bind(0)).ForEach(t.Context(),
			func(rxcql.Row) error {
				if n++; n == at {
					exec(t, session, change, ks)
				}
				return nil
			})
	}
	for _, at := range []int{1, 400} {
		for _, c := range [][2]string{
			{"*", "ALTER TABLE %s.t ADD w text"}, {"*", "ALTER TABLE %s.t ADD x text"}, {"*", "CREATE TABLE %s.other (k int PRIMARY KEY)"},
			{"*", "DROP TABLE %s.other"}, {"*", "CREATE TYPE %s.u (a int)"}, {"*", "DROP TYPE %s.u"}, {"pk, ck, v", "ALTER TABLE %s.t DROP w"},
			{"*", "CREATE INDEX i ON %s.t (v)"}, {"*", "DROP INDEX %s.i"}, {"*", "ALTER TABLE %s.t WITH comment = 'x'"},
		} {
			rep, err := read(c[0], c[1], at)
			require.NoError(t, err, c)
			require.EqualValues(t, 400, rep.ReadRows, c)
			require.True(t, rep.Complete)
		}
		rep, err := read("*", "ALTER TABLE %s.t DROP x", at)
		require.ErrorIs(t, err, rxcql.ErrSchema, "it is read")
		require.ErrorContains(t, err, `column "x"`)
		require.False(t, rep.Complete)
	}
}
