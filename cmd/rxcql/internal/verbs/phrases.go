package verbs

import "strings"

// phrases puts the words of the command in the place of whole phrases of the packages that it is
// made of: what is one option there may be a flag and its value here.
var phrases = strings.NewReplacer(
	"give Untimed for columns that you have added, or Lossy", "give --lossy",
	"give Untimed if you have added it, or Lossy if", "give --lossy if",
	"read it with Escapes set to EscapesNone", "take the backslashes out",
	"read it with JSONArray", "give --format json",
	"read it with NDJSON", "give --format ndjson",
	"read it with package parquet", "give --format parquet",
	"give a Dialect with that Separator", "give it as --delimiter",
	"give Dialect (dialect.Cqlsh, dialect.DSBulk)", "give --dialect cqlsh or --dialect dsbulk",
	"another job name (and another checkpoint.File)", "another folder as --checkpoint, or with --restart",
	"is longer than MaxLine", "is longer than a record may be (16 MiB)",
	"add one with that `cql` tag", "add one to the table",
	"is not in Types", "is not in the table",
	"no column of Types is", "no column of the table is",
	"dialect: Separator", "dialect: --delimiter",
	"dialect: Quote", "dialect: --quote",
	"dialect: EscapeBare", "dialect: --escape",
	"dialect: Escape", "dialect: --escape",
	"dialect: Null", "dialect: --null",
	"of Timestamps", "of --timestamps",
	"of Booleans", "of --booleans",
	"use another Zone", "use another --zone",
	"give a Zone", "give a --zone",
)
