package connect_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// authority signs certificates for a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	pem  []byte
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{cert, key, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})}
}

// sign makes a key and a certificate for a name.
func (a *authority) sign(t *testing.T, name string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: name}, DNSNames: []string{name},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, &key.PublicKey, a.key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// client writes the certificate of a client and its key into files.
func (a *authority) client(t *testing.T, dir string) (cert, key string) {
	t.Helper()
	pair := a.sign(t, "client")
	der, err := x509.MarshalECPrivateKey(pair.PrivateKey.(*ecdsa.PrivateKey))
	require.NoError(t, err)
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	require.NoError(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: pair.Certificate[0]}), 0o600))
	require.NoError(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: der}), 0o600))
	return cert, key
}

// shake tries a handshake with a server of a certificate, by what flags say.
func shake(t *testing.T, server tls.Certificate, host string, args ...string) error {
	t.Helper()
	s, err := given{args: append([]string{"--hosts", "h"}, args...)}.resolve(t, "")
	require.NoError(t, err)
	require.NotNil(t, s.TLS)
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{server}})
	require.NoError(t, err)
	defer listener.Close()
	served := make(chan struct{})
	go func() {
		defer close(served)
		if conn, err := listener.Accept(); err == nil {
			_ = conn.(*tls.Conn).Handshake() // the client tells what came of it
			_ = conn.Close()
		}
	}()
	here, err := net.Dial("tcp", listener.Addr().String())
	require.NoError(t, err)
	cfg := s.TLS.Config().Clone()
	if !cfg.InsecureSkipVerify { // as the driver does
		cfg.ServerName = host
	}
	err = tls.Client(here, cfg).Handshake()
	_ = here.Close()
	<-served
	return err
}

func TestWhatOfACertificateIsVerified(t *testing.T) {
	ours, others := newAuthority(t), newAuthority(t)
	ca := file(t, "ca.pem", string(ours.pem))
	right, wrongName, stranger := ours.sign(t, "node"), ours.sign(t, "other"), others.sign(t, "node")
	for _, c := range []struct {
		verify string
		server tls.Certificate
		well   bool
	}{
		{"full", right, true}, {"full", wrongName, false}, {"full", stranger, false},
		{"chain", right, true}, {"chain", wrongName, true}, {"chain", stranger, false},
		{"none", right, true}, {"none", wrongName, true}, {"none", stranger, true},
	} {
		err := shake(t, c.server, "node", "--tls-ca", ca, "--tls-verify", c.verify)
		require.Equal(t, c.well, err == nil, "%s: %v", c.verify, err)
	}
}
