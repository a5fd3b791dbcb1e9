package connect

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"
	"sync/atomic"

	"github.com/gocql/gocql"
)

// What of a server's certificate is verified.
const (
	VerifyFull  = "full"  // that it comes from an authority that is trusted, and names the host
	VerifyChain = "chain" // that it comes from an authority that is trusted
	VerifyNone  = "none"  // nothing: whoever can answer in the server's place can read all
)

// TLS is how a side is connected to by TLS.
type TLS struct {
	Verify string
	config *tls.Config
	client string      // where the client's certificate was found; empty for none
	asked  atomic.Bool // a server has asked for the client's certificate
}

// readTLS returns nil if there is to be no TLS.
func readTLS(get func(string) found) (*TLS, error) {
	on, ca, cert, key, verify := get("tls"), get("tls-ca"), get("tls-cert"), get("tls-key"), get("tls-verify")
	var errs []error
	switch on.value {
	case "true", "false":
	default:
		errs = append(errs, fmt.Errorf("%s %q: must be true or false", on.where, on.value))
	}
	wanted := on.value == "true"
	for _, other := range []found{ca, cert, key} { // any of them says so too, unless "off" counts more
		wanted = wanted || other.value != "" && other.level < on.level
	}
	wanted = wanted || verify.value != VerifyFull && verify.level < on.level
	if !wanted {
		return nil, errors.Join(errs...)
	}
	t := &TLS{Verify: verify.value, config: &tls.Config{MinVersion: tls.VersionTLS12}}
	if ca.value != "" {
		text, err := os.ReadFile(home(ca.value))
		pool := x509.NewCertPool()
		if err == nil && !pool.AppendCertsFromPEM(text) {
			err = fmt.Errorf("%s has no certificate in PEM form", ca.value)
		}
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: %w", ca.where, err))
		}
		t.config.RootCAs = pool
	}
	switch {
	case (cert.value == "") != (key.value == ""):
		errs = append(errs, errors.New("a client's certificate needs its key, and a key its certificate: give both, --tls-cert and --tls-key"))
	case cert.value != "":
		pair, err := tls.LoadX509KeyPair(home(cert.value), home(key.value))
		if err != nil {
			errs = append(errs, fmt.Errorf("%s and %s: %w", cert.where, key.where, err))
		}
		t.client = cert.where
		t.config.GetClientCertificate = t.certificate(&pair)
	default:
		t.config.GetClientCertificate = t.certificate(&tls.Certificate{})
	}
	switch verify.value {
	case VerifyFull:
	case VerifyChain:
		t.config.InsecureSkipVerify = true // crypto/tls verifies both or none; the chain is verified below
		t.config.VerifyConnection = t.chain
	case VerifyNone:
		t.config.InsecureSkipVerify = true
	default:
		errs = append(errs, fmt.Errorf("%s %q: must be %s, %s or %s", verify.where, verify.value, VerifyFull, VerifyChain, VerifyNone))
	}
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	return t, nil
}

// certificate answers servers that ask for a certificate. It is given to each of them: of what
// crypto/tls holds back, because no authority of it is on the server's list, a server says no more
// than that it got none.
func (t *TLS) certificate(pair *tls.Certificate) func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
	return func(*tls.CertificateRequestInfo) (*tls.Certificate, error) {
		t.asked.Store(true)
		return pair, nil
	}
}

// refused reports whether a server that asked for the client's certificate may have ended the
// connection because of it. Its alert does not always arrive: what the client has sent by then
// makes it a reset, or nothing comes at all.
func (t *TLS) refused(text string) bool {
	return t != nil && t.asked.Load() && !strings.Contains(text, "x509:") &&
		slices.ContainsFunc([]string{"remote error: tls:", "reset by peer", "broken pipe", "EOF", "initial hosts: gocql: no response", gocql.ErrConnectionClosed.Error()},
			func(sign string) bool { return strings.Contains(text, sign) })
}

// chain verifies a server's certificate without the name of its host.
func (t *TLS) chain(c tls.ConnectionState) error {
	if len(c.PeerCertificates) == 0 {
		return errors.New("the server has sent no certificate")
	}
	opts := x509.VerifyOptions{Roots: t.config.RootCAs, Intermediates: x509.NewCertPool()}
	for _, cert := range c.PeerCertificates[1:] {
		opts.Intermediates.AddCert(cert)
	}
	_, err := c.PeerCertificates[0].Verify(opts)
	return err
}
