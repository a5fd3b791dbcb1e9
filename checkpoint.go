package rxcql

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxcql/rxcql/internal/option"
	"github.com/rxcql/rxcql/internal/saved"
)

// CheckpointStore is where the checkpoints of jobs are kept; package checkpoint has a file and a
// table. A store that implements ConfigChecker has New report what is wrong with its options.
//
// You can write your own. It must keep the rules that are stated here and at Checkpoint;
// rxcqltest.TestCheckpointStore tests them.
//
// Several goroutines and several processes may use a store at the same time. Jobs are independent:
// each name has its own checkpoint and its own lock. A name is any UTF-8 text that is not empty,
// compared byte by byte. A store that keeps one job only, as a file does, says so.
type CheckpointStore interface {
	// Lock locks a job for the caller, against every other caller in any process, until Unlock. If
	// the job is locked already, Lock does not wait: its error wraps ErrCheckpointLocked. No other
	// failure wraps that.
	//
	// The context is for the call alone: the lock stays when the context ends. If the holder's
	// process dies, its lock must end by itself, at once or after a time. A Lock that fails, or is
	// cut off by its context, may keep others out for no longer than that.
	Lock(ctx context.Context, job string) (Checkpoint, error)
}

// Checkpoint is the checkpoint of one job, locked. Its methods are called by one goroutine at a
// time, though not always the same one. Only Lost may be called, and its channel waited for, while
// another method works.
//
// If the context has ended, Load and Save do nothing and return its error (or its cause). No error
// shows anything of the data, which contain primary keys.
type Checkpoint interface {
	// Load returns what was saved last, byte for byte, under this lock or an earlier one of any
	// process. It returns nil and no error only if nothing was ever saved. If that cannot be known,
	// or the data cannot be read, Load fails: otherwise the job would silently begin anew. The
	// bytes are the caller's.
	Load(ctx context.Context) ([]byte, error)

	// Save replaces what is stored by data, wholly or not at all, and returns nil when data is
	// durable: from then on Load returns it, even if this process dies at once. Data is never
	// empty, and may be any bytes: a few hundred for each range that has begun, and more for
	// sessions (CheckpointSessions) and for source.Tail (source.SeenBytes). A store must take 4 MiB,
	// which is enough for these at their defaults. The bytes are the caller's again when Save
	// returns.
	//
	// Save fails with an error that wraps ErrCheckpointLost, and saves nothing, after Unlock and
	// whenever the lock is no longer the caller's, even if Lost is not closed yet. After another
	// error, and after a call cut off by its context, what is stored is either data or what was
	// there before. Such an error ends the run; the run may call Save once more, for what was
	// settled until the end.
	Save(ctx context.Context, data []byte) error

	// Lost is closed, sooner or later, when the lock is no longer the caller's, and never
	// otherwise: Unlock does not close it. It may be nil.
	Lost() <-chan struct{}

	// Unlock lets others work on the job at once, and leaves no goroutine behind. It is called
	// once, also after Lost, and must return within seconds. It must not end the lock of a process
	// that has taken the job over.
	Unlock() error
}

// ConfigChecker may be implemented by a CheckpointStore or a DeadLetterStore. New then reports,
// before any I/O, the options that the store cannot work with.
type ConfigChecker interface{ ConfigError() error }

// Kinds of errors of checkpoints, for errors.Is. After none of them does a run begin anew by
// itself.
var (
	// ErrCheckpointLocked: another process is working on the job.
	ErrCheckpointLocked = errors.New("rxcql: another process works on this job")
	// ErrCheckpointLost: this process no longer holds the lock. Another process took it over, it
	// was not renewed in time, or its lock file was removed.
	ErrCheckpointLost = errors.New("rxcql: the job's lock was lost")
	// ErrClockBehind: this machine's clock is more than 10 s behind the clock of the machine that
	// worked on the job before, or behind the write timestamps given there.
	ErrClockBehind = errors.New("rxcql: this machine's clock is behind")
	// ErrCheckpointDamaged: the bytes loaded are not those that were saved.
	ErrCheckpointDamaged = saved.ErrDamaged
	// ErrCheckpointNewer: a later version of the toolkit saved the checkpoint.
	ErrCheckpointNewer = saved.ErrNewer
	// ErrCheckpointForeign: the checkpoint was saved by another job or pipeline, or for another
	// table.
	ErrCheckpointForeign = errors.New("rxcql: the checkpoint belongs to something else")
	// ErrNotResumable: a stage or a sink cannot go on from a checkpoint.
	ErrNotResumable = errors.New("rxcql: cannot be resumed from a checkpoint")
)

// DefaultCheckpointInterval is the time between two saves.
const DefaultCheckpointInterval = time.Second

type checkpointConfig struct {
	store CheckpointStore
	job   string
	every time.Duration
	once  bool

	heldPages, heldBytes int64
	sessions             int
}

// CheckpointOption is an option of WithCheckpoint.
type CheckpointOption func(*checkpointConfig) error

// CheckpointInterval sets the time between two saves. Default 1 s, at least 10 ms. What was done
// since the last save is done again after a crash.
func CheckpointInterval(d time.Duration) CheckpointOption {
	return func(c *checkpointConfig) error {
		if d < 10*time.Millisecond {
			return fmt.Errorf("CheckpointInterval(%v): must be at least 10ms", d)
		}
		c.every = d
		return nil
	}
}

// DefaultHeldPages is how many pages a stage with windows may hold.
const DefaultHeldPages = 1 << 18

// DefaultSessions is how many keys a checkpoint may have the end of a session of.
const DefaultSessions = 20_000

// CheckpointHeldPages is how many pages a stage with windows holds at most: pages of rows whose
// windows are not durable yet, or may still be corrected. A run that goes on reads them again. Each
// takes about 400 bytes of memory, which the budget does not have. A stage that would hold more
// ends the run with a flow.FrontierFullError: it cannot wait, since the rows that close its windows
// may come in the next page. Default 262,144 for each stage, at least 1.
func CheckpointHeldPages(n int64) CheckpointOption {
	return func(c *checkpointConfig) error {
		c.heldPages = n
		return atLeastOne("CheckpointHeldPages", n)
	}
}

// CheckpointHeldBytes is how many bytes these pages had at most when they were received: what a run
// that goes on reads again. Default: no limit. At least 1.
func CheckpointHeldBytes(n int64) CheckpointOption {
	return func(c *checkpointConfig) error {
		c.heldBytes = n
		return atLeastOne("CheckpointHeldBytes", n)
	}
}

// CheckpointSessions is of how many keys a checkpoint has the end of a session at most, for each
// stage with session windows. It has one for each key of which a session is durable that ended in
// the last gap before event time, or after the beginning of the oldest session that is open: a row
// that is not late may still touch it. A run that would need more ends with a
// flow.FrontierFullError: its sessions cannot be resumed. Each takes about 60 bytes of every save,
// and a store need not take more than 4 MiB. Default 20,000, at least 1.
func CheckpointSessions(n int) CheckpointOption {
	return func(c *checkpointConfig) error {
		c.sessions = n
		return atLeastOne("CheckpointSessions", int64(n))
	}
}

func atLeastOne(option string, n int64) error {
	if n < 1 {
		return fmt.Errorf("%s(%d): must be at least 1", option, n)
	}
	return nil
}

// RunOnce leaves a completed job as it is: another run reads and writes nothing, saves nothing, and
// is complete at once, with the job's rows in Report.ResumedRows. Use it for jobs of several steps,
// which then go on with the step that was interrupted.
//
// The sinks of a completed job are not opened, and Pipeline.Check is not run: later steps may have
// changed, moved or removed what the job wrote. Only these are compared with the checkpoint:
//
//   - the sources, which must still be there, by the facts that a resumed job compares;
//   - the names of the sinks' stages, as in the report.
//
// If one differs, the run fails with ErrCheckpointForeign, and the job stays complete. A sink whose
// result is in memory, such as a sum, gets back what it saved (SinkInfo.Completed).
func RunOnce() CheckpointOption {
	return func(c *checkpointConfig) error {
		c.once = true
		return nil
	}
}

// WithCheckpoint makes the runs of a pipeline a job: each run goes on where the one before ended,
// however that ended. It is an option of New and Run only. One process at a time can work on a job.
// A completed job begins anew at the next run, unless RunOnce is given.
//
// Saved are the positions in the sources up to which everything is settled:
//
//   - once a second (CheckpointInterval);
//   - when write timestamps run out (Execution.ReserveTimestamps);
//   - at the end of the run. If the run failed and a sink writes a file, there is no such save: the
//     checkpoint stays at the save before.
//
// A save that fails ends the run. After a cancel, the last save may take 30 s more than the grace
// period (WithGrace).
//
// Delivery is at least once. Rows beyond the saved positions are read and written again: pages that
// were in flight, and pages settled since the last save. So stages and sinks have to be resumable;
// otherwise New fails with ErrNotResumable and names them.
//
// Functions given to operators and sinks must keep no state from row to row, such as a counter, the
// row before, or the keys seen so far, and nothing can check that. A checkpoint has positions, and
// of operators only which group was open in a GroupAdjacent. The next run begins in the middle of
// the rows, with the functions in their initial state. What they need from other rows must be in a
// table, or in the state of a GroupAdjacent.
//
// A checkpoint that is damaged, of a newer version, or of another job, pipeline or table is refused
// with an error that says so; it is never taken for an empty one. To begin anew, remove the
// checkpoint from its store, or give another job name. A checkpoint.File keeps one job, so there
// give another file as well.
//
// What a run writes is newer than all that earlier runs wrote. For that, the clocks of machines
// that take turns on a job should agree. If a machine's clock is behind the timestamps of the run
// before, the run waits before its first row; if it is more than 10 s behind, the run is refused
// (ErrClockBehind), unless the job is complete and writes nothing (RunOnce).
//
// A checkpoint contains page states. Cassandra makes them, and the primary key of the row at which
// a page ended can be read in them. Of source.TablePair, source.Tail and source.AdaptiveSplits it
// contains keys of rows, in their encoded form. It contains no other values of rows, and only a
// hash of bound values. Of windows it contains up to when they are durable, and hashes of the keys
// of sessions and of groups (GroupAdjacent).
func WithCheckpoint(store CheckpointStore, job string, opts ...CheckpointOption) Option {
	return func(c *config) error {
		ck := &checkpointConfig{store: store, job: job, every: DefaultCheckpointInterval, heldPages: DefaultHeldPages, sessions: DefaultSessions}
		var errs []error
		if store == nil {
			errs = append(errs, errors.New("WithCheckpoint: the store is nil"))
		} else if known, ok := store.(ConfigChecker); ok {
			if err := known.ConfigError(); err != nil {
				errs = append(errs, fmt.Errorf("WithCheckpoint: %w", err))
			}
		}
		if job == "" {
			errs = append(errs, errors.New("WithCheckpoint: the job has no name; give it one, by which the next run finds its checkpoint"))
		}
		if err := option.Apply(opts, ck, func(opt CheckpointOption, c *checkpointConfig) error { return opt(c) }); err != nil {
			errs = append(errs, fmt.Errorf("WithCheckpoint: %w", err))
		}
		if c.checkpoint != nil {
			errs = append(errs, errors.New("WithCheckpoint is given twice; a run is one job, with one checkpoint"))
		}
		c.checkpoint = ck
		return errors.Join(errs...)
	}
}
