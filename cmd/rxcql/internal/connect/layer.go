package connect

import (
	"bytes"
	"fmt"
	"os"
)

// layer is one of the places in which the settings of a side are looked for.
type layer struct {
	setting func(name string) (found, bool)
	// password returns the password that the place has for a user; false if it has none.
	password func(user string) (string, bool, error)
}

// found is a setting, where it was found (for errors), and in which of the layers: 0 counts most.
type found struct {
	value, where string
	level        int
}

// layers returns the places for a side, those first that count more. Of all cqlshrc files that are
// named one is read, the one that is named most specifically: a login of one file is not for the
// hosts of another. If no file and no hosts are given at all, the usual file of cqlsh is read; then
// the login in it goes to the host that stands next to it, and to no other cluster.
func (f *Flags) layers(side string) (all []layer, err error) {
	scopes := []string{side, ""}
	if side == "" {
		scopes = scopes[1:]
	}
	hosts, file := false, false
	for _, from := range []struct {
		look     func(name string) (found, bool)
		password func(scope string) (string, bool)
	}{
		{f.flag, func(string) (string, bool) { return "", false }},
		{f.variable, func(scope string) (string, bool) {
			v, there := f.variable(flagOf(scope, "password"))
			return v.value, there
		}},
	} {
		for _, scope := range scopes {
			setting := func(name string) (found, bool) { return from.look(flagOf(scope, name)) }
			all = append(all, layer{setting, func(string) (string, bool, error) {
				if path, there := setting("password-file"); there {
					password, err := readPassword(path)
					return password, true, err
				}
				password, there := from.password(scope)
				return password, there, nil
			}})
			if _, there := setting("hosts"); there {
				hosts = true
			}
			if path, there := setting("cqlshrc"); there && !file {
				file = true
				var rc cqlshrc
				rc, err = readCqlshrc(path.value)
				all = append(all, rc.layer())
			}
		}
	}
	if path := usual(); !hosts && !file && path != "" {
		var rc cqlshrc
		rc, err = readCqlshrc(path)
		all = append(all, rc.layer())
	}
	return all, err
}

// layer is what a cqlshrc says. Its password is for its user alone.
func (c cqlshrc) layer() layer {
	return layer{
		setting: func(name string) (found, bool) {
			v := c.settings[name]
			return found{value: v, where: c.path}, v != ""
		},
		password: func(user string) (string, bool, error) {
			return c.password, c.password != "" && c.settings["user"] == user, nil
		},
	}
}

// readPassword returns the first line of a file, as it is.
func readPassword(path found) (string, error) {
	text, err := os.ReadFile(home(path.value))
	if err != nil {
		return "", fmt.Errorf("%s: %w", path.where, err)
	}
	line, _, _ := bytes.Cut(text, []byte("\n"))
	if line = bytes.TrimSuffix(line, []byte("\r")); len(line) == 0 {
		return "", fmt.Errorf("%s: the first line of %s is empty; it must be the password", path.where, path.value)
	}
	return string(line), nil
}
