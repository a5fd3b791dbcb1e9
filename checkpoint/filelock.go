package checkpoint

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/gofrs/flock"

	"github.com/rxcql/rxcql"
)

// lock takes the lock of the operating system, and writes the process's id into the lock file.
func (h *lockedFile) lock() error {
	path := h.lockPath()
	// With a link in its place, the id would be written into the file that it leads to.
	if info, err := os.Lstat(path); err == nil && !info.Mode().IsRegular() {
		return h.fail("lock", fmt.Errorf("the lock file %s is not a regular file; remove it", path))
	}
	held := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR|noFollow), flock.SetPermissions(0o600))
	ok, err := held.TryLock()
	switch {
	case err != nil:
		return h.fail("lock", err)
	case !ok:
		return h.fail("lock", fmt.Errorf("%w: %s holds %s; wait until it ends, or end it (the lock ends with it, "+
			"and the lock file must not be removed)", rxcql.ErrCheckpointLocked, holder(path), path))
	}
	h.held = held
	if err := h.stillLocked(); err != nil { // it was removed between opening and locking
		return h.fail("lock", errors.Join(err, h.Unlock()))
	}
	writePID(path)
	return nil
}

// Unlock is described at File. The lock file stays. If it were removed, a process that had opened
// it just before would lock a file without a name, while the next one locks a new file of that
// name: both would hold the lock.
func (h *lockedFile) Unlock() error {
	if h.held == nil {
		return nil
	}
	held := h.held
	h.held = nil
	if err := held.Unlock(); err != nil {
		return h.fail("unlock", errors.Join(err, held.Close()))
	}
	return nil
}

// stillLocked returns an error unless the locked file is still the one that others would lock.
func (h *lockedFile) stillLocked() error {
	if h.held == nil {
		return fmt.Errorf("%w: it was unlocked by this process", rxcql.ErrCheckpointLost)
	}
	mine, err := h.held.Stat()
	if err != nil {
		return err
	}
	named, err := os.Lstat(h.lockPath())
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	if err != nil || !os.SameFile(mine, named) {
		return fmt.Errorf("%w: the lock file %s was removed or replaced, so another process may work on the job; "+
			"see that none does, and run it again", rxcql.ErrCheckpointLost, h.lockPath())
	}
	return nil
}

func (h *lockedFile) lockPath() string { return h.place + ".lock" }

// writePID writes who has the lock. That is only for messages, so a failure (a full disk) does no
// harm. It writes once and then cuts the file off: a reader in between finds this id in the first
// line.
func writePID(path string) {
	f, err := os.OpenFile(path, os.O_WRONLY|noFollow, 0)
	if err != nil {
		return
	}
	defer f.Close()
	if n, err := f.WriteString(strconv.Itoa(os.Getpid()) + "\n"); err == nil {
		_ = f.Truncate(int64(n))
	}
}

// holder names the process that has the lock, as far as the lock file says.
func holder(path string) string {
	f, err := os.Open(path)
	if err != nil {
		return "another process"
	}
	defer f.Close()
	line, err := bufio.NewReaderSize(f, 32).ReadString('\n')
	if err != nil {
		return "another process"
	}
	pid, err := strconv.Atoi(strings.TrimSpace(line))
	switch {
	case err != nil || pid <= 0:
		return "another process"
	case pid == os.Getpid():
		return fmt.Sprintf("process %d (this one)", pid)
	}
	return fmt.Sprintf("process %d", pid)
}
