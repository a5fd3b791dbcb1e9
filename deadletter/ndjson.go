package deadletter

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/gofrs/flock"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/filesys"
)

// NDJSON keeps letters in a file, one JSON object a line (NDJSON). A new file is created with mode
// 0600, in a directory that must exist. To a file that exists letters are added; if a run was
// killed while it wrote a letter, the incomplete letter at the end is cut off first. A file with
// something else at its end is refused and left as it is. A letter counts as written after an
// fsync; letters that come together share one. The run ends if the file is removed or replaced
// before that.
//
// The file must not be one that the run reads as rows: bad lines would make lines without end. You
// may read its letters (Read) in the run that adds letters to it.
//
// One run at a time can write to the file. Any other run that does so fails, in any process, and so
// does a file sink, or a file source that begins to read it. The file is locked by a second file
// next to it, with .lock added to the name, which stays. Except on Windows, the file itself is
// locked too, which works under any name.
func NDJSON(path string) rxcql.DeadLetterStore { return ndjson{path} }

type ndjson struct{ path string }

// ConfigError reports an empty path; see rxcql.ConfigChecker.
func (n ndjson) ConfigError() error {
	if n.path == "" {
		return errors.New("deadletter.NDJSON: the path is empty")
	}
	return nil
}

// Check looks at the place of the file. It creates nothing.
func (n ndjson) Check(context.Context) error {
	if err := n.ConfigError(); err != nil {
		return err
	}
	about, err := os.Stat(n.path)
	switch {
	case err == nil && about.IsDir():
		return fmt.Errorf("deadletter.NDJSON: %s is a directory: name a file in it", n.path)
	case err == nil:
		return nil
	}
	if about, err = os.Stat(filepath.Dir(n.path)); err == nil && !about.IsDir() {
		err = fmt.Errorf("%s is not a directory", filepath.Dir(n.path))
	}
	if err != nil {
		return fmt.Errorf("deadletter.NDJSON: %w: make the directory first", err)
	}
	return nil
}

func (n ndjson) Open(ctx context.Context) (rxcql.DeadLetterWriter, error) {
	if err := n.ConfigError(); err != nil {
		return nil, err
	}
	w := &ndjsonWriter{path: n.path, lock: flock.New(n.path+".lock", flock.SetPermissions(0o600))}
	locked, err := w.lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("deadletter.NDJSON: lock: %w", err)
	}
	if !locked {
		return nil, fmt.Errorf("deadletter.NDJSON: another run writes to %s: give each run a file of its own", n.path)
	}
	if err := w.open(rxcql.ExecutionFromContext(ctx)); err != nil {
		return nil, errors.Join(fmt.Errorf("deadletter.NDJSON: %w", err), w.lock.Unlock())
	}
	return w, nil
}

type ndjsonWriter struct {
	path  string
	file  *os.File
	lock  *flock.Flock
	buf   bytes.Buffer
	whole int64 // where the last whole letter ends
}

// open opens the file at the end of its last whole letter. run is nil outside of a run.
func (w *ndjsonWriter) open(run *rxcql.Execution) error {
	f, err := os.OpenFile(w.path, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	w.file = f
	if err = w.mayWrite(run); err == nil {
		w.whole, err = wholeLines(f)
	}
	if err == nil {
		err = w.onlyLetters()
	}
	if err == nil {
		err = w.cut()
	}
	if err == nil {
		err = filesys.SyncFolder(filepath.Dir(w.path)) // otherwise the file itself may be gone after a power cut
	}
	if err != nil {
		f.Close()
	}
	return err
}

// mayWrite locks the file itself, against those who use it under another name, or as a sink or a
// source.
func (w *ndjsonWriter) mayWrite(run *rxcql.Execution) error {
	about, err := w.file.Stat()
	if err != nil {
		return err
	}
	if run != nil && run.ReadsFile(about) {
		return fmt.Errorf("%s is read by this run: name another file for its letters", w.path)
	}
	return filesys.Lock(w.file)
}

// begins is the beginning of every letter.
var begins = fmt.Sprintf(`{"v":%d,"run":"`, version)

// onlyLetters refuses to cut off what is not the rest of a letter. After a power cut, zeros may
// stand where the rest would be.
func (w *ndjsonWriter) onlyLetters() error {
	left := make([]byte, len(begins))
	n, err := w.file.ReadAt(left, w.whole)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !strings.HasPrefix(begins, string(bytes.TrimRight(left[:n], "\x00"))) {
		return fmt.Errorf("%s is not a file of letters: its last line has no line end and does not begin as a letter does: name another file", w.path)
	}
	return nil
}

// wholeLines returns the length of a file up to its last newline.
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

// cut drops what comes after the last whole letter, if there is anything.
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
	if err == nil {
		err = filesys.Same(w.file, w.path)
	}
	if err != nil {
		_ = w.cut() // if this fails, the next run cuts off what is left of the letters
		return fmt.Errorf("deadletter.NDJSON: %w", err)
	}
	w.whole += int64(w.buf.Len())
	if w.buf.Cap() > 4<<20 {
		w.buf = bytes.Buffer{}
	}
	return nil
}

func (w *ndjsonWriter) Close() error { return errors.Join(w.file.Close(), w.lock.Unlock()) }
