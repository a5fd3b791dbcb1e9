package cassandra_test

import (
	"errors"
	"net"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

func listen(addr string) (net.Listener, error) { return net.Listen("tcp4", addr) }

func TestTakenPortsArePassedOver(t *testing.T) {
	// As with a program that listens on 9042 of all addresses, and one on 7000.
	refuse := func(addr string) (net.Listener, error) {
		if strings.HasSuffix(addr, ":9042") || strings.HasSuffix(addr, ":7000") {
			return nil, errors.New("taken")
		}
		return listen("127.0.0.1:0")
	}
	for range 300 {
		addrs, native, storage, err := cassandra.FreeLoopback(3, true, refuse)
		require.NoError(t, err)
		require.Len(t, addrs, 3)
		require.NotEqual(t, 9042, native)
		require.NotEqual(t, 7000, storage)
		seen := map[string]bool{}
		for _, addr := range addrs {
			ip := net.ParseIP(addr).To4()
			require.NotNil(t, ip, addr)
			require.True(t, ip.IsLoopback())
			require.NotEqual(t, "127.0.0.1", addr, "the shared address is left to others")
			require.NotContains(t, []byte{0, 255}, ip[3])
			seen[addr] = true
		}
		require.Len(t, seen, 3)
	}
}

func TestWithNothingFreeTheSearchEnds(t *testing.T) {
	refuse := func(string) (net.Listener, error) { return nil, errors.New("taken") }
	_, _, _, err := cassandra.FreeLoopback(1, true, refuse)
	require.ErrorContains(t, err, "no free loopback address")
	require.ErrorContains(t, err, "taken")
	_, _, _, err = cassandra.FreeLoopback(1, false, refuse)
	require.ErrorContains(t, err, "find a free port")
}

func TestASystemWithOneLoopbackAddressGetsPortsOfItsOwn(t *testing.T) {
	addrs, native, storage, err := cassandra.FreeLoopback(1, false, listen)
	require.NoError(t, err)
	require.Equal(t, []string{"127.0.0.1"}, addrs)
	require.NotEqual(t, native, storage)
	_, _, _, err = cassandra.FreeLoopback(3, false, listen)
	require.ErrorContains(t, err, "need Linux")
}
