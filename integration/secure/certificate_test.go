package secure_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// ownCertificate has the command show a certificate that the server accepts, by variables.
func ownCertificate() []string {
	cert, key := cluster.ClientCertificate()
	return []string{"RXCQL_TLS_CERT=" + cert, "RXCQL_TLS_KEY=" + key}
}

// foreignCertificate makes the certificate of a client that the server does not know, and its key.
func foreignCertificate(t *testing.T) (cert, key string) {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(3), Subject: pkix.Name{CommonName: "a stranger"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &private.PublicKey, private)
	require.NoError(t, err)
	text, err := x509.MarshalECPrivateKey(private)
	require.NoError(t, err)
	return secretFile(t, "cert.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))),
		secretFile(t, "key.pem", string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: text})))
}

func TestTLSRefusesAClientWithoutACertificate(t *testing.T) {
	_, err := session(t, func(c *gocql.ClusterConfig) { c.SslOpts.CertPath, c.SslOpts.KeyPath = "", "" })
	require.Error(t, err)
	t.Log(err)
}

// Each side shows the certificate of its own flags, and what the server says of none, or of a wrong
// one, names the flags of that side.
func TestTheCommandShowsTheCertificateOfEachSide(t *testing.T) {
	admin, ks := cassandra.Keyspace(t, cluster)
	for _, cql := range []string{
		"CREATE TABLE t (k int PRIMARY KEY, v text)", "INSERT INTO t (k, v) VALUES (1, 'x')", "CREATE TABLE copy (k int PRIMARY KEY, v text)",
	} {
		require.NoError(t, admin.Query(cql).Exec())
	}
	user, password := cluster.Login()
	env := []string{
		"RXCQL_HOSTS=" + cluster.Hosts()[0], "RXCQL_USER=" + user, "RXCQL_PASSWORD=" + password, "RXCQL_TLS_CA=" + cluster.CAFile(),
	}
	cert, key := cluster.ClientCertificate()
	strangeCert, strangeKey := foreignCertificate(t)
	of := func(side, cert, key string) []string {
		return []string{"--" + side + "tls-cert", cert, "--" + side + "tls-key", key}
	}
	none := "the server asks for a certificate of the client: give --"
	for what, c := range map[string]struct {
		args []string
		says string // empty: it is well
	}{
		"each its own":              {slices.Concat(of("source-", cert, key), of("target-", cert, key)), ""},
		"one for both":              {of("", cert, key), ""},
		"one of a side counts more": {slices.Concat(of("", strangeCert, strangeKey), of("source-", cert, key), of("target-", cert, key)), ""},
		"none of the target":        {of("source-", cert, key), none + "target-tls-cert and --target-tls-key"},
		"none of the source":        {of("target-", cert, key), none + "source-tls-cert and --source-tls-key"},
		"a stranger's at the source": {slices.Concat(of("source-", strangeCert, strangeKey), of("target-", cert, key)),
			"may not accept the certificate of --source-tls-cert"},
		"a stranger's":                 {of("", strangeCert, strangeKey), "may not accept the certificate of --tls-cert"},
		"a key of another certificate": {of("", cert, strangeKey), "--tls-cert and --tls-key"},
	} {
		code, said := command(t, env, append([]string{"copy", ks + ".t", "--to", ks + ".copy", "--progress", "none"}, c.args...)...)
		if c.says == "" {
			require.Zero(t, code, "%s: %s", what, said)
			continue
		}
		require.Equal(t, 2, code, "%s: %s", what, said)
		require.Contains(t, said, c.says, what)
		t.Log(what, strings.TrimSpace(said))
	}
	code, said := command(t, env, "count", ks+".t", "--progress", "none")
	require.Equal(t, 2, code, said)
	require.Contains(t, said, none+"tls-cert and --tls-key")
}
