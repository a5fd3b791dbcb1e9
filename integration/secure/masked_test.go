package secure_test

import (
	"path/filepath"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

func TestTransferOfMaskedColumnsIsRefusedUnlessTheRoleSeesTheirValues(t *testing.T) {
	admin, ks := cassandra.Keyspace(t, cluster)
	exec := func(statements ...string) {
		t.Helper()
		for _, cql := range statements {
			require.NoError(t, admin.Query(cql).Exec(), cql)
		}
	}
	const role, password = "masked_reader", "reader"
	exec("CREATE TABLE t (p int PRIMARY KEY, v text MASKED WITH DEFAULT, w text)", "CREATE TABLE u (p int PRIMARY KEY, v text, w text)",
		"INSERT INTO t (p, v, w) VALUES (1, 'value', 'w')",
		"CREATE ROLE IF NOT EXISTS "+role+" WITH PASSWORD = '"+password+"' AND LOGIN = true", "GRANT SELECT ON KEYSPACE "+ks+" TO "+role,
		"GRANT MODIFY ON KEYSPACE "+ks+" TO "+role)
	t.Cleanup(func() { exec("DROP ROLE " + role) })
	reader, err := session(t, func(c *gocql.ClusterConfig) {
		c.Authenticator = gocql.PasswordAuthenticator{Username: role, Password: password}
	})
	require.NoError(t, err)
	copying := func(s *gocql.Session, opts ...transfer.CopyOption) error {
		job, err := transfer.Copy(transfer.Table{Session: s, Name: ks + ".t"}, transfer.Table{Session: s, Name: ks + ".u"}, opts...)
		require.NoError(t, err)
		_, err = job.Run(t.Context())
		return err
	}
	comparing := func(s *gocql.Session, opts ...transfer.DiffOption) (transfer.DiffReport, error) {
		job, err := transfer.Diff(transfer.Table{Session: s, Name: ks + ".t"}, transfer.Table{Session: s, Name: ks + ".u"},
			filepath.Join(t.TempDir(), "diff"), append(opts, transfer.Pause(0))...)
		require.NoError(t, err)
		return job.Run(t.Context())
	}
	unloading := func(s *gocql.Session, opts ...transfer.UnloadOption) transfer.UnloadReport {
		job, err := transfer.Unload(transfer.Table{Session: s, Name: ks + ".t"}, filepath.Join(t.TempDir(), "t.csv"), opts...)
		require.NoError(t, err)
		report, err := job.Run(t.Context())
		require.NoError(t, err)
		return report
	}
	value := func() (v string) {
		require.NoError(t, admin.Query("SELECT v FROM u WHERE p = 1").Scan(&v))
		return v
	}

	for _, opts := range [][]transfer.CopyOption{nil, {transfer.WithTimes()}} {
		err := copying(reader, opts...)
		require.ErrorIs(t, err, rxcql.ErrSchema)
		require.ErrorContains(t, err, "masks would be read instead of the values of v")
		require.ErrorContains(t, err, "give Lossy")
	}
	_, err = comparing(reader)
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.ErrorContains(t, err, "masks would be read instead of the values of v")
	_, err = comparing(reader, transfer.LeaveOut("v"))
	require.NoError(t, err)
	require.Equal(t, 0, admin.Query("SELECT p FROM u").Iter().NumRows())

	require.Equal(t, []string{`column "v" is masked by system.mask_default, and the role has no UNMASK: its mask is unloaded`}, unloading(reader).Lossy,
		"a mask may be what a role is to give away")
	require.Empty(t, unloading(reader, transfer.OnlyColumns("p", "w")).Lossy)
	require.Empty(t, unloading(admin).Lossy)

	require.NoError(t, copying(reader, transfer.Drop("v")))
	require.NoError(t, copying(reader, transfer.Lossy()))
	require.Equal(t, "****", value())
	require.NoError(t, copying(admin), "a superuser sees all")
	require.Equal(t, "value", value())

	exec("TRUNCATE u", "GRANT UNMASK ON TABLE t TO "+role)
	require.Eventually(t, func() bool { return copying(reader, transfer.WithTimes()) == nil }, 3*time.Minute, 100*time.Millisecond,
		"the server remembers permissions for a while")
	require.Equal(t, "value", value())
	report, err := comparing(reader)
	require.NoError(t, err)
	require.True(t, report.Equal())
}
