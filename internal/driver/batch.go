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

	entries []gocql.BatchEntry
	binder  *binder // of entry 1
}

// AddEntry adds a statement; args are as in Statement, and must stay as they
// are until the batch has run for the last time. The first entry decides which
// replica coordinates the batch.
func (b *Batch) AddEntry(cql string, args []any) {
	entry := gocql.BatchEntry{Stmt: cql, Args: guarded(args)}
	if len(b.entries) == 1 && len(args) > 0 {
		// One entry counts prepares, as in Session.query. It cannot be entry 0:
		// gocql makes no routing key for an entry with a binder.
		var maker gocql.Batch
		b.binder = &binder{args: entry.Args}
		maker.Bind(cql, b.binder.bind)
		maker.Entries[0].Args = entry.Args
		entry = maker.Entries[0]
	}
	b.entries = append(b.entries, entry)
}

// Len is the number of entries.
func (b *Batch) Len() int { return len(b.entries) }

// Reset empties b and keeps its settings and its memory. It must not be called
// while b runs.
func (b *Batch) Reset() {
	clear(b.entries)
	b.entries = b.entries[:0]
	b.binder = nil
}

// ExecBatch runs b. A batch of one entry is sent as a plain statement, which
// means the same and costs the server less.
func (s *Session) ExecBatch(ctx context.Context, b *Batch) error {
	switch {
	case len(b.entries) == 0:
		return ErrEmptyBatch
	case len(b.entries) > MaxBatchEntries:
		return ErrBatchTooLong
	case len(b.entries) == 1:
		return s.Exec(ctx, Statement{
			CQL: b.entries[0].Stmt, Args: b.entries[0].Args,
			Consistency: b.Consistency, SerialConsistency: b.SerialConsistency,
			Timestamp: b.Timestamp, Idempotent: b.Idempotent,
		})
	case b.Timestamp != nil && *b.Timestamp == 0:
		return ErrZeroTimestamp
	}
	batch := s.batch(b)
	err := guard(ctx, func() error { return s.gocql.ExecuteBatch(batch.WithContext(ctx)) })
	for i := range b.entries {
		err = withhold(err, b.entries[i].Args)
	}
	return err
}

func (s *Session) batch(b *Batch) *gocql.Batch {
	batch := s.gocql.NewBatch(b.Kind.gocql()).RetryPolicy(nil)
	if b.binder != nil {
		b.binder.prepares = 0
	}
	for i := range b.entries {
		b.entries[i].Idempotent = b.Idempotent
	}
	batch.Entries = b.entries
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
