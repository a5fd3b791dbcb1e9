//go:build unix

package cassandra_test

import (
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

func TestPasswordAndTLSAreWantedByTheServerAndGivenByTheConfig(t *testing.T) {
	c := startProcess(t, cassandra.WithPassword(), cassandra.WithTLS())
	require.FileExists(t, c.CAFile())
	user, password := c.Login()
	require.Equal(t, "cassandra", user)
	require.Equal(t, "cassandra", password)
	requireAnswers(t, c)
	session, _ := cassandra.Keyspace(t, c)
	require.NoError(t, session.Query("CREATE ROLE reader WITH PASSWORD = 'p' AND LOGIN = true").Exec())

	refused := func(change func(*gocql.ClusterConfig)) {
		t.Helper()
		cfg := c.Config()
		cfg.Logger = quiet{}
		change(cfg)
		s, err := cfg.CreateSession()
		if err == nil {
			s.Close()
		}
		require.Error(t, err)
	}
	refused(func(cfg *gocql.ClusterConfig) { cfg.SslOpts = nil })
	refused(func(cfg *gocql.ClusterConfig) { cfg.SslOpts.RootCAs = nil; cfg.SslOpts.CaPath = "" })
	refused(func(cfg *gocql.ClusterConfig) {
		cfg.Authenticator = gocql.PasswordAuthenticator{Username: user, Password: "wrong"}
	})

	// The authorizer is on: a role without a grant may not read.
	cfg := c.Config()
	cfg.Authenticator = gocql.PasswordAuthenticator{Username: "reader", Password: "p"}
	reader, err := cfg.CreateSession()
	require.NoError(t, err)
	defer reader.Close()
	require.ErrorContains(t, reader.Query("SELECT role FROM system_auth.roles").Exec(), "permission")
}

type quiet struct{}

func (quiet) Print(...any)          {}
func (quiet) Printf(string, ...any) {}
func (quiet) Println(...any)        {}
