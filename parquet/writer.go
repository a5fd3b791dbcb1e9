package parquet

import (
	"context"
	"encoding/json"
	"sync"

	pq "github.com/parquet-go/parquet-go"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/internal/parquetcell"
)

// How the library lays out pages: how many bytes of a column it gathers for one, and how large a
// dictionary may be.
const (
	pageBuffer      = 128 << 10
	dictionaryBytes = 512 << 10
)

// writer writes rows in one run.
type writer[T any] struct {
	st      *rxcql.Stage
	cfg     writeConfig
	encoder encoder[T]
	out     output

	mu    sync.Mutex // saves come in a goroutine of their own
	held  held
	file  *pq.GenericWriter[any]
	shred *parquetcell.Shredder
	group int64 // bytes of values in the row group so far
	rows  int   // in the file so far
	err   error // the first error; nothing works after it
}

func (w *writer[T]) Write(ctx context.Context, p *flow.Page[T]) error {
	w.st.CountIn(len(p.Rows))
	if len(p.Rows) == 0 {
		return nil
	}
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return w.st.Fail(w.err)
	}
	w.err = w.st.Protect(func() error { return w.page(ctx, p) })
	return w.err
}

// page writes the rows of a page. It is settled with the file that has the last of them: files
// follow one another.
func (w *writer[T]) page(ctx context.Context, p *flow.Page[T]) error {
	defer func() { w.held.charge(w.group) }()
	for i := range p.Rows {
		row, size, err := w.row(&p.Rows[i])
		if err != nil {
			failed := rxcql.FailedRow{Position: p.Position, Index: i, Row: p.Rows[i], Err: err}
			if err := w.st.RowFailed(ctx, p.Reservation, failed); err != nil {
				return err
			}
			continue
		}
		w.held.page(p.Reservation) // for each row, since a file may begin in the middle of the page
		if err := w.put(row, size); err != nil {
			return w.st.Fail(err)
		}
	}
	return nil
}

// row shreds a row. The error is about the row alone. A row that failed does not say which columns
// the file has.
func (w *writer[T]) row(row *T) (shredded pq.Row, size int64, err error) {
	if w.shred == nil {
		defer func() {
			if err != nil {
				w.shred = nil
				w.encoder.forget()
			}
		}()
	}
	schema, err := w.encoder.schema(row)
	if err != nil {
		return nil, 0, err
	}
	if w.shred == nil {
		w.shred = schema.NewShredder()
	}
	cells, err := w.encoder.cells(row)
	if err != nil {
		return nil, 0, err
	}
	for _, c := range cells {
		size += int64(len(c))
	}
	shredded, err = w.shred.Row(cells)
	return shredded, size + int64(len(cells)), err
}

// put writes a row, and ends the row group and the file if they are large enough.
func (w *writer[T]) put(row pq.Row, size int64) error {
	if w.file == nil {
		if err := w.begin(); err != nil {
			return err
		}
	}
	if _, err := w.file.WriteRows([]pq.Row{row}); err != nil {
		return err
	}
	w.rows++
	if w.group += size; w.group < w.cfg.groupBytes {
		return nil
	}
	w.group = 0
	if err := w.file.Flush(); err != nil {
		return err
	}
	w.held.charge(0)
	if w.cfg.fileBytes > 0 && w.out.size() >= w.cfg.fileBytes {
		return w.finish()
	}
	return nil
}

// begin begins a file.
func (w *writer[T]) begin() error {
	schema, err := w.encoder.schema(nil)
	if err != nil {
		return err
	}
	if err := w.out.begin(); err != nil {
		return err
	}
	w.file = pq.NewGenericWriter[any](w.out, schema.Parquet(), pq.Compression(w.cfg.codec),
		pq.PageBufferSize(pageBuffer), pq.DictionaryMaxBytes(dictionaryBytes),
		pq.CreatedBy("github.com/rxcql/rxcql", "", ""))
	w.rows, w.group = 0, 0
	return nil
}

// finish makes the file complete and durable, if one has begun.
func (w *writer[T]) finish() error {
	if w.file == nil {
		return nil
	}
	err := w.file.Close()
	if err == nil {
		err = w.out.commit()
	}
	if err == nil {
		w.st.CountWritten(w.rows)
		w.held.settle()
		w.file, w.rows, w.group = nil, 0, 0
	}
	return err
}

// Flush completes the last file. A stream without rows makes a file without rows, if its columns
// are known and it has not made another one.
func (w *writer[T]) Flush(context.Context) error {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err == nil {
		w.err = w.st.Protect(func() error {
			schema, err := w.encoder.schema(nil)
			if err == nil && w.file == nil && schema != nil && w.out.files() == 0 {
				err = w.begin()
			}
			if err == nil {
				err = w.finish()
			}
			if err == nil {
				err = w.out.end()
			}
			return w.st.Fail(err)
		})
	}
	return w.err
}

// save is called before each save of the job, the first time before anything is read. It completes
// the file, so that all that was read is durable.
func (w *writer[T]) save(context.Context) ([]byte, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return nil, w.err
	}
	if w.err = w.finish(); w.err != nil {
		return nil, w.err
	}
	state, err := w.out.saved()
	if err != nil {
		w.err = err
		return nil, err
	}
	return json.Marshal(state)
}

func (w *writer[T]) Close() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.held.giveUp()
	return w.st.Fail(w.out.discard())
}
