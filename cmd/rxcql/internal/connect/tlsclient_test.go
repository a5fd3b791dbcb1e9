package connect_test

import (
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
)

// strict listens as a server that wants the certificate of a client, and ends each connection
// behind the handshake.
func strict(t *testing.T, ours *authority) (address string) {
	t.Helper()
	pool := x509.NewCertPool()
	pool.AddCert(ours.cert)
	cfg := &tls.Config{Certificates: []tls.Certificate{ours.sign(t, "node")}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool}
	return listen(t, cfg, func(*tls.Conn) {})
}

// mute listens as a server that asks for a certificate too, and then says nothing.
func mute(t *testing.T, ours *authority) (address string) {
	t.Helper()
	cfg := &tls.Config{Certificates: []tls.Certificate{ours.sign(t, "node")}, ClientAuth: tls.RequestClientCert}
	return listen(t, cfg, func(conn *tls.Conn) { _, _ = io.Copy(io.Discard, conn) })
}

// listen listens, and ends a connection when answer has returned.
func listen(t *testing.T, cfg *tls.Config, answer func(*tls.Conn)) (address string) {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	var all sync.WaitGroup
	all.Go(func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			all.Go(func() {
				secured := tls.Server(conn, cfg)
				if secured.Handshake() == nil { // else the client tells what came of it
					answer(secured)
				}
				_ = conn.Close()
			})
		}
	})
	t.Cleanup(func() {
		_ = listener.Close()
		all.Wait()
	})
	return listener.Addr().String()
}

func TestWhoIsRefusedForTheCertificateIsToldWhichFlagsToGive(t *testing.T) {
	ours, others := newAuthority(t), newAuthority(t)
	address, ca := strict(t, ours), file(t, "ca.pem", string(ours.pem))
	cert, key := others.client(t, t.TempDir())
	open := func(side string, args ...string) error {
		args = append([]string{"--hosts", address, "--tls-ca", ca, "--tls-verify", "chain", "--connect-timeout", "1m"}, args...)
		s, err := given{args: args}.resolve(t, side, "source", "target")
		require.NoError(t, err)
		session, _, err := s.Open(t.Context())
		if err == nil {
			session.Close()
		}
		return err
	}
	require.ErrorContains(t, open(""), "give --tls-cert and --tls-key")
	require.ErrorContains(t, open("source"), "give --source-tls-cert and --source-tls-key")
	require.ErrorContains(t, open("target", "--source-tls-cert", cert, "--source-tls-key", key), "give --target-tls-cert and --target-tls-key")
	require.ErrorContains(t, open("target", "--tls-cert", cert, "--target-tls-key", key), "may not accept the certificate of --tls-cert")
	err := open("", "--tls-ca", file(t, "other.pem", string(others.pem)))
	require.ErrorContains(t, err, "--tls-ca names the file")
	require.NotContains(t, err.Error(), "--tls-cert", "it is the server's certificate that is wrong")
}

// A server may say nothing of why it does not go on.
func TestWhoIsNotAnsweredBehindTheCertificateIsToldOfIt(t *testing.T) {
	ours := newAuthority(t)
	address, ca := mute(t, ours), file(t, "ca.pem", string(ours.pem))
	s, err := given{args: []string{"--hosts", address, "--tls-ca", ca, "--tls-verify", "chain"}}.resolve(t, "", "source", "target")
	require.NoError(t, err)
	_, _, err = s.Open(t.Context())
	require.ErrorContains(t, err, "no response")
	require.ErrorContains(t, err, "the server asks for a certificate of the client: give --tls-cert and --tls-key")
}
