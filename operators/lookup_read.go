package operators

import (
	"errors"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/rows"
)

// answerReader decodes answers. There are about as many as decode at the same time, so that
// thousands of look-ups in flight need few.
type answerReader[V any] struct {
	rows rows.Reader[V]
	one  []V // for the row of an answer that has one at most
}

func (a *asker[V]) reader() *answerReader[V] {
	if r, is := a.readers.Get().(*answerReader[V]); is {
		return r
	}
	return &answerReader[V]{rows: rows.ReaderOf[V](rxcql.NewColumns, rxcql.NewRow)}
}

// errNotDecoded stays if decoding does not return: a function of the user's has panicked in it.
var errNotDecoded = errors.New("the answer was not decoded to its end")

// decode adds a page of an answer to what was found, and tells hooks of the end of its request.
func (a *asker[V]) decode(page *driver.Page, r *answering, found *Found[V]) (err error) {
	err = errNotDecoded
	defer func() { r.answered(page, err) }()
	reader := a.reader()
	if a.cfg.all > 0 {
		err = reader.readAll(page, r, found, a.cfg.all)
	} else {
		err = reader.readOne(page, found)
	}
	a.readers.Put(reader)
	return err
}

func (ar *answerReader[V]) readAll(page *driver.Page, r *answering, found *Found[V], most int) error {
	read, bad, size, err := ar.rows.Read(page, found.Rows)
	switch {
	case err != nil:
		return err
	case len(bad) > 0:
		return bad[0].Err
	}
	if r.bytes += int64(page.Bytes()) + size; r.bytes > int64(most) {
		return errAnswerTooLarge(most)
	}
	if len(read) > 0 {
		found.Row, found.OK, found.Rows = read[0], true, read
	}
	return nil
}

func (ar *answerReader[V]) readOne(page *driver.Page, found *Found[V]) error {
	if page.Rows() == 0 {
		return nil
	}
	if page.Rows() > 1 || found.OK {
		return errSeveralRows
	}
	var bad []rows.Undecoded
	var err error
	ar.one, bad, _, err = ar.rows.Read(page, ar.one[:0])
	switch {
	case err != nil:
		return err
	case len(bad) > 0:
		return bad[0].Err
	}
	found.Row, found.OK = ar.one[0], true
	clear(ar.one)
	return nil
}

// errSeveralRows is the error of a row for which a look-up finds more than one.
var errSeveralRows = errors.New("the look-up found more than one row for this one: " +
	"bind the whole primary key, give the statement a LIMIT 1, or take all rows with LookupAll")

func errAnswerTooLarge(most int) error {
	return fmt.Errorf("the look-up found more than the %d bytes of LookupAll for this row: raise that, or give the statement a LIMIT", most)
}
