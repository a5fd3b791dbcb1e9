package sink_test

import (
	"context"
	"fmt"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// bare is a session that rxcql.Configure had nothing to do with.
func bare(t *testing.T, ks string, version int) *gocql.Session {
	t.Helper()
	cfg := cluster.Config()
	plain := gocql.NewCluster(cfg.Hosts...)
	plain.Port, plain.Timeout, plain.ConnectTimeout, plain.Keyspace = cfg.Port, cfg.Timeout, cfg.ConnectTimeout, ks
	plain.ProtoVersion = version
	session, err := plain.CreateSession()
	require.NoError(t, err)
	t.Cleanup(session.Close)
	return session
}

// everyWriter are all that write, in a pipeline each.
func everyWriter(t *testing.T, session *gocql.Session, ks string) map[string]*rxcql.Pipeline {
	t.Helper()
	bind := func(event) ([]any, error) { return []any{int64(1), int32(1), gocql.UnsetValue}, nil }
	each := sink.Each(func(context.Context, event) error { return nil }, sink.Idempotent())
	table := sink.Table[event](session, ks+".t")
	all := map[string]*rxcql.Pipeline{}
	add := func(name string, to rxcql.Sink[event], in rxcql.Stream[event], opts ...rxcql.Option) {
		p, err := rxcql.New(in, to, opts...)
		require.NoError(t, err)
		all[name] = p
	}
	one := rows(event{P: 1, C: 1})
	add("Table", table, one)
	add("Table that deletes nulls", sink.Table[event](session, ks+".t", sink.NullsDelete()), one)
	add("Table that deletes", sink.Table[event](session, ks+".t", sink.Delete()), one)
	add("Exec", sink.Exec(session, "INSERT INTO "+ks+".t (p, c, v) VALUES (?, ?, ?)", bind), one)
	add("Tee", sink.Tee(each, table), one)
	add("letters", each, one, rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.Table(session, ks+".letters"))))
	add("a checkpoint", each, broken(0), rxcql.WithCheckpoint(checkpoint.Table(session, ks+".jobs"), "job"))
	return all
}

func TestASessionWithoutUnsetValuesIsRefusedBeforeAnythingIsWritten(t *testing.T) {
	admin, ks := cassandra.Keyspace(t, cluster)
	create(t, admin, "CREATE TABLE t "+eventColumns, "INSERT INTO t (p, c, v) VALUES (1, 1, 'there before')")
	require.NoError(t, deadletter.CreateTable(t.Context(), admin, ks+".letters"))
	require.NoError(t, checkpoint.CreateTable(t.Context(), admin, ks+".jobs"))
	there := func() (v *string) {
		require.NoError(t, admin.Query("SELECT v FROM t WHERE p = 1 AND c = 1").Scan(&v))
		return v
	}
	old := bare(t, ks, 3)
	for name, p := range everyWriter(t, old, ks) {
		if name != "a checkpoint" { // it is locked by a run, not by a check
			require.ErrorIs(t, p.Check(t.Context()), rxcql.ErrConfig, name)
		}
		rep, err := p.Run(t.Context())
		require.ErrorIs(t, err, rxcql.ErrConfig, name)
		require.ErrorContains(t, err, "version 3 of the protocol", name)
		require.ErrorContains(t, err, "call rxcql.Configure before CreateSession, or set ProtoVersion = 4", name)
		require.Zero(t, rep.ReadRows, name)
		require.Equal(t, text("there before"), there(), name)
	}
	// Opened without a check: by a sink of the user's own that wraps it.
	p, err := rxcql.New(rows(event{P: 1, C: 1}), rxcql.Sink[event](unchecked{sink.Table[event](old, ks+".t")}))
	require.NoError(t, err)
	_, err = p.Run(t.Context())
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.Equal(t, text("there before"), there())

	n, err := source.Table[event](old, ks+".t").Count(t.Context())
	require.NoError(t, err, "reading needs no unset values")
	require.EqualValues(t, 1, n)

	for _, version := range []int{4, 0} { // 0: gocql asks the server; with 5 it makes no session
		session := bare(t, ks, version)
		for name, p := range everyWriter(t, session, ks) {
			if name == "Table" || name == "Exec" || name == "Tee" {
				_, err := p.Run(t.Context())
				require.NoError(t, err, "%s, version %d", name, version)
				require.Equal(t, text("there before"), there(), "%s, version %d", name, version)
			}
		}
	}
}

// unchecked is a sink whose Check is not called.
type unchecked struct{ rxcql.Sink[event] }

func (unchecked) Check(context.Context) error { return nil }

func TestADatacenterThatIsNotThereIsNamedByEverything(t *testing.T) {
	admin, ks := cassandra.Keyspace(t, cluster)
	create(t, admin, "CREATE TABLE t "+eventColumns)
	require.NoError(t, deadletter.CreateTable(t.Context(), admin, ks+".letters"))
	require.NoError(t, checkpoint.CreateTable(t.Context(), admin, ks+".jobs"))
	var dc string
	require.NoError(t, admin.Query("SELECT data_center FROM system.local").Scan(&dc))
	session := func(dc string) *gocql.Session {
		cfg := cluster.Config()
		cfg.PoolConfig.HostSelectionPolicy = nil
		require.NoError(t, rxcql.Configure(cfg, dc))
		s, err := cfg.CreateSession()
		require.NoError(t, err)
		t.Cleanup(s.Close)
		return s
	}
	refused := func(err error, name string) {
		t.Helper()
		require.ErrorIs(t, err, rxcql.ErrConfig, name)
		require.NotErrorIs(t, err, rxcql.ErrSchema, name)
		require.ErrorContains(t, err, `no node is in the datacenter "nowhere"`, name)
		require.ErrorContains(t, err, fmt.Sprintf("there is %q", dc), name)
	}
	nowhere := session("nowhere")
	for name, p := range everyWriter(t, nowhere, ks) {
		if name != "a checkpoint" {
			refused(p.Check(t.Context()), name)
		}
		_, err := p.Run(t.Context())
		refused(err, name)
	}
	each := sink.Each(func(context.Context, event) error { return nil }, sink.Idempotent())
	for name, in := range map[string]rxcql.Stream[event]{
		"source.Table": source.Table[event](nowhere, ks+".t"),
		"source.Query": source.Query[event](nowhere, "SELECT p, c, v FROM "+ks+".t"),
	} {
		refused(in.Check(t.Context()), name)
		_, err := in.Count(t.Context())
		refused(err, name)
		p, err := rxcql.New(in, each, rxcql.WithCheckpoint(&jobtest.Store{}, "job"))
		require.NoError(t, err)
		_, err = p.Run(t.Context())
		refused(err, name)
	}
	n, err := source.Table[event](session(dc), ks+".t").Count(t.Context())
	require.NoError(t, err)
	require.Zero(t, n)
}
