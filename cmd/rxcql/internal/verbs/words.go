package verbs

import (
	"regexp"
	"strings"
)

// words says, in the words of the command, what the packages that it is made of call by the names
// of their options. All that the command prints of their errors, notes and plans goes through
// plain.
var words = map[string]string{
	"Create": "--create", "Rename": "--rename", "Drop": "--drop", "Constant": "--constant", "Counters": "--counters",
	"Lossy": "--lossy", "TimesOptions": "--markers and --marker-time", "CountRanges": "--by-range", "CountSizes": "--sizes",
	"CountLargest": "--largest", "LeaveOut": "--leave-out", "Tolerance": "--write-tolerance and --expiry-tolerance",
	"Pause": "--pause", "Rereads": "--rereads", "MaxCandidates": "--max-candidates", "OnlyRanges": "the ranges of the file",
	"KnownFormats": "--format", "WithFormat": "--format", "WithStreams": "the standard streams", "Into": "--map", "FileColumns": "--columns",
	"IgnoreColumns": "--ignore-columns", "IgnoreUnknown": "--ignore-columns", "NullText": "--null", "TTLColumn": "--ttl-column", "TimestampColumn": "--timestamp-column",
	"NullsDelete": "--nulls-delete", "Spread": "--spread", "BadRecords": "--bad", "MaxErrors": "--max-errors",
	"MaxErrorsPercent": "--max-errors", "WithWorkers": "--workers", "WithSplits": "--splits", "WithShard": "--shard",
	"WithRate": "--rate", "WithCheckpoint": "--checkpoint", "WithConsistency": "--consistency", "WithTimes": "--times",
	"WithRun": "how it runs", "Bump": "--bump", "DeleteExtra": "--delete-extra", "OnlyColumns": "--columns", "Compress": "--compress",
	"FileBytes": "--file-bytes", "Files": "--files", "Replace": "--replace",
	"WithBudget": "--budget", "CheckpointInterval": "how often positions are saved", "CheckpointHeldPages": "the pages that are held",
	"CheckpointHeldBytes": "the bytes that are held", "CheckpointSessions": "the sessions", "RunOnce": "running once",
	"WithHooks": "progress", "WithGrace": "the time to end in", "WithLogger": "--log", "LogProgress": "--log",
	"RowsPerSecond": "--rate", "BytesPerSecond": "--rate", "RequestsPerSecond": "--rate", "RateBurst": "--rate", "WithRetry": "--retry-time",
	"WithRowErrors": "--max-errors or --bad",
}

// ofPackages are those of the packages below, whose names are common words too: they count only
// with the name of their package before them, or with something behind them that belongs to an
// option.
var ofPackages = map[string]string{
	// source
	"AdaptiveSplits": "splitting by itself", "Buffer": "the buffer", "Dialect": "--dialect", "Header": "--header", "MaxLine": "the longest line",
	"TypesOf": "the types of columns", "Types": "the types of columns",
	"Only": "the ranges of the file", "Bind": "bound values", "Consistency": "--consistency", "Columns": "--columns", "Splits": "--splits",
	"Shard": "--shard", "Measure": "the size of rows", "PageRows": "the rows of a page", "Left": "the source", "Right": "the target",
	"TailFrom": "the start", "TailUntil": "the end", "PollEvery": "the interval", "Overlap": "the overlap", "Delay": "the delay",
	"SeenBytes": "what is remembered", "Upserts": "upserts", "Throttle": "--rate", "Times": "--times",
	// sink
	"Overwrite": "--replace", "Gzip": "--compress gzip", "Zstd": "--compress zstd", "MaxBytes": "--file-bytes", "Parallel": "--files",
	"InFlight": "the requests in flight", "Idempotent": "what bears being repeated", "BatchRows": "the rows of a batch",
	"BatchBytes": "the bytes of a batch", "BatchLinger": "how long a batch waits", "Delete": "deleting", "TTL": "the time to live",
	"TTLOf": "--ttl-column", "TimestampOf": "--timestamp-column", "BatchByReplicaSet": "--spread", "SortByToken": "--spread",
	"Markers":    "--markers",
	"MarkerTime": "--marker-time", "Untimed": "values without times", "CountTimes": "the counts of times",
}

// named is a word that may be an option: with the package's name before it, or alone; with
// arguments behind it, or none. Names of columns and files are told apart by what stands next to
// them.
var named = regexp.MustCompile(`(^|[\s(,])((?:transfer|source|sink|rxcql|operators|checkpoint|deadletter|dialect|parquet)\.)?([A-Z][A-Za-z]+)(\([^()]*\))?([:;,.)]*)($|\s)`)

// plain puts flags in the place of options in a text of the packages that the command is made of. A
// name of a package goes, also where the command has no word for what stands behind it.
func plain(text string) string {
	text = phrases.Replace(text)
	for range 2 { // two names may share the space between them
		text = named.ReplaceAllStringFunc(text, inWords)
	}
	return text
}

func inWords(match string) string {
	m := named.FindStringSubmatch(match)
	before, of, name, arguments, behind, after := m[1], m[2], m[3], m[4], m[5], m[6]
	option := of != "" || arguments != "" || strings.HasPrefix(behind, ":")
	word, known := words[name]
	if !known && option {
		word, known = ofPackages[name]
	}
	switch inside := strings.Trim(arguments, "()"); {
	case known && inside != "":
		word += " " + inside
	case known:
	case of == "transfer." && behind == ":": // an error begins with the verb
		return before
	case of != "":
		word = name + arguments
	default:
		return match
	}
	return before + word + behind + after
}

// plainEach is plain for the notes of a report or a plan, where they are.
func plainEach(notes ...[]string) {
	for _, lines := range notes {
		for i := range lines {
			lines[i] = plain(lines[i])
		}
	}
}
