package checkpoint

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/gofrs/flock"

	"github.com/rxcql/rxcql"
)

// File keeps the checkpoint of one job in one file, with mode 0600. Its folder must exist. Give
// each job a file of its own: File does not look at the name of the job, and a checkpoint of
// another job is refused later (rxcql.ErrCheckpointForeign).
//
// Lock takes a lock of the operating system on the file path + ".lock". It does not wait: if a
// process has it, this one or another, the error wraps rxcql.ErrCheckpointLocked and names the
// process. The lock ends with its process, however that ends. It holds among the processes of one
// machine; on a network file system only if that supports locks. The lock file stays after Unlock,
// and must not be removed while a job runs.
//
// Save writes path + ".tmp", syncs it, renames it to path and syncs the folder. So after a crash or
// a power cut at any moment the file is whole: either as before or as saved. A Save that fails
// leaves the checkpoint before it. If the lock file was removed or replaced meanwhile, another
// process may be at work: Save then fails with rxcql.ErrCheckpointLost. The folder is resolved
// once, by Lock, so links in its path that change later have no effect. On Windows the folder is
// not synced, which that system cannot do.
//
// Load returns nil if the file does not exist. An empty file is rxcql.ErrCheckpointDamaged, since
// Save never writes one.
//
// path must not be a symbolic link, a folder or a device; with a link, the lock would be on one
// name and the file on another. Errors name the path and the remedy.
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
	// What a crash left would otherwise stay for ever, if the job never saved again.
	if err := removeTemp(place); err != nil {
		return nil, f.fail("remove what a crash left", errors.Join(err, h.Unlock()))
	}
	return h, nil
}

// lockedFile is the checkpoint in a file, locked.
type lockedFile struct {
	*file
	place string       // the path, with links in its folder followed
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

// Lost is nil: while the process lives nobody else can get the lock of the operating system. Save
// checks that the locked file still has that name.
func (h *lockedFile) Lost() <-chan struct{} { return nil }

// ready returns an error if the file may not be read and replaced.
func (h *lockedFile) ready(ctx context.Context) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := h.stillLocked(); err != nil {
		return err
	}
	return replaceable(h.place)
}
