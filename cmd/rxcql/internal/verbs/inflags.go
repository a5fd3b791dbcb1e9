package verbs

import (
	"regexp"
	"strings"
)

// inFlags lets an error of load or unload name flags where it names options of the library, which
// somebody at a terminal cannot give.
func inFlags(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	said := replaced(replaced(text, spelled, flagOf), fieldOf, flagOfField)
	if said == text {
		return err
	}
	return &inFlagsError{err, said}
}

// replaced puts flags in place of what a pattern finds, except where it is a part of a path, of a
// name in quotes or of another word.
func replaced(text string, found *regexp.Regexp, flags map[string]string) string {
	var out strings.Builder
	done := 0
	for _, at := range found.FindAllStringIndex(text, -1) {
		flag, known := flags[strings.TrimSuffix(text[at[0]:at[1]], "()")]
		if !known || at[0] > 0 && strings.IndexByte(`/\"'._-`, text[at[0]-1]) >= 0 || at[1] < len(text) && strings.IndexByte(`/\"'._-`, text[at[1]]) >= 0 {
			continue
		}
		out.WriteString(text[done:at[0]])
		out.WriteString(flag)
		done = at[1]
	}
	return out.String() + text[done:]
}

// inFlagsError is an error in the words of the command.
type inFlagsError struct {
	err  error
	text string
}

func (e *inFlagsError) Error() string { return e.text }
func (e *inFlagsError) Unwrap() error { return e.err }

// flagOf are the flags for options of packages transfer, source, sink, dialect and parquet.
var flagOf = map[string]string{
	"sink.Overwrite": "--replace", "parquet.Overwrite": "--replace", "Replace": "--replace",
	"IgnoreUnknown": "--ignore-columns", "IgnoreColumns": "--ignore-columns",
	"NullText": "--null", "WithFormat": "--format", "FileColumns": "--columns", "OnlyColumns": "--columns",
	"Into": "--map", "TTLColumn": "--ttl-column", "TimestampColumn": "--timestamp-column", "NullsDelete": "--nulls-delete",
	"BadRecords": "--bad", "MaxErrors": "--max-errors", "MaxErrorsPercent": "--max-errors",
	"WithTimes": "--times", "sink.Times": "--times", "WithCheckpoint": "--checkpoint", "WithShard": "--shard",
	"FileBytes": "--file-bytes", "Files": "--files", "Compress": "--compress",
	"rxcql.WithRowErrors":    "--max-errors",
	"read it with JSONArray": "give --format json", "read it with NDJSON": "give --format ndjson",
	"read it with package parquet":                   "give --format parquet",
	"give a Dialect with that Separator":             "give it as --delimiter",
	"give Dialect (dialect.Cqlsh, dialect.DSBulk)":   "give --dialect cqlsh or --dialect dsbulk",
	"another job name (and another checkpoint.File)": "another folder as --checkpoint, or with --restart",
	"is longer than MaxLine":                         "is longer than a record may be (16 MiB)",
	"add one with that `cql` tag":                    "add one to the table",
	"is not in Types":                                "is not in the table", "no column of Types is": "no column of the table is",
	"transfer.Load": "load", "transfer.Unload": "unload",
}

// spelled finds them, as whole words; an option may have its brackets.
var spelled = regexp.MustCompile(`(?:\b(?:sink\.Overwrite|parquet\.Overwrite|Replace|IgnoreUnknown|IgnoreColumns|NullText|WithFormat|FileColumns|OnlyColumns|` +
	`Into|TTLColumn|TimestampColumn|NullsDelete|BadRecords|MaxErrorsPercent|MaxErrors|WithTimes|sink\.Times|WithCheckpoint|WithShard|` +
	`FileBytes|Files|Compress|rxcql\.WithRowErrors|transfer\.Load|transfer\.Unload)\b(?:\(\))?)` +
	`|read it with (?:JSONArray|NDJSON|package parquet)|give a Dialect with that Separator|give Dialect \(dialect\.Cqlsh, dialect\.DSBulk\)` +
	`|another job name \(and another checkpoint\.File\)|is longer than MaxLine|is not in Types|no column of Types is|add one with that ` + "`cql` tag")

// flagOfField are the flags for fields of a dialect.Dialect.
var flagOfField = map[string]string{
	"dialect: Separator": "--delimiter", "dialect: Quote": "--quote", "dialect: Escape": "--escape", "dialect: Null": "--null",
	"dialect: EscapeBare": "--escape", "of Timestamps": "of --timestamps", "of Booleans": "of --booleans",
	"use another Zone": "use another --zone", "give a Zone": "give a --zone",
}

var fieldOf = regexp.MustCompile(`dialect: (?:Separator|Quote|EscapeBare|Escape|Null)\b|of (?:Timestamps|Booleans)\b|use another Zone\b|give a Zone\b`)
