package driver

import (
	"context"
	"errors"
	"fmt"

	"github.com/gocql/gocql"
)

// MaxBatchEntries is how many statements the protocol allows in one batch.
const MaxBatchEntries = gocql.BatchSizeMaximum

var (
	// ErrEmptyBatch says that a batch without entries was to be run.
	ErrEmptyBatch = errors.New("the batch has no entries")

	// ErrBatchTooLong says that a batch has more than MaxBatchEntries entries.
	ErrBatchTooLong = fmt.Errorf("a batch takes %d entries at most", MaxBatchEntries)
)

// BatchKind is how the server applies a batch.
type BatchKind uint8

const (
	Unlogged BatchKind = iota // atomic and isolated within one partition; across several, neither
	Logged                    // all or nothing in the end, at the price of the batch log
	Counter                   // of counter updates
)

// Batch is several statements sent as one request. Its zero value is an empty
// unlogged batch. It is not safe for concurrent use, and may be run again.
type Batch struct {
	Kind              BatchKind
	Consistency       *gocql.Consistency       // nil: the session's
	SerialConsistency *gocql.SerialConsistency // nil: the session's
	Timestamp         *int64                   // as in Statement; USING TIMESTAMP in an entry goes before it
	Idempotent        bool                     // as in Statement

	made      gocql.Batch // its entries alone are used
	encodings []*Encoding // one an entry
	binder    entryBinder
}

// AddEntry adds a statement; args and encoding are as in Statement, and must stay as
// they are until the batch has run for the last time. The first entry decides which
// replica coordinates the batch. Its encoding alone is not compared: gocql makes no
// routing key for an entry that has a binder. When a table goes the server forgets the
// other entries' statements too.
func (b *Batch) AddEntry(cql string, args []any, encoding *Encoding) {
	args = guarded(args)
	if n := len(b.made.Entries); n > 0 && len(args) > 0 {
		if b.binder.fn == nil {
			b.binder.batch, b.binder.fn = b, b.binder.bind
		}
		b.made.Bind(cql, b.binder.fn)
		b.made.Entries[n].Args = args
		b.binder.entries = append(b.binder.entries, n)
	} else {
		b.made.Entries = append(b.made.Entries, gocql.BatchEntry{Stmt: cql, Args: args})
	}
	b.encodings = append(b.encodings, encoding)
}

// entryBinder is the binder of all entries but the first that have values. gocql asks
// it for one after the other, and for all of them again when the server has forgotten
// a statement.
type entryBinder struct {
	binder
	fn      func(*gocql.QueryInfo) ([]any, error)
	batch   *Batch
	entries []int // that have this binder
	next    int   // of entries
}

func (b *entryBinder) begin(ctx context.Context, s *Session) {
	b.binder = binder{session: s, ctx: ctx}
	b.next = 0
}

func (b *entryBinder) bind(info *gocql.QueryInfo) ([]any, error) {
	b.handed = false
	made := b.batch.made.Entries
	if b.next == 0 {
		if b.prepares++; b.prepares > maxPrepares {
			return nil, ErrUnpreparedLoop
		}
		if err := unsettable(info.Args, made[0].Args); err != nil {
			return nil, err
		}
	}
	n := b.entries[b.next]
	if err := b.check(info, b.batch.encodings[n], made[n].Args); err != nil {
		return nil, err
	}
	b.next = (b.next + 1) % len(b.entries)
	b.handed = b.next == 0
	return made[n].Args, nil
}

// Len is the number of entries.
func (b *Batch) Len() int { return len(b.made.Entries) }

// Reset empties b and keeps its settings and its memory. It must not be called
// while b runs.
func (b *Batch) Reset() {
	clear(b.made.Entries)
	b.made.Entries = b.made.Entries[:0]
	clear(b.encodings)
	b.encodings = b.encodings[:0]
	b.binder.entries = b.binder.entries[:0]
}

// ExecBatch runs b. A batch of one entry is sent as a plain statement, which
// means the same and costs the server less.
func (s *Session) ExecBatch(ctx context.Context, b *Batch) error {
	switch {
	case len(b.made.Entries) == 0:
		return ErrEmptyBatch
	case len(b.made.Entries) > MaxBatchEntries:
		return ErrBatchTooLong
	case len(b.made.Entries) == 1:
		return s.Exec(ctx, Statement{
			CQL: b.made.Entries[0].Stmt, Args: b.made.Entries[0].Args, Encoding: b.encodings[0],
			Consistency: b.Consistency, SerialConsistency: b.SerialConsistency,
			Timestamp: b.Timestamp, Idempotent: b.Idempotent,
		})
	case b.Timestamp != nil && *b.Timestamp == 0:
		return ErrZeroTimestamp
	}
	if err := s.placed(ctx); err != nil {
		return err
	}
	batch := s.batch(ctx, b)
	var sending func() bool
	if len(b.binder.entries) > 0 {
		sending = b.binder.sending
	}
	err := guard(ctx, sending, func() error { return s.gocql.ExecuteBatch(batch.WithContext(ctx)) })
	for i := range b.made.Entries {
		err = withhold(err, b.made.Entries[i].Args)
	}
	return err
}

func (s *Session) batch(ctx context.Context, b *Batch) *gocql.Batch {
	batch := s.gocql.NewBatch(b.Kind.gocql()).RetryPolicy(nil)
	b.binder.begin(ctx, s)
	for i := range b.made.Entries {
		b.made.Entries[i].Idempotent = b.Idempotent
	}
	batch.Entries = b.made.Entries
	if b.Consistency != nil {
		batch.SetConsistency(*b.Consistency)
	}
	if b.SerialConsistency != nil {
		batch.SerialConsistency(*b.SerialConsistency)
	}
	if b.Timestamp != nil {
		batch.WithTimestamp(*b.Timestamp)
	}
	return batch
}

func (k BatchKind) gocql() gocql.BatchType {
	switch k {
	case Logged:
		return gocql.LoggedBatch
	case Counter:
		return gocql.CounterBatch
	}
	return gocql.UnloggedBatch
}
