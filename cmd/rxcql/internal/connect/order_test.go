package connect_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/cmd/rxcql/internal/connect"
)

// places are those in which a setting of the target can stand, those first that count more.
var places = []struct {
	name string
	add  func(t *testing.T, g *given, s ordered, value string)
}{
	{"--target-x", func(_ *testing.T, g *given, s ordered, v string) { g.args = append(g.args, "--target-"+s.name+"="+v) }},
	{"the file of --target-cqlshrc", func(t *testing.T, g *given, s ordered, v string) {
		g.args = append(g.args, "--target-cqlshrc="+s.cqlshrc(t, v))
	}},
	{"--x", func(_ *testing.T, g *given, s ordered, v string) { g.args = append(g.args, "--"+s.name+"="+v) }},
	{"the file of --cqlshrc", func(t *testing.T, g *given, s ordered, v string) {
		g.args = append(g.args, "--cqlshrc="+s.cqlshrc(t, v))
	}},
	{"RXCQL_TARGET_X", func(_ *testing.T, g *given, s ordered, v string) { g.env[s.variable("RXCQL_TARGET_")] = v }},
	{"the file of RXCQL_TARGET_CQLSHRC", func(t *testing.T, g *given, s ordered, v string) {
		g.env["RXCQL_TARGET_CQLSHRC"] = s.cqlshrc(t, v)
	}},
	{"RXCQL_X", func(_ *testing.T, g *given, s ordered, v string) { g.env[s.variable("RXCQL_")] = v }},
	{"the file of RXCQL_CQLSHRC", func(t *testing.T, g *given, s ordered, v string) { g.env["RXCQL_CQLSHRC"] = s.cqlshrc(t, v) }},
}

// ordered is a setting, with a value of its own for each place.
type ordered struct {
	name    string
	value   func(place int) string
	inFile  string // a cqlshrc with %s for the value; empty if a cqlshrc cannot say it
	see     func(connect.Side) string
	another string // flags that it needs
}

func (s ordered) variable(prefix string) string {
	return prefix + strings.ToUpper(strings.ReplaceAll(s.name, "-", "_"))
}

func (s ordered) cqlshrc(t *testing.T, value string) string {
	t.Helper()
	return file(t, "cqlshrc", fmt.Sprintf(s.inFile, value))
}

func of(prefix string) func(int) string {
	return func(place int) string { return fmt.Sprint(prefix, place+1) }
}

func TestEachSettingIsTakenFromTheMostSpecificPlace(t *testing.T) {
	levels := []string{"ONE", "TWO", "THREE", "QUORUM", "ALL", "EACH_QUORUM", "LOCAL_ONE", "ANY"}
	for _, s := range []ordered{
		{"hosts", of("h"), "[connection]\nhostname = %s\n", func(s connect.Side) string { return strings.Join(s.Hosts, ",") }, ""},
		{"port", of("90"), "[connection]\nport = %s\n", func(s connect.Side) string { return fmt.Sprint(s.Port) }, "--hosts=h"},
		{"local-dc", of("dc"), "", func(s connect.Side) string { return s.LocalDC }, "--hosts=h"},
		{"consistency", func(i int) string { return levels[i] }, "", func(s connect.Side) string { return s.Consistency.String() }, "--hosts=h"},
		{"user", of("u"), "[authentication]\nusername = %s\npassword = p\n", func(s connect.Side) string { return s.User }, "--hosts=h"},
		{"timeout", of(""), "[connection]\nrequest_timeout = %s\n", func(s connect.Side) string { return fmt.Sprint(s.Timeout.Seconds()) }, "--hosts=h"},
		{"connect-timeout", of(""), "[connection]\ntimeout = %s\n", func(s connect.Side) string { return fmt.Sprint(s.Connect.Seconds()) }, "--hosts=h"},
	} {
		for first := range places {
			if strings.Contains(places[first].name, "file") && s.inFile == "" {
				continue
			}
			g := given{env: map[string]string{"RXCQL_PASSWORD": "p"}}
			if s.another != "" {
				g.args = append(g.args, s.another)
			}
			for i, p := range places[first:] { // this place, and all that count less
				inFile := strings.Contains(p.name, "file")
				if inFile && s.inFile == "" {
					continue
				}
				value := s.value(first + i)
				if strings.HasSuffix(s.name, "timeout") && !inFile {
					value += "s"
				}
				p.add(t, &g, s, value)
			}
			side, err := g.resolve(t, "target", "source", "target")
			require.NoError(t, err, "%s in %s", s.name, places[first].name)
			require.Equal(t, s.value(first), s.see(side), "%s: %s counts most", s.name, places[first].name)
		}
	}
}

func TestVariablesForBothSidesDoNotReplaceTheHostsOfFilesOfTheSides(t *testing.T) {
	rc := func(host string) string { return file(t, host, "[connection]\nhostname = "+host+"\n") }
	for _, g := range []given{
		{env: map[string]string{"RXCQL_HOSTS": "both"}, args: []string{"--source-cqlshrc", rc("old"), "--target-cqlshrc", rc("new")}},
		{args: []string{"--hosts", "both", "--source-cqlshrc", rc("old"), "--target-cqlshrc", rc("new")}},
		{env: map[string]string{"RXCQL_HOSTS": "both", "RXCQL_SOURCE_CQLSHRC": rc("old"), "RXCQL_TARGET_CQLSHRC": rc("new")}},
		{env: map[string]string{"RXCQL_HOSTS": "both", "RXCQL_TARGET_HOSTS": "other"}, args: []string{"--source-hosts", "old", "--target-cqlshrc", rc("new")}},
	} {
		for side, want := range map[string]string{"source": "old", "target": "new"} {
			s, err := g.resolve(t, side, "source", "target")
			require.NoError(t, err)
			require.Equal(t, []string{want}, s.Hosts, "%v %v", g.args, g.env)
		}
	}
}

func TestTLSIsOnOrOffAsTheMostSpecificPlaceSays(t *testing.T) {
	ca := file(t, "ca.pem", string(newAuthority(t).pem))
	rc := func(ssl string) string {
		return file(t, "rc", "[connection]\nhostname = h\nssl = "+ssl+"\n[ssl]\ncertfile = "+ca+"\n")
	}
	for _, c := range []struct {
		args []string
		env  map[string]string
		on   bool
	}{
		{nil, nil, false},
		{[]string{"--tls"}, nil, true},
		{[]string{"--tls-ca", ca}, nil, true},
		{[]string{"--tls-verify", "none"}, nil, true},
		{[]string{"--target-tls=false", "--tls-ca", ca}, nil, false},
		{[]string{"--tls=false"}, map[string]string{"RXCQL_TARGET_TLS": "true", "RXCQL_TLS_CA": ca}, false},
		{[]string{"--tls-ca", ca}, map[string]string{"RXCQL_TLS": "false"}, true},
		{[]string{"--target-cqlshrc", rc("true")}, map[string]string{"RXCQL_TLS": "false"}, true},
		{[]string{"--target-cqlshrc", rc("false")}, map[string]string{"RXCQL_TLS": "true"}, false},
		{[]string{"--target-cqlshrc", rc("true"), "--target-tls=false"}, nil, false},
		{[]string{"--target-cqlshrc", rc("true"), "--tls=false"}, nil, true},
	} {
		s, err := given{args: append([]string{"--target-hosts", "h"}, c.args...), env: c.env}.resolve(t, "target", "source", "target")
		require.NoError(t, err, c.args)
		require.Equal(t, c.on, s.TLS != nil, "%v %v", c.args, c.env)
	}
}

func TestAPasswordIsTakenFromTheMostSpecificPlaceToo(t *testing.T) {
	rc := func(password string) string {
		return file(t, "rc", "[authentication]\nusername = u\npassword = "+password+"\n")
	}
	text := func(password string) string { return file(t, "p", password) }
	all := []struct {
		args []string
		env  map[string]string
	}{
		{args: []string{"--target-password-file", text("1")}},
		{args: []string{"--target-cqlshrc", rc("2")}},
		{args: []string{"--password-file", text("3")}},
		{args: []string{"--cqlshrc", rc("4")}},
		{env: map[string]string{"RXCQL_TARGET_PASSWORD_FILE": text("5")}},
		{env: map[string]string{"RXCQL_TARGET_PASSWORD": "6"}},
		{env: map[string]string{"RXCQL_TARGET_CQLSHRC": rc("7")}},
		{env: map[string]string{"RXCQL_PASSWORD_FILE": text("8")}},
		{env: map[string]string{"RXCQL_PASSWORD": "9"}},
		{env: map[string]string{"RXCQL_CQLSHRC": rc("10")}},
	}
	for first := range all {
		g := given{args: []string{"--hosts", "h", "--user", "u"}, env: map[string]string{}}
		for _, p := range all[first:] {
			g.args = append(g.args, p.args...)
			for name, value := range p.env {
				g.env[name] = value
			}
		}
		s, err := g.resolve(t, "target", "source", "target")
		require.NoError(t, err)
		require.Equal(t, fmt.Sprint(first+1), s.Password())
	}
}
