package rxcql

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rxcql/rxcql/internal/option"
	"github.com/rxcql/rxcql/internal/saved"
)

// CheckpointStore is where the checkpoints of jobs are kept; see package checkpoint for
// ours. One that implements ConfigChecker has New report what is wrong with it.
//
// You can write your own. It must keep the rules that are stated here and at
// Checkpoint: rxcqltest.TestCheckpointStore tries them on it.
//
// A store may be used by several goroutines, and by several processes, at a time.
// Jobs have nothing to do with each other: each name has its own checkpoint and its own
// lock. A name is any UTF-8 text that is not empty, compared byte by byte. A store that
// keeps one job only, as a file does, says so.
type CheckpointStore interface {
	// Lock makes the caller the only one that works on a job, in any process, until
	// Unlock. If somebody else works on it the error wraps ErrCheckpointLocked; Lock
	// does not wait for that one to end. Any other failure is another error.
	//
	// The context is for the call alone: the lock stays when it ends. A Lock that
	// fails, or is cut off by its context, keeps nobody else out for longer than the lock
	// of a process that has died. Such a lock must end by itself, at once or after a
	// time.
	Lock(ctx context.Context, job string) (Checkpoint, error)
}

// Checkpoint is the checkpoint of one job, locked. Its methods are called by one
// goroutine at a time, but not always by the same one. Lost is called, and its channel
// waited for, while the other methods work.
//
// With a context that has ended Load and Save do nothing, and return its error (or its
// cause). No error shows anything of the data, which have primary keys in them.
type Checkpoint interface {
	// Load returns what was saved last, byte for byte, under this lock or an earlier
	// one of any process. It returns nil and no error if nothing ever was, and only
	// then: where it cannot be known, or cannot be read, that is an error. Else a job
	// would begin anew without a word. The bytes are the caller's.
	Load(ctx context.Context) ([]byte, error)

	// Save replaces it by data, any bytes and at least one, wholly or not at all, and
	// returns nil when it is durable: from then on Load returns it, even if this
	// process dies at once. The bytes are the caller's again when Save returns.
	// There are some hundred of them for each range that is begun; a store takes 4 MiB.
	//
	// Save fails with an error that wraps ErrCheckpointLost, and saves nothing, when the
	// lock is no longer the caller's, whether Lost has said so or not, and after
	// Unlock. After another error, as after a call that was cut off by its context,
	// either the data or what was there before is saved. The run ends then; it may call
	// Save once more, for what was settled until the end.
	Save(ctx context.Context, data []byte) error

	// Lost is closed, sooner or later, when the lock is no longer the caller's, and
	// never otherwise: not by Unlock either. It may be nil.
	Lost() <-chan struct{}

	// Unlock lets others work on the job at once, and leaves no goroutine behind. It is
	// called once, also after Lost, and must end by itself in a matter of seconds. It
	// must not end the lock of whoever has taken the job over.
	Unlock() error
}

// ConfigChecker is what a CheckpointStore or DeadLetterStore may implement to report options
// it cannot work with from New, before any I/O.
type ConfigChecker interface{ ConfigError() error }

// Kinds of errors of checkpoints, for errors.Is. None of them ever makes a run
// begin anew by itself.
var (
	// ErrCheckpointLocked: another process works on the job.
	ErrCheckpointLocked = errors.New("rxcql: another process works on this job")
	// ErrCheckpointLost: the lock is no longer this process's: it was taken over, or
	// not renewed in time, or its lock file was removed.
	ErrCheckpointLost = errors.New("rxcql: the job's lock was lost")
	// ErrClockBehind: this machine's clock is more than 10 s behind that of the
	// machine that worked on the job before, or behind the timestamps given there.
	ErrClockBehind = errors.New("rxcql: this machine's clock is behind")
	// ErrCheckpointDamaged: the bytes are not those that were saved.
	ErrCheckpointDamaged = saved.ErrDamaged
	// ErrCheckpointNewer: a later version of the toolkit saved it.
	ErrCheckpointNewer = saved.ErrNewer
	// ErrCheckpointForeign: it was saved by another job or pipeline, or for
	// another table.
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
}

// CheckpointOption is an option of WithCheckpoint.
type CheckpointOption func(*checkpointConfig) error

// CheckpointInterval sets the time between two saves; default 1 s, at least
// 10 ms. What was done since the last save is done again after a crash.
func CheckpointInterval(d time.Duration) CheckpointOption {
	return func(c *checkpointConfig) error {
		if d < 10*time.Millisecond {
			return fmt.Errorf("CheckpointInterval(%v): must be at least 10ms", d)
		}
		c.every = d
		return nil
	}
}

// RunOnce leaves a job that has been completed as it is: another run reads and
// writes nothing, saves nothing, and is complete at once, with Report.ResumedRows as
// all rows. It is for jobs of several steps, to go on with the step that was broken
// off.
//
// Sinks are not opened then, and nothing is checked (Pipeline.Check): later steps
// may have changed, moved or removed what this one wrote. What is compared is what
// the pipeline reads, which has to be there (the sources, and what a job that goes
// on compares of each), and the names of the sinks' stages, as in the report. If any
// is another, the run is refused with ErrCheckpointForeign, and the job stays
// complete.
func RunOnce() CheckpointOption {
	return func(c *checkpointConfig) error {
		c.once = true
		return nil
	}
}

// WithCheckpoint makes the run of a pipeline a job that goes on where an
// earlier run of it ended, however that ended; it is an option of New alone.
// While it runs, the positions up to which everything is settled are saved once
// a second (CheckpointInterval) and at the end (but after a failure with a sink
// that writes a file, which stays at the save before), and in between when write
// timestamps run out (Execution.ReserveTimestamps); a save that fails ends the run.
// Only one process at a time can work on a job. A job that has been completed
// begins anew at the next run, unless RunOnce is given.
//
// Delivery: at least once. Rows beyond the saved positions are read and written
// again: pages that were in flight, and what was settled since the last save.
// For that, stages and sinks have to be resumable, else New fails with
// ErrNotResumable and names them.
//
// Functions given to operators and sinks must keep no state from row to row, such as
// a counter, the row before, or keys seen so far. A checkpoint has positions and
// nothing else of a run (but for which group was open, in GroupAdjacent): the next
// run begins in the middle of the rows with functions as they were at first. What
// they need of other rows must be in a table, or in the state of a GroupAdjacent.
// Nothing can check that.
//
// A checkpoint that is damaged, of a newer version, of another job, another
// pipeline or another table is refused by name; it is never taken for none. To
// begin anew give another job name or remove it from its store.
//
// What a run writes is newer than all that runs before it wrote. The clocks of
// machines that take turns on a job should agree for that: one that is behind what
// the run before wrote with waits before the first row, and one that is more than
// 10 s behind is refused (ErrClockBehind), unless the job is complete and writes
// nothing (RunOnce). After a cancel the last save may take 30 s more than the
// grace period (WithGrace).
//
// It holds page states, which Cassandra makes and in which the primary keys of
// the rows that pages ended at can be read; it has no other values of rows, and
// of bound values only a hash.
func WithCheckpoint(store CheckpointStore, job string, opts ...CheckpointOption) Option {
	return func(c *config) error {
		ck := &checkpointConfig{store: store, job: job, every: DefaultCheckpointInterval}
		var errs []error
		if store == nil {
			errs = append(errs, errors.New("WithCheckpoint: the store is nil"))
		} else if known, ok := store.(ConfigChecker); ok {
			if err := known.ConfigError(); err != nil {
				errs = append(errs, fmt.Errorf("WithCheckpoint: %w", err))
			}
		}
		if job == "" {
			errs = append(errs, errors.New("WithCheckpoint: the job has no name"))
		}
		if err := option.Apply(opts, ck, func(opt CheckpointOption, c *checkpointConfig) error { return opt(c) }); err != nil {
			errs = append(errs, fmt.Errorf("WithCheckpoint: %w", err))
		}
		c.checkpoint = ck
		return errors.Join(errs...)
	}
}
