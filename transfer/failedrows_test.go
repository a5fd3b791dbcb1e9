package transfer_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/transfer"
)

// withoutRow3 makes a table ks.t of three rows, and ks.u that has two of them. Until healed is
// called, single rows of ks.t cannot be read.
func withoutRow3(t *testing.T) (session *gocql.Session, healed func()) {
	t.Helper()
	server := cqlfake.New(t)
	server.Keyspace("ks", "t (k int PRIMARY KEY, v int)", "u (k int PRIMARY KEY, v int)")
	server.Exec("INSERT INTO ks.t (k, v) VALUES (1, 1)", "INSERT INTO ks.t (k, v) VALUES (2, 2)", "INSERT INTO ks.t (k, v) VALUES (3, 3)",
		"INSERT INTO ks.u (k, v) VALUES (1, 1)", "INSERT INTO ks.u (k, v) VALUES (2, 2)")
	healed = server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if r.Reads("ks.t") && !strings.Contains(r.Statements[0].CQL, "token(") {
			return cqlfake.Fail(&message.Invalid{ErrorMessage: "refused"})
		}
		return nil
	})
	return server.Session("ks"), healed
}

// skipping would leave out rows that fail.
var skipping = transfer.WithRun(rxcql.WithRetry(0, 0), rxcql.WithRowErrors(rxcql.SkipRows(10)))

func TestADiffLeavesOutNoRowThatItCannotLookAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		session, healed := withoutRow3(t)
		folder := filepath.Join(t.TempDir(), "diff")
		diff := func() (transfer.DiffReport, error) {
			job, err := transfer.Diff(transfer.Table{Session: session, Name: "ks.t"}, transfer.Table{Session: session, Name: "ks.u"},
				folder, transfer.Pause(0), skipping)
			require.NoError(t, err)
			return job.Run(t.Context())
		}
		report, err := diff()
		require.Error(t, err)
		require.False(t, report.Equal())
		healed()
		report, err = diff()
		require.NoError(t, err)
		require.True(t, report.Complete)
		require.EqualValues(t, 1, report.Missing)
	})
}

func TestARepairLeavesOutNoRowThatItCannotLookAt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		session, healed := withoutRow3(t)
		folder := t.TempDir()
		file := filepath.Join(folder, "keys")
		require.NoError(t, os.WriteFile(file, []byte(`{"key":{"k":3}}`+"\n"), 0o600))
		repair := func() (transfer.RepairReport, error) {
			job, err := transfer.Repair(transfer.Table{Session: session, Name: "ks.t"}, transfer.Table{Session: session, Name: "ks.u"},
				file, filepath.Join(folder, "repair"), skipping)
			require.NoError(t, err)
			return job.Run(t.Context())
		}
		report, err := repair()
		require.Error(t, err)
		require.False(t, report.Repaired())
		healed()
		report, err = repair()
		require.NoError(t, err)
		require.True(t, report.Repaired())
		require.EqualValues(t, 1, report.Written)
	})
}
