package secure_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/source"
)

// anotherCA is a file with a CA that has signed nothing here.
func anotherCA(t *testing.T) string {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	path := filepath.Join(t.TempDir(), "ca.pem")
	require.NoError(t, os.WriteFile(path, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), 0o600))
	return path
}

func TestTLSWithTheRightCAAndLoginReads(t *testing.T) {
	s, err := session(t, func(*gocql.ClusterConfig) {})
	require.NoError(t, err)
	names, err := source.Query[string](s, "SELECT keyspace_name FROM system_schema.keyspaces").Collect(context.Background())
	require.NoError(t, err)
	require.Contains(t, names, "system")
}

func TestTLSRefusesAServerThatCannotBeTrusted(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*gocql.ClusterConfig)
		says   string
	}{
		"another CA": {func(c *gocql.ClusterConfig) { c.SslOpts.CaPath = anotherCA(t) }, "certificate"},
		"a host that the certificate does not name": {func(c *gocql.ClusterConfig) {
			address := elsewhere(t)
			c.Hosts, c.Port = []string{address}, port(t, address)
		}, "certificate"},
		"a CA file that is not there": {func(c *gocql.ClusterConfig) { c.SslOpts.CaPath = "/no/such/ca.pem" }, "/no/such/ca.pem"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := session(t, c.change)
			require.ErrorContains(t, err, c.says)
			_, password := cluster.Login()
			require.NotContains(t, err.Error(), `"`+password+`"`)
			t.Log(err)
		})
	}
}

func TestTLSIsNotLeftOutUnnoticed(t *testing.T) {
	_, err := session(t, func(c *gocql.ClusterConfig) { c.SslOpts = nil })
	require.Error(t, err)
	t.Log(err)
}
