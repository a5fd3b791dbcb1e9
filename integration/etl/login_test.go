package etl_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

func TestAServerWithLoginAndTLSIsReachedByFlags(t *testing.T) {
	secured, err := cassandra.Start(context.Background(), cassandra.WithPassword(), cassandra.WithTLS())
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, secured.Stop()) })
	etl := build(t, "etl")
	user, password := secured.Login()
	flights := file(t, "flights.csv", header+strings.Repeat("2001-01-01T00:01:00Z,33,2176,LAS,PHL\n", 60))
	run := func(password string, args ...string) ended {
		env := map[string]string{"ETL_PASSWORD": password}
		args = append([]string{"--hosts", strings.Join(secured.Hosts(), ","), "--flights", flights}, args...)
		return start(t, env, etl, args...).wait(t, testWait)
	}

	got := run("", "--user", user, "--password-file", file(t, "password", password+"\n"), "--tls", "--ca", secured.CAFile(),
		"--dc", secured.Datacenter(), "--consistency", "local_one", "--workers", "2")
	require.Zero(t, got.code, got.stderr)
	require.Contains(t, got.stdout, "LAS-PHL")

	for name, args := range map[string][]string{
		"a wrong password":                {"--user", user, "--password-env", "ETL_PASSWORD", "--tls", "--ca", secured.CAFile()},
		"a server that cannot be trusted": {"--user", user, "--password-file", file(t, "password", password), "--tls"},
	} {
		t.Run(name, func(t *testing.T) {
			got := run("not-the-password", args...)
			require.Equal(t, 1, got.code)
			require.Contains(t, got.stderr, "--hosts "+secured.Hosts()[0])
			require.NotContains(t, got.stdout+got.stderr, "not-the-password")
			t.Log(got.stderr)
		})
	}
}
