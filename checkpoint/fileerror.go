package checkpoint

import (
	"errors"
	"fmt"
	"io/fs"
	"syscall"
)

// fail says what could not be done with which file. It adds the remedy, where the operating
// system's text does not say it.
func (f *file) fail(doing string, err error) error {
	err = fmt.Errorf("checkpoint.File %s: %s: %w", f.path, doing, err)
	if remedy := remedyOf(err); remedy != "" {
		err = fmt.Errorf("%w; %s", err, remedy)
	}
	return err
}

func remedyOf(err error) string {
	switch {
	case errors.Is(err, syscall.ENOSPC):
		return "free space on that disk; what was saved before is unharmed"
	case errors.Is(err, syscall.EDQUOT):
		return "free space or raise the quota; what was saved before is unharmed"
	case errors.Is(err, syscall.EFBIG):
		return "raise the limit on the size of files (ulimit -f); what was saved before is unharmed"
	case errors.Is(err, syscall.EROFS):
		return "that file system is mounted read-only: give a path on one that can be written"
	case errors.Is(err, fs.ErrPermission):
		return "let this user read and write the folder and the files in it, or give another path"
	}
	return ""
}
