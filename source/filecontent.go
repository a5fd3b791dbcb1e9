package source

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zstd"

	"github.com/rxcql/rxcql/internal/filesys"
)

// Open opens what a source reads, from its beginning. It is called once for each reading: by a run,
// and again when operators.Retry reads anew or a job goes on. It must give the same bytes each
// time, except that there may be more. The source closes what it returns.
type Open = func(ctx context.Context) (io.ReadCloser, error)

// content is the text of a file: decompressed, if it is compressed.
type content struct {
	in   io.Reader
	file *os.File // nil unless the text is that of a file as it stands, which can be read anywhere
	raw  *counter // what was read of it, compressed
	size func() int64
	shut []func() error
}

// maxWindow is the most memory that a frame of zstd may want to be decompressed with; the program
// zstd has the same limit.
const maxWindow = 128 << 20

// openContent opens a file, or what open gives in its place. name is for errors.
func openContent(ctx context.Context, name string, open Open) (*content, error) {
	c := &content{}
	var from io.ReadCloser
	if open == nil {
		f, err := filesys.Read(name)
		if err != nil {
			return nil, err
		}
		from, c.file = f, f
		c.size = func() int64 {
			info, err := f.Stat()
			if err != nil {
				return 0
			}
			return info.Size()
		}
	} else {
		r, err := open(ctx)
		if err == nil && r == nil {
			err = errors.New("the function that opens it returned nil")
		}
		if err != nil {
			return nil, &readError{name, err}
		}
		from = r
	}
	c.shut = append(c.shut, from.Close)
	c.raw = &counter{name: name, from: from}
	if err := c.decompress(name); err != nil {
		return nil, errors.Join(err, c.close())
	}
	return c, nil
}

// decompress looks at the first bytes.
func (c *content) decompress(name string) error {
	in := bufio.NewReaderSize(c.raw, 64<<10)
	first, err := in.Peek(4)
	if err != nil && err != io.EOF {
		return err
	}
	switch {
	case len(first) >= 2 && string(first[:2]) == "\x1f\x8b":
		z, err := gzip.NewReader(in)
		if err != nil {
			return &readError{name, err}
		}
		c.in, c.file, c.shut = &counter{name: name, from: z}, nil, append(c.shut, z.Close)
	case string(first) == "\x28\xb5\x2f\xfd":
		// With a concurrency of 1 the decoder starts no goroutine.
		z, err := zstd.NewReader(in, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
		if err != nil {
			return &readError{name, err}
		}
		c.in, c.file = &counter{name: name, from: z}, nil
		c.shut = append(c.shut, func() error { z.Close(); return nil })
	default:
		c.in = in
	}
	return nil
}

// close closes what was opened last first.
func (c *content) close() error {
	var errs []error
	for i := len(c.shut) - 1; i >= 0; i-- {
		errs = append(errs, c.shut[i]())
	}
	return errors.Join(errs...)
}

// counter counts what is read. Its errors are of the reading, so that no row is to blame for them;
// only io.EOF itself is the end.
type counter struct {
	name string
	from io.Reader
	n    int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.from.Read(b)
	c.n += int64(n)
	var path *os.PathError
	if err == nil || err == io.EOF || errors.As(err, &path) {
		return n, err
	}
	return n, &readError{c.name, err}
}

// readError says what could not be read.
type readError struct {
	name string
	err  error
}

func (e *readError) Error() string { return fmt.Sprintf("%s cannot be read: %v", e.name, e.err) }

// Unwrap hides an io.EOF, which would be taken for the end: a connection that is lost may be one.
func (e *readError) Unwrap() error {
	if errors.Is(e.err, io.EOF) {
		return nil
	}
	return e.err
}

// readFailed reports whether reading failed, so that no row is to blame.
func readFailed(err error) bool {
	var path *os.PathError
	var read *readError
	return errors.As(err, &path) || errors.As(err, &read)
}
