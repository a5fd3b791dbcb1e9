package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/rxcql/rxcql/internal/filesys"
)

// errNoData: nothing was to be saved. A checkpoint without bytes could not be told from one that
// was cut off.
var errNoData = errors.New("there are no bytes to save; a checkpoint has at least one")

// replace makes data the whole content of the file at path, or leaves the file as it is. It returns
// when that is durable. Only one process at a time may do this to a path. If only the syncing of
// the folder fails, the file has the new content, but after a power cut it may have the old one
// again.
func replace(path string, data []byte) error {
	if err := removeTemp(path); err != nil {
		return err
	}
	if err := writeTemp(tempPath(path), data); err != nil {
		return errors.Join(err, removeTemp(path)) // on a full disk it is in the way
	}
	if err := os.Rename(tempPath(path), path); err != nil {
		return errors.Join(err, removeTemp(path))
	}
	return filesys.SyncFolder(filepath.Dir(path))
}

// tempPath is where the next content is written. Only one process at a time saves, so its name is
// fixed: what a crash left is found again.
func tempPath(path string) string { return path + ".tmp" }

// writeTemp creates a file that must not exist (so it follows no link), and syncs it: otherwise the
// rename could be on the disk before the bytes are.
func writeTemp(path string, data []byte) (err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	if _, err := f.Write(data); err != nil {
		return err
	}
	return f.Sync()
}

func removeTemp(path string) error {
	if err := os.Remove(tempPath(path)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// resolve returns the absolute path of the file, with links among its folders followed. The file
// itself need not exist.
func resolve(path string) (string, error) {
	path, err := filepath.Abs(path)
	if err != nil {
		return "", err
	}
	folder, err := filepath.EvalSymlinks(filepath.Dir(path))
	if errors.Is(err, fs.ErrNotExist) {
		return "", fmt.Errorf("the folder %s does not exist; make it first", filepath.Dir(path))
	}
	if err != nil {
		return "", err
	}
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return "", errors.Join(fmt.Errorf("%s is not a folder; give a path in a folder", filepath.Dir(path)), err)
	}
	path = filepath.Join(folder, filepath.Base(path))
	return path, replaceable(path)
}

// replaceable returns an error unless there is a file, or nothing, at path.
func replaceable(path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode()&fs.ModeSymlink != 0:
		return errors.New("the path is a symbolic link; give the path of the file that it leads to")
	case info.IsDir():
		return errors.New("the path is a folder; give the path of a file in it")
	case !info.Mode().IsRegular():
		return errors.New("the path is a device, a pipe or a socket; give the path of a regular file")
	}
	return nil
}
