package driver_test

import (
	"crypto/tls"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
)

func TestConfigureTurnsTheDriversOwnRepeatingOff(t *testing.T) {
	c := gocql.NewCluster("127.0.0.1")
	c.RetryPolicy = &gocql.SimpleRetryPolicy{NumRetries: 3}
	c.DefaultIdempotence = true
	require.NoError(t, driver.Configure(c, "dc1"))
	require.Nil(t, c.RetryPolicy)
	require.False(t, c.DefaultIdempotence)
	require.Equal(t, 4, c.ProtoVersion)
	require.NotNil(t, c.PoolConfig.HostSelectionPolicy)
	require.Equal(t, gocql.Quorum, c.Consistency)
}

func TestConfigureKeepsWhatTheCallerChose(t *testing.T) {
	c := gocql.NewCluster("127.0.0.1")
	policy := gocql.RoundRobinHostPolicy()
	c.PoolConfig.HostSelectionPolicy = policy
	c.Timeout, c.ConnectTimeout, c.NumConns = time.Second, time.Second, 7
	require.NoError(t, driver.Configure(c, ""))
	require.Same(t, policy, c.PoolConfig.HostSelectionPolicy)
	require.Equal(t, time.Second, c.Timeout)
	require.Equal(t, time.Second, c.ConnectTimeout)
	require.Equal(t, 7, c.NumConns)

	var bare gocql.ClusterConfig
	require.NoError(t, driver.Configure(&bare, ""))
	require.Equal(t, driver.DefaultTimeout, bare.Timeout)
	require.Equal(t, driver.DefaultConnectTimeout, bare.ConnectTimeout)
	require.Equal(t, driver.DefaultConnections, bare.NumConns)
}

func TestConfigureVerifiesTheHostUnlessTheCallerBringsATLSConfig(t *testing.T) {
	own := &gocql.SslOptions{CaPath: "ca.pem"}
	c := gocql.NewCluster("127.0.0.1")
	c.SslOpts = own
	require.NoError(t, driver.Configure(c, ""))
	require.True(t, c.SslOpts.EnableHostVerification)
	require.Equal(t, "ca.pem", c.SslOpts.CaPath)
	require.False(t, own.EnableHostVerification, "the caller's options stay as they were")

	c.SslOpts = &gocql.SslOptions{Config: &tls.Config{InsecureSkipVerify: true}}
	require.NoError(t, driver.Configure(c, ""))
	require.False(t, c.SslOpts.EnableHostVerification)

	require.ErrorIs(t, driver.Configure(nil, ""), driver.ErrNoConfig)
}
