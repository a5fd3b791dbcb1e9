package secure_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/integration/programs"
)

// command runs the command as a user would, and returns its exit code and all that it says.
func command(t *testing.T, env []string, args ...string) (code int, said string) {
	t.Helper()
	cmd := exec.Command(programs.Build(t, "cmd/rxcql"), args...)
	own := slices.DeleteFunc(os.Environ(), func(v string) bool { return strings.HasPrefix(v, "RXCQL_") })
	cmd.Env = append(append(own, "HOME="+t.TempDir()), env...)
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Run(); err != nil {
		require.ErrorContains(t, err, "exit status")
	}
	return cmd.ProcessState.ExitCode(), out.String()
}

// secretFile writes a file that only its owner may read.
func secretFile(t *testing.T, name, text string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	return path
}

func TestTheCommandLogsInByFlagsVariablesFilesAndACqlshrc(t *testing.T) {
	admin, ks := cassandra.Keyspace(t, cluster)
	require.NoError(t, admin.Query("CREATE TABLE "+ks+".t (k int PRIMARY KEY, v text)").Exec())
	require.NoError(t, admin.Query("INSERT INTO "+ks+".t (k, v) VALUES (1, 'x')").Exec())
	// A role whose password is looked for in everything that is said.
	require.NoError(t, admin.Query(fmt.Sprintf("CREATE ROLE IF NOT EXISTS mover WITH PASSWORD = '%s' AND LOGIN = true AND SUPERUSER = true", canary)).Exec())
	host, ca := cluster.Hosts()[0], cluster.CAFile()
	name, port, _ := strings.Cut(host, ":")
	if port == "" {
		port = "9042"
	}
	cert, key := cluster.ClientCertificate()
	cqlshrc := func(login string) string {
		return secretFile(t, "cqlshrc", fmt.Sprintf("[authentication]\n%s[connection]\nhostname = %s\nport = %s\nssl = true\n"+
			"[ssl]\ncertfile = %s\nusercert = %s\nuserkey = %s\n", login, name, port, ca, cert, key))
	}
	password := secretFile(t, "password", canary+"\n")
	h := &heard{}
	count := []string{"count", ks + ".t", "--progress", "none", "--json", "-"}
	for what, c := range map[string]struct{ env, args []string }{
		"flags":                  {nil, []string{"--hosts", host, "--user", "mover", "--password-file", password, "--tls-ca", ca, "--tls-cert", cert, "--tls-key", key}},
		"variables":              {append(ownCertificate(), "RXCQL_HOSTS="+host, "RXCQL_USER=mover", "RXCQL_PASSWORD="+canary, "RXCQL_TLS_CA="+ca), nil},
		"a variable for a file":  {append(ownCertificate(), "RXCQL_HOSTS="+host, "RXCQL_USER=mover", "RXCQL_PASSWORD_FILE="+password, "RXCQL_TLS_CA="+ca), nil},
		"a cqlshrc":              {nil, []string{"--cqlshrc", cqlshrc("username = mover\npassword = " + canary + "\n")}},
		"credentials":            {nil, []string{"--cqlshrc", cqlshrc("credentials = " + secretFile(t, "cred", "[plain_text_auth]\nusername = mover\npassword = "+canary+"\n") + "\n")}},
		"a cqlshrc and the user": {[]string{"RXCQL_PASSWORD=" + canary}, []string{"--cqlshrc", cqlshrc(""), "--user", "mover"}},
	} {
		log := filepath.Join(t.TempDir(), "log")
		code, said := command(t, c.env, append(append(slices.Clone(count), "--log", log), c.args...)...)
		require.Zero(t, code, "%s: %s", what, said)
		text, err := os.ReadFile(log)
		require.NoError(t, err)
		h.say(said, string(text))
	}

	// Both sides, each by its own means, while the environment names hosts where nobody is.
	require.NoError(t, admin.Query("CREATE TABLE "+ks+".copy (k int PRIMARY KEY, v text)").Exec())
	code, said := command(t, []string{"RXCQL_HOSTS=127.0.0.1:1", "RXCQL_TARGET_PASSWORD=" + canary}, "copy", ks+".t", "--to", ks+".copy", "--progress", "none",
		"--source-cqlshrc", cqlshrc("username = mover\npassword = "+canary+"\n"), "--target-hosts", host, "--target-user", "mover", "--target-tls-ca", ca,
		"--target-tls-cert", cert, "--target-tls-key", key)
	require.Zero(t, code, said)
	h.say(said)
	h.nothing(t)
}

func TestTheCommandSaysWhoWasRefusedAndNoPassword(t *testing.T) {
	host, ca := cluster.Hosts()[0], cluster.CAFile()
	user, password := cluster.Login()
	login := []string{"RXCQL_HOSTS=" + host, "RXCQL_USER=" + user, "RXCQL_PASSWORD=" + password}
	trusted := append(ownCertificate(), "RXCQL_TLS_CA="+ca)
	h := &heard{}
	for what, c := range map[string]struct {
		env, args []string
		says      []string
	}{
		"a wrong password":       {append(slices.Clone(trusted), "RXCQL_HOSTS="+host, "RXCQL_USER="+user, "RXCQL_PASSWORD="+canary), nil, []string{"look at --user and the password"}},
		"nobody by that name":    {append(slices.Clone(trusted), "RXCQL_HOSTS="+host, "RXCQL_USER=nobody", "RXCQL_PASSWORD="+canary), nil, []string{"--user"}},
		"no login":               {append(slices.Clone(trusted), "RXCQL_HOSTS="+host), nil, []string{"--user"}},
		"no password":            {append(slices.Clone(trusted), "RXCQL_HOSTS="+host, "RXCQL_USER="+user), nil, []string{"--password-file", "RXCQL_PASSWORD"}},
		"no TLS":                 {login, nil, []string{"no connection to Cassandra"}},
		"another authority":      {login, []string{"--tls-ca", anotherCA(t)}, []string{"--tls-ca"}},
		"the system's authority": {login, []string{"--tls"}, []string{"--tls-ca"}},
		"another host name":      {append(slices.Clone(login[1:]), "RXCQL_HOSTS="+elsewhere(t)), []string{"--tls-ca", ca}, []string{"--tls-verify chain"}},
		"a password as a flag":   {nil, []string{"--hosts", host, "--password", canary}, []string{"--password-file"}},
		"a password behind -p":   {nil, []string{"--hosts", host, "-p" + canary}, []string{"--password-file"}},
	} {
		code, said := command(t, c.env, append([]string{"count", "system.local", "--connect-timeout", "20s", "--progress", "none"}, c.args...)...)
		require.Equal(t, 2, code, "%s: %s", what, said)
		for _, text := range c.says {
			require.Contains(t, said, text, what)
		}
		h.say(said)
	}
	h.nothing(t)
}
