package connect

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/term"
)

// ErrNoTerminal says that a password cannot be asked for.
var ErrNoTerminal = errors.New("there is no terminal to ask on")

// password finds the password of a side's user. It is empty if there is no user.
func password(s *Side, layers []layer, get func(string) found, ask func(string) (string, error)) (string, error) {
	if s.User == "" {
		if file := get("password-file"); file.value != "" {
			return "", fmt.Errorf("%s: there is no user: give --%s", file.where, flagOf(s.Name, "user"))
		}
		return "", nil
	}
	for _, l := range layers {
		if v, there, err := l.password(s.User); there || err != nil {
			return v, err
		}
	}
	v, err := ask(fmt.Sprintf("Password of %s%s: ", s.User, s.of()))
	if err != nil {
		return "", fmt.Errorf("user %s has no password (%w): give --%s, or set %s",
			s.User, err, flagOf(s.Name, "password-file"), variable(flagOf(s.Name, "password")))
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
