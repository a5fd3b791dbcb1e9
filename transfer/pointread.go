package transfer

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"sync"
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
	columns  *rxcql.Columns
	key      []schema.Column
	selected string // the text up to WHERE
	made     *sync.Map
	expiry   []int // columns that come as TTL and go on as expiry
}

// pointText is the text of a query for keys of one shape, see terms.
type pointText struct {
	cql    string
	pinned *driver.Encoding
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
	q := pointQuery{key: key, made: &sync.Map{}}
	var list []rxcql.Column
	var selected []string
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
	q.columns = rxcql.NewColumns(list)
	q.selected = "SELECT " + strings.Join(selected, ", ") + " FROM " + r.about.Quoted() + " WHERE "
	return q
}

// text returns the text for a key of some terms.
func (r *pointReader) text(q *pointQuery, t *terms) *pointText {
	where := ""
	if hasTuple(q.key) {
		where = t.where(q.key)
	}
	if made, known := q.made.Load(where); known {
		return made.(*pointText) //nolint:forcetypeassert // it has no others
	}
	made, _ := q.made.LoadOrStore(where, &pointText{
		cql:    driver.Label(q.selected+t.where(q.key)+" LIMIT 1", r.about.ID, t.types),
		pinned: driver.NewEncoding(t.types, func(ctx context.Context) error { return schema.Unchanged(ctx, r.session, r.about) }),
	})
	return made.(*pointText) //nolint:forcetypeassert // as above
}

// read finds the row with a key, or with static the static columns of a partition. If there is
// none, found is false.
func (r *pointReader) read(ctx context.Context, key [][]byte, static bool) (row rxcql.Row, found bool, err error) {
	q := &r.row
	if static {
		q = &r.static
	}
	if len(key) != len(q.key) {
		return row, false, fmt.Errorf("a key of %s has %d columns, and not %d", r.about.Quoted(), len(q.key), len(key))
	}
	terms, err := termsOf(q.key, key)
	if err != nil {
		return row, false, fmt.Errorf("a key of %s: %w", r.about.Quoted(), err)
	}
	values := make([]driver.Value, len(terms.values))
	for i, value := range terms.values {
		values[i] = driver.Value{Bytes: value}
	}
	text := r.text(q, &terms)
	st := driver.Statement{
		CQL: text.cql, Args: driver.Bind(nil, values), Encoding: text.pinned, Consistency: r.consistency, Idempotent: true,
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
