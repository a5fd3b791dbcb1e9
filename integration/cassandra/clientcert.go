package cassandra

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"time"
)

const truststoreFile = "truststore.p12"

// makeClientCertificate writes the certificate of a client and its key as PEM into dir, and a
// PKCS12 store of the authority that has signed it, by which a server knows it. They are valid for
// a week.
func makeClientCertificate(ctx context.Context, j java, dir string) (truststore, certFile, keyFile string, err error) {
	authority, authorityKey, err := signed("rxcql test clients", nil, nil)
	if err != nil {
		return "", "", "", err
	}
	cert, key, err := signed("a client of rxcql test", authority, authorityKey)
	if err != nil {
		return "", "", "", err
	}
	text, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return "", "", "", fmt.Errorf("write the key down: %w", err)
	}
	authorityFile := filepath.Join(dir, "client-ca.pem")
	certFile, keyFile = filepath.Join(dir, "client-cert.pem"), filepath.Join(dir, "client-key.pem")
	for _, f := range []struct {
		path, kind string
		der        []byte
	}{{authorityFile, "CERTIFICATE", authority.Raw}, {certFile, "CERTIFICATE", cert.Raw}, {keyFile, "EC PRIVATE KEY", text}} {
		if err := os.WriteFile(f.path, pem.EncodeToMemory(&pem.Block{Type: f.kind, Bytes: f.der}), 0o600); err != nil {
			return "", "", "", fmt.Errorf("write %s: %w", f.kind, err)
		}
	}
	truststore = filepath.Join(dir, truststoreFile)
	return truststore, certFile, keyFile, keytool(ctx, j, []string{"-importcert", "-noprompt", "-alias", "clients", "-file", authorityFile,
		"-keystore", truststore, "-storetype", "PKCS12", "-storepass", storePassword})
}

// signed makes a key and its certificate. Without an authority it is one, and signs itself.
func signed(name string, authority *x509.Certificate, authorityKey *ecdsa.PrivateKey) (*x509.Certificate, *ecdsa.PrivateKey, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("make a key: %w", err)
	}
	about := &x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), Subject: pkix.Name{CommonName: name}, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(7 * 24 * time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	}
	if authority == nil {
		about.IsCA, about.ExtKeyUsage, about.KeyUsage = true, nil, x509.KeyUsageCertSign
		authority, authorityKey = about, key
	}
	der, err := x509.CreateCertificate(rand.Reader, about, authority, &key.PublicKey, authorityKey)
	if err != nil {
		return nil, nil, fmt.Errorf("make a certificate: %w", err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, nil, fmt.Errorf("read a certificate: %w", err)
	}
	return cert, key, nil
}
