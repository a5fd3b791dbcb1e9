package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/gofrs/flock"

	"github.com/rxcql/rxcql"
)

// File keeps the checkpoint of one job in one file, with mode 0600. Its folder
// must be there. Give each job a file of its own: the name of the job is not
// looked at here, and a checkpoint of another job is refused later
// (rxcql.ErrCheckpointForeign).
//
// Lock takes a lock of the operating system on the file path + ".lock" and does
// not wait: if somebody has it, in this process or another, the error wraps
// rxcql.ErrCheckpointLocked and names the process. The lock ends with the
// process that has it, however that ends. It holds among the processes of one
// machine; on a network file system only as far as that one has locks.
//
// Save writes path + ".tmp", syncs it, renames it to path and syncs the folder:
// after a crash or a power cut at any moment the file is whole, as it was before
// or as it is now. A Save that fails leaves the checkpoint before it. If the
// lock file was removed or replaced meanwhile, another process may be at work:
// Save then fails with rxcql.ErrCheckpointLost. The folder is looked up once,
// by Lock, so that links to it which change later change nothing. On Windows
// the folder is not synced, which that system cannot do.
//
// The lock is on path + ".lock", which stays, and must not be removed while
// a job runs.
//
// Load returns nil if the file is not there. An empty file is
// rxcql.ErrCheckpointDamaged: Save never writes one.
//
// path must not be a symbolic link, a folder or a device: the lock would be on
// one name and the file on another. Errors name the path and how to mend it.
func File(path string) rxcql.CheckpointStore { return &file{path: path} }

type file struct{ path string }

// ConfigError reports an empty path; see rxcql.ConfigChecker.
func (f *file) ConfigError() error {
	if f.path == "" {
		return fmt.Errorf("%w: checkpoint.File: the path is empty; give the path of a file", rxcql.ErrConfig)
	}
	return nil
}

// Lock is described at File.
func (f *file) Lock(ctx context.Context, _ string) (rxcql.Checkpoint, error) {
	if err := f.ConfigError(); err != nil {
		return nil, err
	}
	if ctx.Err() != nil {
		return nil, f.fail("lock", context.Cause(ctx))
	}
	place, err := resolve(f.path)
	if err != nil {
		return nil, f.fail("lock", err)
	}
	h := &lockedFile{file: f, place: place}
	if err := h.lock(); err != nil {
		return nil, err
	}
	// What a crash left would stay for ever if the job never saved again.
	if err := removeTemp(place); err != nil {
		return nil, f.fail("remove what a crash left", errors.Join(err, h.Unlock()))
	}
	return h, nil
}

// lockedFile is the checkpoint in a file, locked.
type lockedFile struct {
	*file
	place string       // the path with the links of its folder followed
	held  *flock.Flock // nil after Unlock
}

// Load is described at File.
func (h *lockedFile) Load(ctx context.Context) ([]byte, error) {
	if err := h.ready(ctx); err != nil {
		return nil, h.fail("load", err)
	}
	data, err := os.ReadFile(h.place)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil, nil
	case err != nil:
		return nil, h.fail("load", err)
	case len(data) == 0:
		return nil, h.fail("load", fmt.Errorf("%w: the file is empty; put a copy back, or remove it to begin anew",
			rxcql.ErrCheckpointDamaged))
	}
	return data, nil
}

// Save is described at File.
func (h *lockedFile) Save(ctx context.Context, data []byte) error {
	if len(data) == 0 {
		return h.fail("save", errNoData)
	}
	if err := h.ready(ctx); err != nil {
		return h.fail("save", err)
	}
	if err := replace(h.place, data); err != nil {
		return h.fail("save", err)
	}
	return nil
}

// Lost is nil: while the process lives nobody else can get the lock of the
// operating system. Save looks whether it is still on the file of that name.
func (h *lockedFile) Lost() <-chan struct{} { return nil }

// ready tells whether the file may be read and replaced.
func (h *lockedFile) ready(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := h.stillLocked(); err != nil {
		return err
	}
	return replaceable(h.place)
}
