package source

import (
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/rows"
)

// readerOf returns what reads the rows of pages. asked is when the page was asked for.
func readerOf[T any](cfg readConfig, asked *time.Time) rows.Reader[T] {
	if cfg.times {
		if r, is := any(&timesReader{asked: asked}).(rows.Reader[T]); is {
			return r
		}
	}
	return rows.ReaderOf[T](rxcql.NewColumns, rxcql.NewRow)
}

// timesReader reads undecoded rows, and makes expiries of the remaining seconds in them. It belongs
// to one goroutine.
type timesReader struct {
	asked *time.Time

	columns []codec.Column // as the server describes them
	made    *rxcql.Columns // as rows have them
	expires []int          // the columns that have remaining seconds
	memory  []byte         // for expiries: the part that is not used yet
	used    int64          // bytes of memory that the page has taken
}

var (
	bigintType  = &codec.Type{Kind: codec.Bigint}
	bigintsType = &codec.Type{Kind: codec.List, Elems: []*codec.Type{bigintType}}
)

// Read reads a page, see rows.Reader.
func (r *timesReader) Read(p *driver.Page, read []rxcql.Row) ([]rxcql.Row, []rows.Undecoded, int64, error) {
	read, _, size, err := r.ReadCells(p, read)
	return read, nil, size, err
}

// ReadCells reads a page, see rows.Raw. The cells of a page share one slice, since rows may be
// kept.
func (r *timesReader) ReadCells(p *driver.Page, read []rxcql.Row) ([]rxcql.Row, [][]byte, int64, error) {
	if err := r.describe(p.Columns()); err != nil {
		return read, nil, 0, err
	}
	r.memory, r.used = nil, 0
	now := r.asked.Unix()
	n := len(r.columns)
	slab := make([][]byte, p.Rows()*n)
	done := 0
	for done < len(slab) {
		cells := slab[done : done+n : done+n]
		if !p.Scan(cells) {
			break
		}
		for _, i := range r.expires {
			var err error
			if cells[i], err = r.expiry(cells[i], r.columns[i].Type.Kind == codec.List, now); err != nil {
				return read, slab[:done], 0, fmt.Errorf("column %q: %w", r.columns[i].Name, err)
			}
		}
		done += n
		read = append(read, rxcql.NewRow(r.made, cells))
	}
	const header, row = 24, 32 // bytes of a slice header, and of a Row
	return read, slab[:done], int64(done*header+done/max(n, 1)*row) + r.used, p.Err()
}

// describe notes the columns, when they come for the first time or have changed.
func (r *timesReader) describe(columns []codec.Column) error {
	if r.made != nil && len(columns) == len(r.columns) && &columns[0] == &r.columns[0] {
		return nil
	}
	if err := codec.Distinct(columns); err != nil {
		return fmt.Errorf("%w: %w", driver.ErrSchema, err)
	}
	known := make(map[string]bool, len(columns))
	for _, c := range columns {
		known[c.Name] = true
	}
	r.expires = r.expires[:0]
	made := make([]codec.Column, len(columns))
	for i, c := range columns {
		made[i] = c
		if !known[expiresOf(c.Name)] {
			continue
		}
		switch {
		case c.Type.Kind == codec.Int:
			made[i].Type = bigintType
		case c.Type.Kind == codec.List && c.Type.Elems[0].Kind == codec.Int:
			made[i].Type = bigintsType
		default:
			return fmt.Errorf("%w: the server gives %q as %s, and not as seconds that are left", driver.ErrSchema, c.Name, c.Type)
		}
		r.expires = append(r.expires, i)
	}
	r.columns, r.made = columns, rxcql.NewColumns(made)
	return nil
}

// expiresOf returns the column whose expiry a column of this name is, "" if it is none.
func expiresOf(name string) string {
	const before, after = "expires(", ")"
	if len(name) <= len(before)+len(after) || name[:len(before)] != before || name[len(name)-1:] != after {
		return ""
	}
	return name[len(before) : len(name)-1]
}

var errSeconds = errors.New("the bytes are not the seconds that are left")

// expiry makes expiries of the seconds that were left at a time. A null stays null.
func (r *timesReader) expiry(left []byte, list bool, at int64) ([]byte, error) {
	switch {
	case left == nil:
		return nil, nil
	case list:
		return r.expiries(left, at)
	case len(left) != 4:
		return nil, errSeconds
	}
	return binary.BigEndian.AppendUint64(r.room(8), uint64(at+seconds(left))), nil
}

// expiries does so for each element of a list<int>, and makes a list<bigint>.
func (r *timesReader) expiries(left []byte, at int64) ([]byte, error) {
	if len(left) < 4 {
		return nil, errSeconds
	}
	n := int(seconds(left))
	rest := left[4:]
	if n < 0 || n > len(rest)/4 {
		return nil, errSeconds
	}
	out := binary.BigEndian.AppendUint32(r.room(4+12*n), uint32(n))
	for range n {
		if len(rest) < 4 {
			return nil, errSeconds
		}
		size := seconds(rest)
		rest = rest[4:]
		if size < 0 {
			out = binary.BigEndian.AppendUint32(out, 0xFFFFFFFF)
			continue
		}
		if size != 4 || len(rest) < 4 {
			return nil, errSeconds
		}
		out = binary.BigEndian.AppendUint32(out, 8)
		out = binary.BigEndian.AppendUint64(out, uint64(at+seconds(rest)))
		rest = rest[4:]
	}
	if len(rest) > 0 {
		return nil, errSeconds
	}
	return out[:len(out):len(out)], nil
}

func seconds(b []byte) int64 { return int64(int32(binary.BigEndian.Uint32(b))) }

// room returns memory for n bytes, of length 0. Blocks of it serve many cells.
func (r *timesReader) room(n int) []byte {
	const block = 8 << 10
	if len(r.memory) < n {
		r.memory = make([]byte, max(n, block))
		r.used += int64(len(r.memory))
	}
	out := r.memory[:0:n]
	r.memory = r.memory[n:]
	return out
}
