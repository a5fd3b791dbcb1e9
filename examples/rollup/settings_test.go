package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

// Else windows of both lengths would be in one table, and the tail of one instance would miss
// readings that another one has acknowledged.
func TestSettingsThatAreOthersThanThoseOfTheKeyspaceAreRefused(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		session := withTables(t, "settings").Session("rollup")
		keep := func(args ...string) error {
			return keepSettings(context.Background(), session, "rollup", configured(t, args...))
		}
		require.NoError(t, keep())
		require.NoError(t, keep("--window", "5s", "--write-deadline", "2000ms", "--devices", "7"), "the same are taken again and again")
		const window, deadline = "--window 1m0s on keyspace rollup", "--write-deadline 2m0s on keyspace rollup"
		err := keep("--window", "1m")
		for _, words := range []string{window, "are 5s long; give that", "another --keyspace"} {
			require.ErrorContains(t, err, words)
		}
		require.NotContains(t, err.Error(), "write-deadline")
		err = keep("--write-deadline", "2m")
		for _, words := range []string{deadline, "have 2s; give that", "stop all of them, delete the row write-deadline in the table settings"} {
			require.ErrorContains(t, err, words)
		}
		require.NotContains(t, err.Error(), "--window")
		err = keep("--write-deadline", "2m", "--window", "1m")
		require.ErrorContains(t, err, window)
		require.ErrorContains(t, err, deadline)
		require.NoError(t, keep(), "and they stay as they are")

		time.Sleep(time.Second) // else the two have one time
		require.NoError(t, session.Query("DELETE FROM rollup.settings WHERE name = 'write-deadline'").Exec())
		require.NoError(t, keep("--write-deadline", "2m"), "as the error has said")
		require.ErrorContains(t, keep(), "have 2m0s")
		require.NoError(t, session.Query("DROP TABLE rollup.settings").Exec())
		require.ErrorContains(t, keep(), "rollup.settings")
	})
}
