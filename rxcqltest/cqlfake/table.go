package cqlfake

import (
	"cmp"
	"encoding/binary"
	"math"
	"slices"
	"strings"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/ring"
)

type tableName struct{ keyspace, name string }

// table is one with its rows.
type table struct {
	tableName
	id         gocql.UUID
	columns    []*column // in the order of a SELECT *
	partition  []*column
	clustering []*column
	ttl        int64
	counter    bool // its columns that are not of the key are counters
	system     bool // read only

	partitions []*partition // in the order of the ring
}

func (t *table) String() string { return t.keyspace + "." + t.name }

type column struct {
	name   string
	typ    *codec.Type
	key    bool
	static bool // has one value a partition
	parted bool // a collection or a user-defined type that is not frozen; see parts
	desc   bool
	order  func(a, b []byte) int // of a clustering column
}

// none is the timestamp of what never was.
const none = math.MinInt64

type partition struct {
	token   int64
	key     string
	cells   [][]byte // the columns of the key
	deleted int64
	static  *row   // of the static columns, without a key; nil before one of them is written
	rows    []*row // in their order
}

type row struct {
	key     [][]byte // the clustering columns
	deleted int64
	marker  cell // of an INSERT; none if its timestamp is that
	cells   map[*column]cell
	parts   map[*column]*parts // of the columns that are kept so
}

func newRow(key [][]byte) *row {
	return &row{key: key, deleted: none, marker: cell{at: none}, cells: map[*column]cell{}, parts: map[*column]*parts{}}
}

// partitionKey is the key as the ring knows it.
func partitionKey(cells [][]byte) string {
	if len(cells) == 1 {
		return string(cells[0])
	}
	var b []byte
	for _, cell := range cells {
		b = binary.BigEndian.AppendUint16(b, uint16(len(cell)))
		b = append(append(b, cell...), 0)
	}
	return string(b)
}

// place is where a partition is, or where it belongs.
func (t *table) place(token int64, key string) (int, bool) {
	return slices.BinarySearchFunc(t.partitions, key, func(p *partition, key string) int {
		return cmp.Or(cmp.Compare(p.token, token), strings.Compare(p.key, key))
	})
}

// find gives the partition of a key, nil for none.
func (t *table) find(key string) *partition {
	if i, found := t.place(ring.Token([]byte(key)), key); found {
		return t.partitions[i]
	}
	return nil
}

// make gives the partition of a key, which is made if there is none.
func (t *table) make(cells [][]byte) *partition {
	key := partitionKey(cells)
	token := ring.Token([]byte(key))
	i, found := t.place(token, key)
	if !found {
		t.partitions = slices.Insert(t.partitions, i, &partition{token: token, key: key, cells: cells, deleted: none})
	}
	return t.partitions[i]
}

// compareRows is the order of rows in a partition, of as many columns as both have.
func (t *table) compareRows(a, b [][]byte) int {
	for i := range min(len(a), len(b)) {
		c := t.clustering[i]
		order := c.order(a[i], b[i])
		if c.desc {
			order = -order
		}
		if order != 0 {
			return order
		}
	}
	return 0
}

// placeOf is where a row is in its partition, or where it belongs.
func (t *table) placeOf(p *partition, key [][]byte) (int, bool) {
	return slices.BinarySearchFunc(p.rows, key, func(r *row, key [][]byte) int { return t.compareRows(r.key, key) })
}

// row gives that of a clustering key, which is made if there is none.
func (t *table) row(p *partition, key [][]byte) *row {
	i, found := t.placeOf(p, key)
	if !found {
		p.rows = slices.Insert(p.rows, i, newRow(key))
	}
	return p.rows[i]
}
