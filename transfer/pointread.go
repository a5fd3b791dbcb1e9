package transfer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/internal/schema"
)

// pointReader reads single rows of a table by their keys, with the write times and the expiry of
// all cells of which the server says them. It is safe for many goroutines.
type pointReader struct {
	session     *driver.Session
	about       *schema.Table
	consistency *gocql.Consistency
	elements    bool // the server says the times of elements
	row, static pointQuery
}

// pointQuery is a statement that finds a row, or the static columns of a partition.
type pointQuery struct {
	cql     string
	columns *rxcql.Columns
	keys    int // bound values
	pinned  *driver.Encoding
	expiry  []int // columns that come as TTL and go on as expiry
}

// newPointReader makes a reader of the compared columns of one side. elements says that the server
// can say write times of the elements of collections.
func newPointReader(e *end, about *schema.Table, c *comparison, right, elements bool, consistency *gocql.Consistency) *pointReader {
	r := &pointReader{session: e.session, about: about, consistency: consistency, elements: elements}
	r.row = r.query(slices.Concat(about.PartitionKey, about.ClusteringKey), sideOf(c.regular, right), elements)
	r.static = r.query(about.PartitionKey, sideOf(c.static, right), elements)
	return r
}

func sideOf(pairs []columnPair, right bool) []schema.Column {
	columns := make([]schema.Column, len(pairs))
	for i := range pairs {
		columns[i] = pairs[i].of(right)
	}
	return columns
}

func (r *pointReader) query(key, columns []schema.Column, elements bool) pointQuery {
	q := pointQuery{keys: len(key)}
	var list []rxcql.Column
	var selected, where []string
	var types []*codec.Type
	for _, c := range slices.Concat(key, columns) {
		selected = append(selected, schema.Quote(c.Name))
		list = append(list, rxcql.Column{Name: c.Name, Type: c.Type})
	}
	for _, c := range columns {
		if c.Type.Kind == codec.Counter || multiCell(c.Type) && !elements {
			continue
		}
		t := timeType(c)
		selected = append(selected, "WRITETIME("+schema.Quote(c.Name)+")", "TTL("+schema.Quote(c.Name)+")")
		q.expiry = append(q.expiry, len(list)+1)
		list = append(list, rxcql.Column{Name: writesName(c.Name), Type: t}, rxcql.Column{Name: expiresName(c.Name), Type: t})
	}
	for _, c := range key {
		where = append(where, schema.Quote(c.Name)+" = ?")
		types = append(types, c.Type)
	}
	q.columns = rxcql.NewColumns(list)
	q.cql = driver.Label(fmt.Sprintf("SELECT %s FROM %s WHERE %s LIMIT 1", strings.Join(selected, ", "), r.about.Quoted(), strings.Join(where, " AND ")),
		r.about.ID, types)
	q.pinned = driver.NewEncoding(types, func(ctx context.Context) error { return schema.Unchanged(ctx, r.session, r.about) })
	return q
}

// read finds the row with a key, or with static the static columns of a partition. If there is
// none, found is false.
func (r *pointReader) read(ctx context.Context, key [][]byte, static bool) (row rxcql.Row, found bool, err error) {
	q := &r.row
	if static {
		q = &r.static
	}
	if len(key) != q.keys {
		return row, false, fmt.Errorf("a key of %s has %d columns, and not %d", r.about.Quoted(), q.keys, len(key))
	}
	values := make([]driver.Value, len(key))
	for i := range key {
		values[i] = driver.Value{Bytes: key[i]}
	}
	st := driver.Statement{
		CQL: q.cql, Args: driver.Bind(nil, values), Encoding: q.pinned, Consistency: r.consistency, Idempotent: true,
	}
	err = rxcql.Retry(ctx, rxcql.MayPass, func() error {
		row, found, err = r.fetch(ctx, q, st)
		return err
	})
	if err != nil {
		err = fmt.Errorf("a row of %s: %w", r.about.Quoted(), err)
	}
	return row, found, err
}

func (r *pointReader) fetch(ctx context.Context, q *pointQuery, st driver.Statement) (row rxcql.Row, found bool, err error) {
	asked := time.Now()
	var state []byte
	for {
		page, err := r.session.Fetch(ctx, st, 2, state) // more than the LIMIT: see facts of page states
		if err != nil {
			return rxcql.Row{}, false, err
		}
		if page.Rows() > 0 {
			cells := make([][]byte, len(page.Columns()))
			if !page.Scan(cells) {
				return rxcql.Row{}, false, errors.Join(page.Err(), errors.New("a row that was announced did not come"))
			}
			if len(cells) != len(q.columns.List()) {
				return rxcql.Row{}, false, fmt.Errorf("%w: the answer has other columns than were asked for", rxcql.ErrSchema)
			}
			for _, i := range q.expiry {
				cells[i] = expiryCell(cells[i], q.columns.List()[i].Type, asked)
			}
			return rxcql.NewRow(q.columns, cells), true, nil
		}
		if state = page.Next(); state == nil {
			return rxcql.Row{}, false, page.Err()
		}
	}
}

// expiryCell makes of a TTL, or those of the elements, when they end in seconds since 1970.
func expiryCell(cell []byte, t *codec.Type, asked time.Time) []byte {
	until := func(ttl []byte) []byte {
		if len(ttl) != 4 {
			return nil
		}
		return binary.BigEndian.AppendUint64(nil, uint64(asked.Unix()+int64(binary.BigEndian.Uint32(ttl)))) //nolint:gosec // after 1970
	}
	if t.Kind != codec.List {
		return until(cell)
	}
	if len(cell) < 4 {
		return cell
	}
	all := slices.Clone(cell[:4])
	for rest := cell[4:]; len(rest) > 0; {
		ttl, after, ok := element(rest)
		if !ok {
			break
		}
		if end := until(ttl); end != nil {
			all = append(binary.BigEndian.AppendUint32(all, 8), end...)
		} else {
			all = binary.BigEndian.AppendUint32(all, ^uint32(0))
		}
		rest = after
	}
	return all
}

// saysElements reports whether a server can say the write times of the elements of collections:
// Cassandra since 5.0 (CASSANDRA-8877).
func saysElements(version string) bool {
	major, _, _ := strings.Cut(version, ".")
	n, err := strconv.Atoi(major)
	return err == nil && n >= 5
}
