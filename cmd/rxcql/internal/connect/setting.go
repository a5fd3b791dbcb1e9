package connect

import (
	"fmt"

	"github.com/spf13/pflag"
)

// setting is one setting of a side: the name of its flag, and what its help says.
type setting struct {
	name, def, kind, usage string
}

// settings are those of a side, in the order of the help.
var settings = []setting{
	{"hosts", "", "list", "hosts to connect to first, as host or host:port, with commas; the others are found through them"},
	{"port", "9042", "port", "the port of hosts that are given without one"},
	{"local-dc", "", "name", "the datacenter to work in (default: any)"},
	{"consistency", "LOCAL_QUORUM", "level", "consistency of reads and writes"},
	{"user", "", "name", "the name to log in with; the password: --password-file, RXCQL_PASSWORD, a cqlshrc, or a question on the terminal"},
	{"password-file", "", "file", "the file whose first line is the password"},
	{"cqlshrc", "", "file", "a cqlshrc to take hosts, login and TLS from, with its credentials (default: that of cqlsh, if no hosts are given)"},
	{"tls", "false", "", "connect by TLS; any other flag of TLS says so too"},
	{"tls-ca", "", "file", "PEM file of the authorities that the servers' certificates are verified with (default: the system's)"},
	{"tls-cert", "", "file", "PEM file of the client's certificate"},
	{"tls-key", "", "file", "PEM file of its key"},
	{"tls-verify", VerifyFull, "how", "full: certificate and host name; chain: the certificate alone, as cqlsh does; none: nothing"},
	{"timeout", "11s", "time", "how long a request may take"},
	{"connect-timeout", "5s", "time", "how long each step of connecting to a host may take"},
}

// Flags are the settings of all sides of a verb, as flags.
type Flags struct {
	// Every has the flags that hold for every side, Each those of one side alone.
	Every, Each *pflag.FlagSet

	getenv func(string) string
}

// NewFlags makes the flags of a verb. sides are the names of its sides; none if it has only one.
func NewFlags(getenv func(string) string, sides ...string) *Flags {
	f := &Flags{pflag.NewFlagSet("every", pflag.ContinueOnError), pflag.NewFlagSet("each", pflag.ContinueOnError), getenv}
	for _, s := range settings {
		add(f.Every, s.name, s)
		for _, side := range sides {
			add(f.Each, side+"-"+s.name, setting{s.name, "", s.kind, fmt.Sprintf("--%s of the %s", s.name, side)})
		}
	}
	return f
}

func add(set *pflag.FlagSet, name string, s setting) {
	value := &text{}
	flag := set.VarPF(value, name, "", s.usage)
	flag.DefValue = s.def
	value.kind = s.kind
	if s.kind == "" {
		flag.NoOptDefVal = "true"
		value.kind = "bool"
	}
}

// text is the value of a flag as it was given.
type text struct{ value, kind string }

func (t *text) String() string         { return t.value }
func (t *text) Set(value string) error { t.value = value; return nil }
func (t *text) Type() string           { return t.kind }

// flag looks for a flag that was given.
func (f *Flags) flag(name string) (found, bool) {
	for _, set := range []*pflag.FlagSet{f.Every, f.Each} {
		if flag := set.Lookup(name); flag != nil && flag.Changed {
			return found{value: flag.Value.String(), where: "--" + name}, true
		}
	}
	return found{}, false
}

// variable looks for the environment variable of a flag. An empty one counts as not set.
func (f *Flags) variable(name string) (found, bool) {
	v := f.getenv(variable(name))
	return found{value: v, where: variable(name)}, v != ""
}
