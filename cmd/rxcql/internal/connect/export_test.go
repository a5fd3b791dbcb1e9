package connect

import "crypto/tls"

// For tests of this folder.

// ParseINI returns a setting of a file.
func ParseINI(text, section, name string) (string, error) {
	parsed, err := parseINI(text)
	return parsed.get(section, name), err
}

// Password returns the password of a side.
func (s *Side) Password() string { return s.password }

// Config returns how a side is connected to by TLS.
func (t *TLS) Config() *tls.Config { return t.config }
