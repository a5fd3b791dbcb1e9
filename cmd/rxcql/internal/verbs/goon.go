package verbs

import (
	"errors"
	"fmt"
	"strings"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/kept"
)

// goOn says how a run goes on that did not come to its end. It is empty if there is nothing to go
// on with.
func (v *verb) goOn(all []fleet.Outcome) (text string) {
	var filled []string // tables of counters that were begun
	rest := false       // of others
	for i := range all {
		switch o := &all[i]; {
		case !v.hasRest(o):
		case o.FromEmpty && o.Status != fleet.NotBegun:
			filled = append(filled, o.Table)
		default:
			rest = true
		}
	}
	switch {
	case len(filled) > 0:
		text = fmt.Sprintf("a copy of counters cannot go on: empty the target of %s first (TRUNCATE); then ", strings.Join(filled, ", "))
	case !rest:
		return ""
	}
	stream := v.stream()
	switch {
	case stream != "":
		return text + "the next run begins anew: one with " + stream + " cannot go on"
	case !v.goesOn() && rest:
		return text + "the next run begins anew" + v.anew() + "; with --checkpoint FOLDER it would go on"
	case !v.goesOn():
		return text + "the next run begins anew"
	case rest:
		text += "the run goes on with the same command"
	default:
		text += "the same command begins it anew"
	}
	if v.run.restart {
		text += " without --restart"
	}
	if secret := v.Flags().Lookup("constant"); secret != nil && secret.Changed { // values stay out of reports
		return text
	}
	return text + ": " + v.commandLine()
}

// hasRest reports whether there is something of a table to go on with. That is so if a signal has
// ended its job, its turn has not come, or parts of it could not be read. If its job failed, it is
// so if
//   - the job has begun to read, in this run or in an earlier one that this one went on from: what
//     was refused before has nothing to go on with, and its error says what to do;
//   - and what an earlier run has left is not refused, since it would be refused again;
//   - and, where the tables or flags are wrong, something was done: without that the next run would
//     come to the same error.
func (v *verb) hasRest(o *fleet.Outcome) bool {
	switch o.Status {
	case fleet.Stopped, fleet.NotBegun:
		return true
	case fleet.Left:
		return o.Unread
	case fleet.Failed:
	default:
		return false
	}
	done := o.Written
	if v.readsOnly {
		done = o.Read
	}
	switch err := o.Err(); {
	case kept.Refused(err):
		return false
	case errors.Is(err, rxcql.ErrConfig), errors.Is(err, rxcql.ErrSchema):
		return done > 0 || o.Resumed
	}
	return o.Begun || o.Resumed
}

// stream names the standard stream that has the data; empty if none has.
func (v *verb) stream() string {
	switch {
	case v.files && v.Flags().Arg(0) == standard:
		return "standard input"
	case v.dataOut():
		return "standard output"
	}
	return ""
}

// commandLine is the command that goes on with the run, as a shell reads it.
func (v *verb) commandLine() string {
	words := []string{"rxcql"}
	for _, arg := range v.goOnArgs() {
		if arg == "" || strings.ContainsAny(arg, " \t\n\"'`$\\*?[](){}<>|&;!#~") {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		words = append(words, arg)
	}
	return strings.Join(words, " ")
}

// goOnArgs are the arguments of this run without --restart, however it was spelled. What looks like
// it and is the value of another flag, or a path after --, stays.
func (v *verb) goOnArgs() (all []string) {
	given := v.program.Args
	for i := 0; i < len(given); i++ {
		name, isFlag := strings.CutPrefix(given[i], "--")
		if isFlag && name == "" {
			return append(all, given[i:]...)
		}
		name, _, valued := strings.Cut(name, "=")
		if isFlag && name == "restart" && v.run.restart {
			continue
		}
		all = append(all, given[i])
		if f := v.Flags().Lookup(name); isFlag && !valued && f != nil && f.NoOptDefVal == "" && i+1 < len(given) {
			i++
			all = append(all, given[i]) // its value
		}
	}
	return all
}
