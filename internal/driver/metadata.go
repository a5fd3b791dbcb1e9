package driver

import (
	"fmt"
	"slices"
	"sync"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/internal/codec"
)

// maxMetadata bounds the cache; past it, it starts anew. Programs that build
// statements with values in their text would fill it without end.
const maxMetadata = 1024

// metadata is what one answer says of its columns.
type metadata struct {
	infos   []gocql.ColumnInfo // as they came
	from    *gocql.ColumnInfo  // the first, where it came
	columns []codec.Column
	scanned int // how many destinations gocql wants for a row
}

// metadataCache keeps the last metadata of each statement, so that what was
// made from it can be kept too. The server may describe a statement anew at
// any time (a column is added under a SELECT *), so each answer is compared.
type metadataCache struct {
	mu   sync.RWMutex
	last map[string]*metadata
}

func (c *metadataCache) of(cql string, infos []gocql.ColumnInfo) (*metadata, error) {
	c.mu.RLock()
	m := c.last[cql]
	c.mu.RUnlock()
	if m != nil && (len(infos) > 0 && m.from == &infos[0] || slices.EqualFunc(m.infos, infos, sameColumn)) {
		return m, nil
	}

	m = &metadata{infos: slices.Clone(infos), scanned: len(infos)}
	if len(infos) > 0 {
		m.from = &infos[0]
	}
	var err error
	if m.columns, err = convert(infos); err != nil {
		return nil, err
	}
	for _, info := range infos {
		if tuple, ok := info.TypeInfo.(gocql.TupleTypeInfo); ok {
			m.scanned += len(tuple.Elems) - 1
		}
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known := c.last[cql]; known != nil && slices.EqualFunc(known.infos, infos, sameColumn) {
		return known, nil // another page was faster; all must get one slice
	}
	if c.last == nil || len(c.last) >= maxMetadata {
		c.last = make(map[string]*metadata)
	}
	c.last[cql] = m
	return m, nil
}

// flatten makes blobs of the tuples among an iterator's own columns: gocql
// spreads a tuple over one destination an element, in which a null tuple looks
// like one of nulls. It still counts those destinations; they stay unused.
func (m *metadata) flatten(infos []gocql.ColumnInfo) {
	if m.scanned == len(infos) && !slices.ContainsFunc(infos, isTuple) {
		return
	}
	for i, info := range infos {
		if isTuple(info) {
			infos[i].TypeInfo = gocql.NewNativeType(info.TypeInfo.Version(), gocql.TypeBlob, "")
		}
	}
}

func isTuple(info gocql.ColumnInfo) bool { return info.TypeInfo.Type() == gocql.TypeTuple }

func convert(infos []gocql.ColumnInfo) ([]codec.Column, error) {
	columns := make([]codec.Column, len(infos))
	for i, info := range infos {
		typ, err := codec.FromDriver(info.TypeInfo)
		if err != nil {
			return nil, fmt.Errorf("column %s: %w", info.Name, err)
		}
		columns[i] = codec.Column{Name: info.Name, Type: typ}
	}
	return columns, nil
}

func sameColumn(a, b gocql.ColumnInfo) bool {
	return a.Name == b.Name && a.Table == b.Table && a.Keyspace == b.Keyspace && sameType(a.TypeInfo, b.TypeInfo)
}

// sameType compares structurally; tuples and UDTs hold slices, so == would panic.
func sameType(a, b gocql.TypeInfo) bool {
	switch a := a.(type) {
	case nil:
		return b == nil
	case gocql.NativeType:
		b, ok := b.(gocql.NativeType)
		return ok && a == b
	case gocql.CollectionType:
		b, ok := b.(gocql.CollectionType)
		return ok && a.NativeType == b.NativeType && sameType(a.Key, b.Key) && sameType(a.Elem, b.Elem)
	case gocql.TupleTypeInfo:
		b, ok := b.(gocql.TupleTypeInfo)
		return ok && slices.EqualFunc(a.Elems, b.Elems, sameType)
	case gocql.UDTTypeInfo:
		b, ok := b.(gocql.UDTTypeInfo)
		return ok && a.KeySpace == b.KeySpace && a.Name == b.Name &&
			slices.EqualFunc(a.Elements, b.Elements, func(x, y gocql.UDTField) bool {
				return x.Name == y.Name && sameType(x.Type, y.Type)
			})
	}
	return false
}
