package deadletter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/filesys"
)

// NDJSON keeps letters in a file, one JSON object a line (NDJSON). It is made if
// it is not there, for its owner alone (0600), in a directory that must be; else
// letters are added to it, and what a run that was killed left of a letter at its
// end is cut off first. A letter counts as written after an fsync; letters that
// come together share one.
//
// One run at a time can write to the file: another one, in any process, fails. It
// is locked by a file beside it, named like it with .lock added, that stays.
func NDJSON(path string) rxcql.DeadLetters { return ndjson{path} }

type ndjson struct{ path string }

// ConfigError reports an empty path; see rxcql.Configured.
func (n ndjson) ConfigError() error {
	if n.path == "" {
		return errors.New("deadletter.NDJSON: the path is empty")
	}
	return nil
}

// Check looks at the place of the file; it makes none.
func (n ndjson) Check(context.Context) error {
	about, err := os.Stat(n.path)
	switch {
	case err == nil && about.IsDir():
		return fmt.Errorf("deadletter.NDJSON: %s is a directory: name a file in it", n.path)
	case err == nil:
		return nil
	}
	if about, err = os.Stat(filepath.Dir(n.path)); err == nil && !about.IsDir() {
		err = fmt.Errorf("%s is no directory", filepath.Dir(n.path))
	}
	if err != nil {
		return fmt.Errorf("deadletter.NDJSON: %w: make the directory first", err)
	}
	return nil
}

func (n ndjson) Open(context.Context) (rxcql.LetterWriter, error) {
	w := &ndjsonWriter{lock: flock.New(n.path+".lock", flock.SetPermissions(0o600))}
	locked, err := w.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("deadletter.NDJSON: lock: %w", err)
	}
	if !locked {
		return nil, fmt.Errorf("deadletter.NDJSON: another run writes to %s: give each run a file of its own", n.path)
	}
	if err := w.open(n.path); err != nil {
		return nil, errors.Join(fmt.Errorf("deadletter.NDJSON: %w", err), w.lock.Unlock())
	}
	return w, nil
}

type ndjsonWriter struct {
	file  *os.File
	lock  *flock.Flock
	buf   bytes.Buffer
	whole int64 // where the last whole letter ends
}

// open opens the file at the end of its last whole letter.
func (w *ndjsonWriter) open(path string) error {
	f, err := os.OpenFile(path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	w.file = f
	if w.whole, err = wholeLines(f); err == nil {
		err = w.cut()
	}
	if err == nil {
		err = filesys.SyncFolder(filepath.Dir(path)) // else the file itself may be gone after a power cut
	}
	if err != nil {
		f.Close()
	}
	return err
}

// wholeLines is the length of a file up to its last newline.
func wholeLines(f *os.File) (int64, error) {
	about, err := f.Stat()
	if err != nil {
		return 0, err
	}
	block := make([]byte, 64<<10)
	for end := about.Size(); end > 0; {
		start := max(0, end-int64(len(block)))
		part := block[:end-start]
		if _, err := f.ReadAt(part, start); err != nil && !errors.Is(err, io.EOF) {
			return 0, err
		}
		if i := bytes.LastIndexByte(part, '\n'); i >= 0 {
			return start + int64(i) + 1, nil
		}
		end = start
	}
	return 0, nil
}

// cut drops what comes after the last whole letter, if anything does.
func (w *ndjsonWriter) cut() error {
	about, err := w.file.Stat()
	if err == nil && about.Size() > w.whole {
		err = w.file.Truncate(w.whole)
	}
	return err
}

// Write adds letters and syncs the file.
func (w *ndjsonWriter) Write(_ context.Context, letters []rxcql.Letter) error {
	w.buf.Reset()
	for i := range letters {
		if err := appendLine(&w.buf, &letters[i]); err != nil {
			return errors.New("deadletter.NDJSON: a letter cannot be written as JSON")
		}
	}
	_, err := w.file.WriteAt(w.buf.Bytes(), w.whole)
	if err == nil {
		err = w.file.Sync()
	}
	if err != nil {
		_ = w.cut() // what is left of the letters is cut off by the next run at the latest
		return fmt.Errorf("deadletter.NDJSON: %w", err)
	}
	w.whole += int64(w.buf.Len())
	if w.buf.Cap() > 4<<20 {
		w.buf = bytes.Buffer{}
	}
	return nil
}

func (w *ndjsonWriter) Close() error { return errors.Join(w.file.Close(), w.lock.Unlock()) }
