package connect

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// ErrNoTerminal says that a password cannot be asked for.
var ErrNoTerminal = errors.New("there is no terminal to ask on")

// password finds the password of a side's user. It is empty if there is no user.
func (f *Flags) password(s *Side, rc cqlshrc, get func(string) found, ask func(string) (string, error)) (string, error) {
	file := get("password-file")
	if s.User == "" {
		if file.value != "" {
			return "", fmt.Errorf("%s: there is no user: give --%s", file.where, flagOf(s.Name, "user"))
		}
		return "", nil
	}
	if file.value != "" {
		text, err := os.ReadFile(home(file.value))
		if err != nil {
			return "", fmt.Errorf("%s: %w", file.where, err)
		}
		line, _, _ := bytes.Cut(text, []byte("\n"))
		if line = bytes.TrimSuffix(line, []byte("\r")); len(line) == 0 {
			return "", fmt.Errorf("%s: the first line of %s is empty; it must be the password", file.where, file.value)
		}
		return string(line), nil
	}
	names := []string{flagOf(s.Name, "password"), "password"}
	if v := f.getenv(variable(names[0])); v != "" {
		return v, nil
	}
	// The password of a cqlshrc comes before that of both sides, which may be another user's.
	if rc.password != "" && rc.settings["user"] == s.User {
		return rc.password, nil
	}
	if v := f.getenv(variable(names[1])); v != "" {
		return v, nil
	}
	v, err := ask(fmt.Sprintf("Password of %s%s: ", s.User, s.of()))
	if err != nil {
		return "", fmt.Errorf("user %s has no password (%w): give --%s, or set %s",
			s.User, err, flagOf(s.Name, "password-file"), variable(names[0]))
	}
	return v, nil
}

// Ask asks for a password on the terminal, which does not show it. Standard input may be data, so
// it is the terminal itself that is read, where the system has a name for that.
func Ask(prompt string) (string, error) {
	in, err := os.OpenFile("/dev/tty", os.O_RDWR, 0)
	if err != nil {
		in = os.Stdin
	} else {
		defer in.Close()
	}
	if !term.IsTerminal(int(in.Fd())) {
		return "", ErrNoTerminal
	}
	out := in
	if in == os.Stdin {
		out = os.Stderr
	}
	fmt.Fprintf(out, "%s", prompt)
	text, err := term.ReadPassword(int(in.Fd()))
	fmt.Fprintf(out, "\n")
	return strings.TrimRight(string(text), "\r\n"), err
}
