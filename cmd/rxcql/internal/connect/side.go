package connect

import (
	"cmp"
	"errors"
	"fmt"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gocql/gocql"
)

// Side is how to connect to one side of a verb.
type Side struct {
	Name        string // source, target; empty if the verb has one side
	Hosts       []string
	Port        int
	LocalDC     string
	Consistency gocql.Consistency
	User        string
	TLS         *TLS // nil for none
	Timeout     time.Duration
	Connect     time.Duration // the timeout of each step of connecting

	password string
	from     string // where the hosts were found
}

// Resolve puts the settings of a side together. It reads files, and asks for the password if there
// is a user and no password. One error reports everything that is wrong.
func (f *Flags) Resolve(side string, ask func(prompt string) (string, error)) (Side, error) {
	s := Side{Name: side}
	var errs []error
	layers, err := f.layers(side)
	errs = append(errs, err)
	get := func(name string) found {
		for level, l := range layers {
			if v, there := l.setting(name); there {
				v.level = level
				return v
			}
		}
		i := slices.IndexFunc(settings, func(s setting) bool { return s.name == name })
		return found{settings[i].def, "--" + flagOf(side, name), len(layers)}
	}
	wrong := func(v found, why string) { errs = append(errs, fmt.Errorf("%s %q: %s", v.where, v.value, why)) }

	port := get("port")
	if s.Port, err = strconv.Atoi(port.value); err != nil || s.Port < 1 || s.Port > 65535 {
		wrong(port, "a port is a number from 1 to 65535")
	}
	hosts := get("hosts")
	s.from = hosts.where
	for host := range strings.SplitSeq(hosts.value, ",") {
		if host = strings.TrimSpace(host); host != "" {
			s.Hosts = append(s.Hosts, host)
		}
	}
	if len(s.Hosts) == 0 {
		errs = append(errs, fmt.Errorf("no hosts: give --%s, or set %s, or name them in a cqlshrc", flagOf(side, "hosts"), variable(flagOf(side, "hosts"))))
	} else if err := s.ports(); err != nil {
		wrong(hosts, err.Error())
	}
	s.LocalDC = get("local-dc").value
	level := get("consistency")
	if s.Consistency, err = gocql.ParseConsistencyWrapper(strings.ToUpper(level.value)); err != nil {
		wrong(level, "no such level; LOCAL_QUORUM, LOCAL_ONE, QUORUM, ONE, ALL and others are")
	}
	for name, to := range map[string]*time.Duration{"timeout": &s.Timeout, "connect-timeout": &s.Connect} {
		v := get(name)
		if *to, err = time.ParseDuration(v.value); err != nil || *to <= 0 {
			wrong(v, "a time is a number with a unit, above 0: 500ms, 11s, 1m")
		}
	}
	s.TLS, err = readTLS(get)
	errs = append(errs, err)
	s.User = get("user").value
	if errs = slices.DeleteFunc(errs, func(err error) bool { return err == nil }); len(errs) == 0 {
		s.password, err = password(&s, layers, get, ask)
		errs = append(errs, err)
	}
	if err := errors.Join(errs...); err != nil {
		return Side{}, fmt.Errorf("connection%s: %w", s.of(), err)
	}
	return s, nil
}

// ports takes the port that the hosts are given with for that of the whole cluster, since the
// servers tell of each other without a port.
func (s *Side) ports() error {
	port := 0
	for _, host := range s.Hosts {
		if !strings.Contains(host, ":") || net.ParseIP(strings.Trim(host, "[]")) != nil {
			continue
		}
		_, text, err := net.SplitHostPort(host)
		if err != nil {
			return errors.New("a host is host or host:port; an IPv6 address with a port stands in brackets")
		}
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > 65535 {
			return errors.New("a port is a number from 1 to 65535")
		}
		port = cmp.Or(port, n)
	}
	s.Port = cmp.Or(port, s.Port)
	return nil
}

// of is what a text says of a side: " of the target".
func (s *Side) of() string {
	if s.Name == "" {
		return ""
	}
	return " of the " + s.Name
}

func flagOf(side, name string) string {
	if side == "" {
		return name
	}
	return side + "-" + name
}

// variable returns the name of the environment variable of a flag.
func variable(flag string) string {
	return "RXCQL_" + strings.ToUpper(strings.ReplaceAll(flag, "-", "_"))
}
