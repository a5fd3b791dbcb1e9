package connect_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/connect"
)

func TestACqlshrcGivesHostsLoginTLSAndTimeouts(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	ca := newAuthority(t)
	caFile := write("ca.pem", string(ca.pem))
	certFile, keyFile := ca.client(t, dir)
	rc := write("cqlshrc", `
; as cqlsh's own sample has it
[authentication]
username = of-rc
password = of-rc
credentials = `+dir+`/creds
[connection]
hostname = 10.0.0.9
port = 9142
ssl = true
timeout = 7
request_timeout = 70
[ssl]
certfile = `+caFile+`
userkey = `+keyFile+`
usercert = `+certFile+`
`)
	write("creds", "[plain_text_auth]\nusername = of-creds\npassword = 1%d;#\n")
	s, err := given{args: []string{"--cqlshrc", rc}}.resolve(t, "")
	require.NoError(t, err)
	require.Equal(t, []string{"10.0.0.9"}, s.Hosts)
	require.Equal(t, 9142, s.Port)
	require.Equal(t, "of-creds", s.User)
	require.Equal(t, "1%d;#", s.Password())
	require.Equal(t, 7*time.Second, s.Connect)
	require.Equal(t, 70*time.Second, s.Timeout)
	require.NotNil(t, s.TLS)
	require.Equal(t, connect.VerifyFull, s.TLS.Verify)
	shown, err := s.TLS.Config().GetClientCertificate(nil)
	require.NoError(t, err)
	require.Len(t, shown.Certificate, 1)

	s, err = given{args: []string{"--cqlshrc", rc, "--hosts", "other:1", "--user", "of-creds", "--tls-verify", "chain"}}.resolve(t, "")
	require.NoError(t, err)
	require.Equal(t, []string{"other:1"}, s.Hosts, "flags come first")
	require.Equal(t, 1, s.Port)
	require.Equal(t, connect.VerifyChain, s.TLS.Verify)
}

func TestTheUsualCqlshrcIsReadOnlyIfNoHostsAreGiven(t *testing.T) {
	t.Setenv("HOME", t.TempDir())
	folder := filepath.Join(os.Getenv("HOME"), ".cassandra")
	require.NoError(t, os.Mkdir(folder, 0o700))
	require.NoError(t, os.WriteFile(filepath.Join(folder, "cqlshrc"),
		[]byte("[authentication]\nusername = u\npassword = secret\n[connection]\nhostname = mine\n"), 0o600))
	resolve := func(args ...string) connect.Side {
		f := connect.NewFlags(func(string) string { return "" })
		require.NoError(t, f.Every.Parse(args))
		s, err := f.Resolve("", nil)
		require.NoError(t, err)
		return s
	}
	s := resolve()
	require.Equal(t, []string{"mine"}, s.Hosts)
	require.Equal(t, "secret", s.Password())
	s = resolve("--hosts", "elsewhere")
	require.Empty(t, s.User, "the login of one cluster is not sent to another")
	require.Empty(t, s.Password())
}

func TestACqlshrcThatIsNotThereOrLogsInInAnotherWayIsAnError(t *testing.T) {
	_, err := given{args: []string{"--hosts", "h", "--cqlshrc", "/no/such/cqlshrc"}}.resolve(t, "")
	require.ErrorContains(t, err, "/no/such/cqlshrc")
	rc := file(t, "cqlshrc", "[auth_provider]\nmodule = cassandra.kerberos\nclassname = K\n[authentication]\npassword = secret\n")
	_, err = given{args: []string{"--hosts", "h", "--cqlshrc", rc}}.resolve(t, "")
	require.ErrorContains(t, err, "by name and password only")
	require.NotContains(t, err.Error(), "secret")
}
