package cqlfake_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

func TestWhatOpensAConnectionIsNotInFlight(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		server := cqlfake.New(t, cqlfake.Latency(time.Second))
		server.Keyspace("shop", "visits (id int PRIMARY KEY)")
		session := server.Session("shop") // says USE
		require.Zero(t, server.MaxInFlight())
		require.NoError(t, session.Query("SELECT id FROM visits").Exec())
		require.Equal(t, 1, server.MaxInFlight())
		require.Zero(t, server.InFlight())
	})
}
