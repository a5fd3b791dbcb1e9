package secure_test

import (
	"context"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestFaultsAPermissionRevokedInTheMidstOfACopyIsAnErrorAndNoEnd(t *testing.T) {
	admin, ks := cassandra.Keyspace(t, cluster)
	for _, cql := range []string{
		"CREATE TABLE original (k int PRIMARY KEY, v text)", "CREATE TABLE target (k int PRIMARY KEY, v text)",
		"CREATE ROLE IF NOT EXISTS copier WITH PASSWORD = 'p' AND LOGIN = true", "GRANT SELECT ON KEYSPACE " + ks + " TO copier",
		"GRANT MODIFY ON KEYSPACE " + ks + " TO copier",
	} {
		require.NoError(t, admin.Query(cql).Exec())
	}
	const rows = 5000
	for k := range rows {
		require.NoError(t, admin.Query("INSERT INTO original (k, v) VALUES (?, 'v')", k).Exec())
	}
	copier, err := session(t, func(c *gocql.ClusterConfig) {
		c.Authenticator = gocql.PasswordAuthenticator{Username: "copier", Password: "p"}
	})
	require.NoError(t, err)

	for permission, stage := range map[string]string{"SELECT": "Table " + ks + ".original", "MODIFY": "Table " + ks + ".target"} {
		t.Run(permission, func(t *testing.T) {
			require.NoError(t, admin.Query("TRUNCATE "+ks+".target").Exec())
			n := 0
			in := operators.Tap(source.Table[secret](copier, ks+".original", source.PageRows(50)), func(secret) error {
				if n++; n == rows/4 {
					return admin.Query("REVOKE " + permission + " ON KEYSPACE " + ks + " FROM copier").Exec()
				}
				return nil
			})
			p, err := rxcql.New(in, sink.Table[secret](copier, ks+".target"), rxcql.WithWorkers(2))
			require.NoError(t, err)
			rep, err := p.Run(context.Background())
			require.ErrorContains(t, err, "permission")
			var at *rxcql.StageError
			require.ErrorAs(t, err, &at)
			require.Equal(t, stage, at.Stage)
			require.False(t, rep.Complete)
			require.Zero(t, rep.Retried, "it would not pass")
			var there int64
			require.NoError(t, admin.Query("SELECT count(*) FROM "+ks+".target").Scan(&there))
			require.GreaterOrEqual(t, there, rep.Written, "no less than it claims")
			require.Less(t, there, int64(rows))
			require.NoError(t, admin.Query("GRANT "+permission+" ON KEYSPACE "+ks+" TO copier").Exec())
			t.Log(err)
		})
	}
}
