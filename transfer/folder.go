package transfer

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/internal/filesys"
)

// folder is where a job of several steps keeps what it has found and how far it is. The steps are
// pipelines with a checkpoint each, so a run goes on with the step that was interrupted. What is
// between two steps reads files that are complete and makes one that it renames when that is
// durable; so it can be done again.
type folder struct{ path string }

func inFolder(path string) folder { return folder{path} }

func (f folder) file(name string) string { return filepath.Join(f.path, name) }

// differences and sums are what a Diff leaves; outcomes is what a Repair leaves.
func (f folder) differences() string { return f.file("differences.ndjson") }
func (f folder) sums() string        { return f.file("ranges.ndjson") }
func (f folder) outcomes() string    { return f.file("outcomes.ndjson") }

// step makes a pipeline a job of the folder, which is not run again once it is complete.
func (f folder) step(name string) rxcql.Option {
	return rxcql.WithCheckpoint(checkpoint.File(f.file(name+".checkpoint")), name, rxcql.RunOnce())
}

// lookingStep is step for a pipeline that looks at rows. A row that it left out would be missing
// from what the job says, which would then look better than it is.
func (f folder) lookingStep(name string) []rxcql.Option {
	return []rxcql.Option{f.step(name), rxcql.WithRowErrors(rxcql.FailOnRowError())}
}

// open makes the folder if there is none, and locks it. job is what the folder is for: if it has
// that of another job already, nothing goes on.
func (f folder) open(ctx context.Context, job any) (unlock func() error, err error) {
	if err := os.MkdirAll(f.path, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(f.file("lock"))
	locked, err := lock.TryLock()
	if err != nil {
		return nil, fmt.Errorf("locking the folder %s: %w", f.path, err)
	}
	if !locked {
		return nil, fmt.Errorf("%w: another process has the folder %s; wait for it, or give another folder", rxcql.ErrCheckpointLocked, f.path)
	}
	if err := f.belongs(ctx, job); err != nil {
		return nil, errors.Join(err, lock.Unlock())
	}
	return lock.Unlock, nil
}

// belongs writes down what the folder is for, or compares it.
func (f folder) belongs(_ context.Context, job any) error {
	is, err := json.Marshal(job)
	if err != nil {
		return err
	}
	was, err := os.ReadFile(f.file("job.json"))
	if errors.Is(err, fs.ErrNotExist) {
		if err := f.empty(); err != nil {
			return err
		}
		return f.replace("job.json", func(w *bufio.Writer) error {
			_, err := w.Write(is)
			return err
		})
	}
	if err != nil {
		return err
	}
	if string(was) != string(is) {
		return fmt.Errorf("%w: the folder %s is of another job (%s, and this one is %s); give another folder, or the options and tables of before",
			rxcql.ErrCheckpointForeign, f.path, was, is)
	}
	return nil
}

// empty refuses a folder that has something else in it than what a run leaves that is killed at its
// beginning.
func (f folder) empty() error {
	entries, err := os.ReadDir(f.path)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if name := e.Name(); name != "lock" && name != "job.json.tmp" {
			return fmt.Errorf("%w: the folder %s is not empty, and no job was begun in it; give an empty or a new one", rxcql.ErrConfig, f.path)
		}
	}
	return nil
}

// replace makes a file of what write writes, or leaves the file as it is. It returns when that is
// durable.
func (f folder) replace(name string, write func(*bufio.Writer) error) (err error) {
	temp := f.file(name + ".tmp")
	out, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(out, 64<<10)
	err = write(w)
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = out.Sync()
	}
	if err := errors.Join(err, out.Close()); err != nil {
		return err
	}
	if err := os.Rename(temp, f.file(name)); err != nil {
		return err
	}
	return filesys.SyncFolder(f.path)
}

// has reports whether a file is there.
func (f folder) has(name string) bool {
	_, err := os.Stat(f.file(name))
	return err == nil
}

// save replaces a file by the JSON of a value.
func (f folder) save(name string, v any) error {
	return f.replace(name, func(w *bufio.Writer) error {
		enc := json.NewEncoder(w)
		enc.SetIndent("", "  ")
		return enc.Encode(v)
	})
}

// load reads what save wrote.
func (f folder) load(name string, v any) error {
	data, err := os.ReadFile(f.file(name))
	if err == nil {
		err = json.Unmarshal(data, v)
	}
	if err != nil {
		err = fmt.Errorf("%s: %w", f.file(name), err)
	}
	return err
}

// remove removes files that are no longer needed. What is not there is as good.
func (f folder) remove(names ...string) error {
	var errs []error
	for _, name := range names {
		if err := os.Remove(f.file(name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			errs = append(errs, err)
		}
	}
	return errors.Join(errs...)
}

// eachLine calls fn with each line of a file of JSON, as values of T, until fn fails. It reads what
// a step wrote to its end, so a line that is no JSON is an error.
func eachLine[T any](ctx context.Context, path string, fn func(T) error) error {
	in, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = in.Close() }()
	dec := json.NewDecoder(bufio.NewReaderSize(in, 64<<10))
	for n := 1; dec.More(); n++ {
		if n%1000 == 0 && ctx.Err() != nil {
			return context.Cause(ctx)
		}
		var line T
		if err := dec.Decode(&line); err != nil {
			return fmt.Errorf("%w: %s, line %d: %w", rxcql.ErrCheckpointDamaged, path, n, err)
		}
		if err := fn(line); err != nil {
			return err
		}
	}
	return nil
}

// appendLine writes a value as a line of JSON.
func appendLine(w *bufio.Writer, v any) error {
	line, err := json.Marshal(v)
	if err == nil {
		_, err = w.Write(append(line, '\n'))
	}
	return err
}
