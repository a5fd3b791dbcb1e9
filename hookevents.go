package rxcql

import "time"

// RunEvent is what hooks are told of a run.
type RunEvent struct {
	Job     string   // of WithCheckpoint; empty without
	Sources []string // names of stages, as in the report
	Sinks   []string // likewise, as far as they are known before the run; none without a pipeline
	Start   time.Time

	// At the end:
	Duration time.Duration
	Report   Report
	// Err is what the run returns, for errors.Is and errors.As. Its text, like that of Err in all
	// events, is as the log has it: what may be a value in words of your own functions is left
	// out (see WithLogger).
	Err       error
	ErrorType string // see FetchEvent
}

// FetchEvent is what hooks are told of a request for a page.
type FetchEvent struct {
	Stage       string
	Keyspace    string
	Table       string
	Part        string // the token range, such as (-100, 250], or all
	Page        int64  // of the part, from 0
	Attempt     int    // of this page, from 1; also after one for more rows that was too large
	PageRows    int    // most rows asked for; 0 for all that there are
	Consistency string // as gocql spells it: QUORUM
	Start       time.Time

	// At the end:
	Duration time.Duration // until the answer was here; neither decoding nor hooks are in it
	Rows     int           // rows received, including those that could not be decoded
	Bytes    int64         // of their columns
	Host     string        // id of the node that coordinated the request; empty if there is no answer
	Err      error         // of the request, or of an answer that could not be decoded
	// ErrorType is the kind of Err, one of a few, for labels (OpenTelemetry's error.type):
	// cancelled (the context ended, also because the run has failed elsewhere), session closed,
	// no hosts, connection lost, client timeout, overloaded, bootstrapping, unavailable, read
	// timeout, read failure, too many tombstones, write timeout, write failure, unprepared, frame
	// too big, too large, syntax, invalid, unauthorized, authentication failed, server error,
	// schema changed, misconfigured, other. Empty if there is no error.
	ErrorType string
}

// WriteEvent is what hooks are told of a request that writes rows.
type WriteEvent struct {
	Stage       string
	Keyspace    string // empty where sink.Exec does not know it
	Table       string // likewise
	Operation   string // INSERT, DELETE; of sink.Exec the first word of the statement
	Rows        int    // more than 1 in a batch
	Bytes       int64  // of the values; 0 where sink.Exec does not know them
	Attempt     int    // of these rows, from 1; the halves of a batch that was refused are other requests
	Consistency string // as gocql spells it: QUORUM
	Start       time.Time

	// At the end:
	Duration  time.Duration
	Err       error
	ErrorType string // see FetchEvent
}

// SaveEvent is what hooks are told of a save of a checkpoint.
type SaveEvent struct {
	Job     string
	Bytes   int
	Sources []SourcePosition
	Start   time.Time

	// At the end:
	Duration  time.Duration // of the store's call; the pause for a sink with a barrier comes before that
	Err       error         // it ends the run
	ErrorType string        // see FetchEvent
}

// SourcePosition is how far a source is, by what is settled.
type SourcePosition struct {
	Stage       string
	RangesDone  int // neighbouring ranges count as one
	RangesBegun int
	Rows        int64 // settled, in all runs of the job
}

// PageEvent is what hooks are told of a page that a source hands on.
type PageEvent struct {
	Stage string
	Rows  int   // 0 for an empty page
	Bytes int64 // as in Report.ReadBytes
}

// WrittenEvent is what hooks are told of rows that have become durable.
type WrittenEvent struct {
	Stage string
	Rows  int
}

// RetryEvent is what hooks are told of a request that is repeated.
type RetryEvent struct {
	Stage     string
	Attempt   int           // that is about to begin, as WithRetry counts them: 2 is the first repeat; 0 where it does not count
	Wait      time.Duration // before it
	Err       error         // of the attempt before
	ErrorType string        // see FetchEvent
}

// LimitEvent is what hooks are told of the limit of requests in flight.
type LimitEvent struct {
	Stage     string
	Limit     int    // from now on
	Max       int    // what it began with, and grows to: InFlight
	ErrorType string // of the answer that cut it, see FetchEvent; empty when it has grown
}

// BudgetEvent is what hooks are told of a wait for room in the budget.
type BudgetEvent struct {
	Stage string // the source
	Bytes int64  // that it asked for
	Wait  time.Duration
	Err   error // why it got none, nil if it did; see RunEvent
}

// RowFailedEvent is what hooks are told of a row that failed and was left out. Its fields
// are as in RowErrorReport.
type RowFailedEvent struct {
	Stage        string
	Range        string
	Page         int64
	Row          int    // index in the page
	Place        string // where the source knows more: a file and its line
	Reason       string // without values
	DeadLettered bool   // it becomes a dead letter; else it is skipped
}
