package cqlfake_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// With timeouts the race detector ends the process of a bubble, about once in a hundred thousand
// requests: too seldom to be waited for here.
func TestOnlyRequestsOverLoopbackHaveATimeout(t *testing.T) {
	config := cqlfake.New(t).Cluster()
	require.Zero(t, config.Timeout)
	require.Zero(t, config.ConnectTimeout)
	config = cqlfake.New(t, cqlfake.Loopback()).Cluster()
	require.Equal(t, time.Minute, config.Timeout)
	require.Equal(t, time.Minute, config.ConnectTimeout)
}
