package connect_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/connect"
)

// given is what a side is put together from.
type given struct {
	args  []string
	env   map[string]string
	asked *[]string // questions for a password; nil if none may be asked
}

func (g given) resolve(t *testing.T, side string, sides ...string) (connect.Side, error) {
	t.Helper()
	t.Setenv("HOME", t.TempDir()) // no cqlshrc of who runs the tests
	f := connect.NewFlags(func(name string) string { return g.env[name] }, sides...)
	f.Every.AddFlagSet(f.Each)
	require.NoError(t, f.Every.Parse(g.args))
	return f.Resolve(side, func(prompt string) (string, error) {
		if g.asked == nil {
			return "", connect.ErrNoTerminal
		}
		*g.asked = append(*g.asked, prompt)
		return "typed", nil
	})
}

func file(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestTheFlagOfASideComesBeforeThatOfBothAndFlagsBeforeTheEnvironment(t *testing.T) {
	g := given{env: map[string]string{"RXCQL_HOSTS": "e", "RXCQL_TARGET_HOSTS": "te", "RXCQL_CONSISTENCY": "one"}}
	hosts := func(side string) []string {
		s, err := g.resolve(t, side, "source", "target")
		require.NoError(t, err)
		require.Equal(t, gocql.One, s.Consistency)
		return s.Hosts
	}
	require.Equal(t, []string{"e"}, hosts("source"))
	require.Equal(t, []string{"te"}, hosts("target"))
	g.args = []string{"--hosts", "f1, f2:9043"}
	require.Equal(t, []string{"f1", "f2:9043"}, hosts("source"))
	require.Equal(t, []string{"f1", "f2:9043"}, hosts("target"), "a flag for both sides comes before a variable of one")
	g.args = append(g.args, "--target-hosts", "tf")
	require.Equal(t, []string{"f1", "f2:9043"}, hosts("source"))
	require.Equal(t, []string{"tf"}, hosts("target"))
}

func TestTheDefaultsOfASide(t *testing.T) {
	s, err := given{args: []string{"--hosts", "h"}}.resolve(t, "")
	require.NoError(t, err)
	require.Equal(t, 9042, s.Port)
	require.Equal(t, gocql.LocalQuorum, s.Consistency)
	require.Equal(t, 11*time.Second, s.Timeout)
	require.Equal(t, 5*time.Second, s.Connect)
	require.Nil(t, s.TLS)
	require.Empty(t, s.User)

	s, err = given{args: []string{"--hosts", "[::1]:9999,10.0.0.2"}}.resolve(t, "")
	require.NoError(t, err)
	require.Equal(t, 9999, s.Port, "servers tell of each other without a port")
}

func TestAllThatIsWrongWithASideIsToldAtOnce(t *testing.T) {
	_, err := given{args: []string{
		"--target-port", "0", "--consistency", "SOME", "--timeout", "5", "--tls-verify", "half", "--tls-ca", "/no/such/file", "--tls-cert", "c",
	}}.resolve(t, "target", "source", "target")
	for _, text := range []string{
		"connection of the target", "no hosts: give --target-hosts, or set RXCQL_TARGET_HOSTS", `--target-port "0"`, `--consistency "SOME"`,
		`--timeout "5"`, `--tls-verify "half"`, "/no/such/file", "give both, --tls-cert and --tls-key",
	} {
		require.ErrorContains(t, err, text)
	}
}

func TestWhereAPasswordComesFrom(t *testing.T) {
	user := []string{"--hosts", "h", "--user", "u"}
	password := func(g given) string {
		s, err := g.resolve(t, "target", "source", "target")
		require.NoError(t, err)
		require.Equal(t, "u", s.User)
		return s.Password()
	}
	var asked []string
	g := given{args: user, asked: &asked}
	require.Equal(t, "typed", password(g))
	require.Equal(t, []string{"Password of u of the target: "}, asked)

	g = given{args: user, env: map[string]string{"RXCQL_PASSWORD": "of-both"}}
	require.Equal(t, "of-both", password(g))
	g.env["RXCQL_TARGET_PASSWORD"] = "of-target"
	require.Equal(t, "of-target", password(g))
	rc := file(t, "cqlshrc", "[authentication]\nusername = u\npassword = of-rc\n")
	g.args = append(user, "--cqlshrc", rc)
	require.Equal(t, "of-rc", password(g), "the variables may have the passwords of another user")
	g.args = append(g.args, "--password-file", file(t, "p", " of file \r\nsecond line\n"))
	require.Equal(t, " of file ", password(g))
}

func TestAPasswordOfAnotherUserIsNotTaken(t *testing.T) {
	rc := file(t, "cqlshrc", "[authentication]\nusername = someone\npassword = secret\n")
	_, err := given{args: []string{"--hosts", "h", "--user", "u", "--cqlshrc", rc}}.resolve(t, "")
	require.ErrorIs(t, err, connect.ErrNoTerminal)
	require.ErrorContains(t, err, "--password-file")
	require.NotContains(t, err.Error(), "secret")
}

func TestAUserWithoutAPasswordIsAnErrorWithoutATerminal(t *testing.T) {
	_, err := given{args: []string{"--hosts", "h", "--user", "u"}}.resolve(t, "")
	require.True(t, errors.Is(err, connect.ErrNoTerminal))
	require.ErrorContains(t, err, "set RXCQL_PASSWORD")
}
