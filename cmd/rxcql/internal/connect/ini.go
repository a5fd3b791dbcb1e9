package connect

import (
	"fmt"
	"strings"
)

// ini has the settings of a cqlshrc: sections, and in these the names of settings in lower case.
type ini map[string]map[string]string

// parseINI reads a file as Python's RawConfigParser does, which is what cqlsh reads its files with:
// values are taken as they are, with their quotes, per cent signs, and whatever stands behind a #.
// Common readers of INI files take some of these for syntax, and would change a password. An error
// names the line by its number only, since the line may be a password.
func parseINI(text string) (ini, error) {
	all := ini{}
	var section map[string]string
	last := ""
	for n, line := range strings.Split(text, "\n") {
		line = strings.TrimRight(line, " \t\r")
		trimmed := strings.TrimLeft(line, " \t")
		switch {
		case trimmed == "" || trimmed[0] == '#' || trimmed[0] == ';':
		case trimmed != line && last != "": // it goes on with the value before
			section[last] += "\n" + trimmed
		case trimmed[0] == '[' && strings.HasSuffix(trimmed, "]"):
			name := trimmed[1 : len(trimmed)-1]
			if all[name] == nil {
				all[name] = map[string]string{}
			}
			section, last = all[name], ""
		case section == nil:
			return nil, fmt.Errorf("line %d is in no section: put a line like [connection] before it", n+1)
		default:
			at := strings.IndexAny(trimmed, "=:")
			if at < 0 {
				last = strings.ToLower(trimmed)
				section[last] = ""
				continue
			}
			last = strings.ToLower(strings.TrimSpace(trimmed[:at]))
			section[last] = strings.TrimSpace(trimmed[at+1:])
		}
	}
	return all, nil
}

// get returns a setting, empty if it is not there.
func (i ini) get(section, name string) string { return i[section][name] }
