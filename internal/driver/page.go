package driver

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/codec"
)

// ErrPageSize says that a page of no rows was asked for, which would switch
// paging off and put the whole result into one frame.
var ErrPageSize = errors.New("the page size must be at least 1 row")

// Page is one page of rows as it came from the server. It is not safe for
// concurrent use. The cells refer to memory that nobody reuses: they stay valid
// for as long as they are held, and hold the page's whole frame with them.
type Page struct {
	iter     *gocql.Iter
	metadata *metadata
	host     string
	next     []byte
	warnings []string
	rows     int
	read     int
	bytes    int
	frame    int
	dest     []any
	bound    *[]byte
	err      error
}

// Fetch reads one page: the first with a nil state, else the one that follows the page whose Next
// is state. The server takes pageSize as a limit; pages may be shorter, or empty in the middle of a
// result. A state belongs to the statement and its bound values: with others the server returns no
// rows and no error. So whoever keeps states must keep them apart.
func (s *Session) Fetch(ctx context.Context, st Statement, pageSize int, state []byte) (*Page, error) {
	if pageSize < 1 {
		return nil, ErrPageSize
	}
	return s.fetch(ctx, st, pageSize, state)
}

// fetch is Fetch, or FetchWhole with a pageSize of 0.
func (s *Session) fetch(ctx context.Context, st Statement, pageSize int, state []byte) (*Page, error) {
	b := new(binder)
	q, err := s.query(ctx, st, b)
	if err != nil {
		return nil, err
	}
	defer q.Release() // as in Exec
	// With its metadata in every page the iterator has columns of its own: no
	// stale ones after a schema change, and free to be retyped.
	q.NoSkipMetadata().PageSize(pageSize).PageState(state)

	p := &Page{}
	err = guard(ctx, b.sending, func() error {
		p.iter = q.WithContext(ctx).Iter()
		return p.open(s, st.CQL, false)
	})
	if err != nil {
		return nil, withhold(err, st.Args)
	}
	return p, nil
}

// open reads what the answer says of itself. The columns are shared by many answers if the request
// said that they are known.
func (p *Page) open(s *Session, cql string, known bool) error {
	infos := p.iter.Columns()
	p.rows = p.iter.NumRows()
	p.warnings = p.iter.Warnings()
	p.next = p.iter.PageState()
	if host := p.iter.Host(); host != nil {
		p.host = host.HostID()
	}
	if p.rows == 0 || len(infos) == 0 {
		if err := p.iter.Close(); err != nil {
			return err
		}
	}
	if len(infos) == 0 && p.rows > 0 {
		return errors.New("the server sent rows without saying what their columns are")
	}
	var err error
	if p.metadata, err = s.metadata.of(cql, infos); err != nil {
		return err
	}
	if tuple := slices.IndexFunc(infos, isTuple); tuple >= 0 && known {
		return &SchemaChangedError{fmt.Sprintf("column %s is a tuple, and was none when the statement was described: "+
			"the table was altered, or dropped and made again", infos[tuple].Name)}
	}
	if !known {
		p.metadata.flatten(infos)
	}
	return nil
}

// Rows is the number of rows in the page, read or not.
func (p *Page) Rows() int { return p.rows }

// Columns describes the cells of a row. Pages of one statement give the very
// same slice for as long as the server describes them alike, so a plan made
// from it can be kept by comparing &Columns()[0]. It must not be changed.
func (p *Page) Columns() []codec.Column { return p.metadata.columns }

// Next is the state from which Fetch goes on, or nil if this is the last page.
func (p *Page) Next() []byte {
	if len(p.next) == 0 {
		return nil // after the last page gocql has a state of length 0 that is not nil
	}
	return p.next
}

// Warnings are the server's, such as one about many tombstones.
func (p *Page) Warnings() []string { return p.warnings }

// Host is the id of the node that coordinated the request.
func (p *Page) Host() string { return p.host }

// Scan puts the next row's cells into cells, which must have one element a
// column. A null is nil; an empty value is of length 0 and not nil. Scan
// reports false at the end of the page and on an error, which Err tells apart.
// A tuple is one cell like anything else. Nothing is copied; giving the same
// cells each time is fastest.
func (p *Page) Scan(cells [][]byte) bool {
	if p.err != nil || p.read == p.rows {
		return false
	}
	if len(cells) != len(p.metadata.columns) {
		p.err = fmt.Errorf("a row has %d cells, not %d", len(p.metadata.columns), len(cells))
		return false
	}
	if p.bound != &cells[0] {
		p.bind(cells)
	}
	if !p.scan() {
		if p.err == nil {
			p.err = p.iter.Close()
		}
		if p.err == nil {
			p.err = fmt.Errorf("the page ended after %d of its %d rows", p.read, p.rows)
		}
		return false
	}
	for i := range cells {
		n := len(cells[i])
		p.bytes += n
		p.frame = max(p.frame, cap(cells[i]))
		// An append must not run into the next cell. Written so, only the capacity
		// is stored: no write barrier, which was 4 % of a scan.
		cells[i] = cells[i][:n:n]
	}
	if p.read++; p.read == p.rows {
		p.err = p.iter.Close()
	}
	return true
}

func (p *Page) scan() (ok bool) {
	defer func() {
		if r := recover(); r != nil {
			p.err, ok = panicked(r), false
		}
	}()
	return p.iter.Scan(p.dest...)
}

// cell takes a column's bytes as they are.
type cell []byte

func (c *cell) UnmarshalCQL(_ gocql.TypeInfo, data []byte) error {
	*c = data
	return nil
}

func (p *Page) bind(cells [][]byte) {
	if len(p.dest) != p.metadata.scanned {
		p.dest = slices.Grow(p.dest[:0], p.metadata.scanned)[:p.metadata.scanned]
	}
	for i := range cells {
		p.dest[i] = (*cell)(&cells[i])
	}
	p.bound = &cells[0]
}

// Err is the error that ended Scan, or nil. An error of the request itself
// comes from Fetch.
func (p *Page) Err() error { return p.err }

// Bytes is the sum of the cells that Scan has given so far.
func (p *Page) Bytes() int { return p.bytes }

// Held is how many bytes stay in memory for as long as any cell is held: the
// frame's rest from the first value on. It is known after the first row.
func (p *Page) Held() int { return p.frame }
