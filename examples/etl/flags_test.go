package main

import (
	"io"
	"os"
	"path/filepath"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
)

func TestNoFlagsGiveTheDefaults(t *testing.T) {
	o, err := parseFlags(nil, io.Discard)
	require.NoError(t, err)
	require.Equal(t, options{keyspace: "rxcql_etl", workers: rxcql.DefaultWorkers, budget: rxcql.DefaultBudget}, o)
}

func TestFlagsSayWhatTheySay(t *testing.T) {
	t.Setenv("ETL_TEST_PASSWORD", "from the environment")
	file := filepath.Join(t.TempDir(), "password")
	require.NoError(t, os.WriteFile(file, []byte("from a file \r\nnot this\n"), 0o600))

	o, err := parseFlags([]string{
		"--hosts", "a, b:9043,", "--user", "me", "--password-env", "ETL_TEST_PASSWORD",
		"--budget", "8MiB", "--consistency", "local_one", "--tls",
	}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, []string{"a", "b:9043"}, o.hosts)
	require.Equal(t, "from the environment", o.password)
	require.EqualValues(t, 8<<20, o.budget)
	require.Equal(t, gocql.LocalOne, *o.consistency)
	require.True(t, o.tls)

	o, err = parseFlags([]string{"--hosts", "a", "--user", "me", "--password-file", file}, io.Discard)
	require.NoError(t, err)
	require.Equal(t, "from a file ", o.password)
}

func TestAWrongFlagIsReportedWithItsRemedy(t *testing.T) {
	there := filepath.Join(t.TempDir(), "there.pem")
	require.NoError(t, os.WriteFile(there, nil, 0o600))
	for _, c := range []struct {
		name string
		args []string
		says string
	}{
		{"a flag that there is not", []string{"--wrong"}, "--help lists the flags"},
		{"a number that is none", []string{"--workers", "many"}, "workers"},
		{"hosts without a host", []string{"--hosts", " ,"}, "host or host:port"},
		{"a budget below the least", []string{"--budget", "1KiB"}, "at least 64KiB"},
		{"a negative budget", []string{"--budget", "-1"}, "at least 64KiB"},
		{"a keyspace that is too long", []string{"--keyspace", "k123456789012345678901234567890123456789012345678"}, "47"},
		{"a user without hosts", []string{"--user", "me"}, "--hosts"},
		{"a user without a password", []string{"--hosts", "a", "--user", "me"}, "--password-file or --password-env"},
		{"a password without a user", []string{"--hosts", "a", "--password-env", "HOME"}, "--user"},
		{"two passwords", []string{"--hosts", "a", "--user", "me", "--password-env", "HOME", "--password-file", there}, "one of them"},
		{"an environment variable that is not set", []string{"--hosts", "a", "--user", "me", "--password-env", "ETL_NOT_SET"}, "ETL_NOT_SET"},
		{"a password file that is not there", []string{"--hosts", "a", "--user", "me", "--password-file", there + "x"}, "no such file"},
		{"an empty password file", []string{"--hosts", "a", "--user", "me", "--password-file", there}, "empty"},
		{"a CA without TLS", []string{"--hosts", "a", "--ca", there}, "--tls"},
		{"TLS without hosts", []string{"--tls"}, "--hosts"},
		{"a certificate without its key", []string{"--hosts", "a", "--tls", "--cert", there}, "--key"},
		{"a CA that is not there", []string{"--hosts", "a", "--tls", "--ca", there + "x"}, "no such file"},
	} {
		t.Run(c.name, func(t *testing.T) {
			_, err := parseFlags(c.args, io.Discard)
			require.ErrorContains(t, err, c.says)
		})
	}
}
