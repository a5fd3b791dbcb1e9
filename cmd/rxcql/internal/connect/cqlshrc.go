package connect

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// cqlshrc has what a side takes from a cqlshrc, under the names of the flags. Nothing of a file
// that is not there counts.
type cqlshrc struct {
	path     string
	settings map[string]string
	password string // of the user in the settings
}

// readCqlshrc reads a cqlshrc, and the file of credentials that it names (or the one that stands
// next to it under that name). The rules are those of cqlsh 5: what the credentials say comes
// before what the cqlshrc says.
func readCqlshrc(path string) (cqlshrc, error) {
	about := cqlshrc{path: path, settings: map[string]string{}}
	path = home(path)
	rc, err := readINI(path)
	if err != nil {
		return about, err
	}
	set := func(name, value string) {
		if value != "" {
			about.settings[name] = value
		}
	}
	host := rc.get("connection", "hostname")
	set("hosts", host)
	set("port", rc.get("connection", "port"))
	if module := rc.get("auth_provider", "module"); module != "" && module != "cassandra.auth" {
		return about, fmt.Errorf("%s: [auth_provider] names %s: rxcql logs in by name and password only", path, module)
	}

	provider := rc.get("auth_provider", "classname")
	if provider == "" {
		provider = "PlainTextAuthProvider"
	}
	credentials := home(rc.get("authentication", "credentials"))
	named := credentials != ""
	if !named {
		credentials = filepath.Join(filepath.Dir(path), "credentials")
	}
	cred, err := readINI(credentials)
	if err != nil && (named || !errors.Is(err, fs.ErrNotExist)) {
		return about, err
	}
	for _, from := range []struct {
		file    ini
		section string
	}{{cred, "plain_text_auth"}, {cred, provider}, {rc, "authentication"}, {rc, "auth_provider"}} {
		if about.settings["user"] == "" {
			set("user", from.file.get(from.section, "username"))
		}
		if about.password == "" {
			about.password = from.file.get(from.section, "password")
		}
	}

	if ssl := rc.get("connection", "ssl"); ssl != "" {
		set("tls", strconv.FormatBool(on(ssl)))
	}
	set("tls-ca", home(rc.get("ssl", "certfile")))
	set("tls-ca", home(rc.get("certfiles", strings.ToLower(host))))
	set("tls-cert", home(rc.get("ssl", "usercert")))
	set("tls-key", home(rc.get("ssl", "userkey")))
	if strings.EqualFold(rc.get("ssl", "validate"), "false") {
		set("tls-verify", VerifyNone)
	}
	if seconds := rc.get("connection", "timeout"); seconds != "" {
		set("connect-timeout", seconds+"s")
	}
	if seconds := rc.get("connection", "request_timeout"); seconds != "" {
		set("timeout", seconds+"s")
	}
	return about, nil
}

func readINI(path string) (ini, error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	parsed, err := parseINI(string(text))
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return parsed, nil
}

// on reports whether Python takes a setting for true.
func on(value string) bool {
	switch strings.ToLower(value) {
	case "1", "yes", "true", "on":
		return true
	}
	return false
}

// home puts the user's folder in the place of a leading ~.
func home(path string) string {
	if rest, found := strings.CutPrefix(path, "~/"); found {
		if dir, err := os.UserHomeDir(); err == nil {
			return filepath.Join(dir, rest)
		}
	}
	return path
}

// usual returns the cqlshrc that cqlsh would read, empty if there is none.
func usual() string {
	for _, path := range []string{"~/.cassandra/cqlshrc", "~/.cqlshrc"} {
		if _, err := os.Stat(home(path)); err == nil {
			return path
		}
	}
	return ""
}
