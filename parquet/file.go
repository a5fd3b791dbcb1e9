package parquet

import (
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"sort"
	"sync"

	pq "github.com/parquet-go/parquet-go"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/filesys"
	"github.com/rxcql/rxcql/internal/parquetcell"
)

// file is one file of a source. It is open while somebody reads it.
type file struct {
	path, name string
	before     int64   // rows of the files before it
	rows       int64   // in all of its row groups
	groups     []int64 // the rows of the file before each row group
	size       int64
	sum        string         // of its end
	columns    *rxcql.Columns // of its rows

	mu      sync.Mutex
	users   int
	f       *os.File
	content *pq.File
	plan    *parquetcell.Plan // for content
}

// acquire opens the file unless it is open, and keeps it open until release is called.
func (d *dataset) acquire(f *file) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.users == 0 {
		size, sum := f.size, f.sum
		if err := f.open(); err != nil {
			return err
		}
		if f.size != size || f.sum != sum {
			return errors.Join(fmt.Errorf("%s was replaced while it was read", f.path), f.close())
		}
		if err := d.plan(f); err != nil {
			return errors.Join(err, f.close())
		}
	}
	f.users++
	return nil
}

func (f *file) release() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.users--; f.users > 0 {
		return nil
	}
	return f.close()
}

// readBuffer is how many bytes of a column are read from the file at a time.
const readBuffer = 32 << 10

// open opens the file and reads its end, where its columns and row groups are listed.
func (f *file) open() (err error) {
	f.f, err = filesys.Read(f.path)
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, f.close())
		}
	}()
	info, err := f.f.Stat()
	if err != nil {
		return err
	}
	f.size = info.Size()
	if f.sum, err = footer(f.f, f.size); err != nil {
		return fmt.Errorf("%w: %s: %w", rxcql.ErrSchema, f.path, err)
	}
	if f.content, err = parse(f.f, f.size); err != nil {
		return fmt.Errorf("%w: %s: it cannot be read as Parquet: %w", rxcql.ErrSchema, f.path, err)
	}
	return nil
}

func (f *file) close() error {
	err := f.f.Close()
	f.f, f.content, f.plan = nil, nil, nil
	return err
}

// parse reads the end of a file. The library panics at some that are damaged.
func parse(in io.ReaderAt, size int64) (file *pq.File, err error) {
	defer func() {
		if r := recover(); r != nil {
			file, err = nil, errors.New("its end is damaged")
		}
	}()
	return pq.OpenFile(in, size, pq.SkipBloomFilters(true), pq.SkipPageIndex(true), pq.ReadBufferSize(readBuffer))
}

var errNotParquet = errors.New("it is not a Parquet file: it does not begin and end with PAR1")

// footer returns a checksum of the end of a file, in which all of its columns and pages are listed.
func footer(in io.ReaderAt, size int64) (string, error) {
	const magic, tail = "PAR1", 8 // the length of the footer and the magic word stand at the end
	if size < int64(len(magic)+tail) {
		return "", errNotParquet
	}
	begin, end := make([]byte, len(magic)), make([]byte, tail)
	if _, err := in.ReadAt(begin, 0); err != nil {
		return "", err
	}
	if _, err := in.ReadAt(end, size-tail); err != nil {
		return "", err
	}
	if string(begin) == "PARE" || string(end[4:]) == "PARE" {
		return "", errors.New("it is encrypted, and cannot be read")
	}
	length := int64(binary.LittleEndian.Uint32(end))
	if string(begin) != magic || string(end[4:]) != magic || length > size-int64(len(magic)+tail) {
		return "", errNotParquet
	}
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(in, size-tail-length, length)); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)[:16]), nil
}

// groupOf finds the row group that a row of the file is in.
func (f *file) groupOf(row int64) int {
	return sort.Search(len(f.groups), func(i int) bool { return f.groups[i] > row }) - 1
}

// rowsIn returns how many rows a row group has.
func (f *file) rowsIn(group int) int64 {
	if group+1 < len(f.groups) {
		return f.groups[group+1] - f.groups[group]
	}
	return f.rows - f.groups[group]
}
