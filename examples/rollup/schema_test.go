package main

import (
	"context"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"
)

func TestWindowsOfAnotherLengthAreRefusedInAKeyspaceThatHasSome(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		session := withTables(t, "settings").Session("rollup")
		keep := func(window time.Duration) error { return keepWindow(context.Background(), session, "rollup", window) }
		require.NoError(t, keep(5*time.Second))
		require.NoError(t, keep(5*time.Second), "the same is taken again and again")
		err := keep(time.Minute)
		for _, words := range []string{"--window 1m0s", "keyspace rollup are 5s long", "give --window 5s", "another --keyspace"} {
			require.ErrorContains(t, err, words)
		}
		require.NoError(t, keep(5*time.Second), "and stays as it is")
		require.NoError(t, session.Query("DROP TABLE rollup.settings").Exec())
		require.ErrorContains(t, keep(5*time.Second), "rollup.settings")
	})
}
