package operators

import (
	"unsafe"

	"github.com/jellydator/ttlcache/v3"

	"github.com/rxcql/rxcql"
)

// foundCache keeps what was found. It has no goroutine: what has expired goes when room is needed,
// or its key is found anew. A nil one keeps nothing.
type foundCache[V any] struct {
	of   *ttlcache.Cache[string, Found[V]]
	keep func(V) V
	cost func(ttlcache.CostItem[string, Found[V]]) uint64
	most uint64 // of all costs
}

// cachedOverhead is about what an entry takes beyond its key and what was found.
const cachedOverhead = 320

func newFoundCache[V any](cfg *lookupConfig) *foundCache[V] {
	if cfg.cacheBytes == 0 {
		return nil
	}
	size := rxcql.SizeFunc[V]()
	cost := func(item ttlcache.CostItem[string, Found[V]]) uint64 {
		bytes := cachedOverhead + len(item.Key) + int(unsafe.Sizeof(item.Value)) + size(&item.Value.Row)
		for i := range item.Value.Rows {
			bytes += size(&item.Value.Rows[i])
		}
		return uint64(bytes)
	}
	most := uint64(cfg.cacheBytes) //nolint:gosec // at least 1
	return &foundCache[V]{keep: rxcql.CloneFunc[V](), cost: cost, most: most, of: ttlcache.New(
		ttlcache.WithTTL[string, Found[V]](cfg.cacheTTL),
		ttlcache.WithDisableTouchOnHit[string, Found[V]](), // it expires that long after it was found
		ttlcache.WithMaxCost(most, cost),
	)}
}

func (c *foundCache[V]) get(key []byte) (found Found[V], known bool) {
	if c == nil {
		return found, false
	}
	item := c.of.Get(string(key))
	if item == nil {
		return found, false
	}
	return item.Value(), true
}

func (c *foundCache[V]) put(key string, found Found[V]) {
	if c == nil {
		return
	}
	if c.cost(ttlcache.CostItem[string, Found[V]]{Key: key, Value: found}) > c.most {
		return // all others would go, and then it itself
	}
	if found.OK {
		found.Row = c.keep(found.Row) // it must not keep a page alive
	}
	if len(found.Rows) > 0 {
		kept := make([]V, len(found.Rows))
		for i, row := range found.Rows {
			kept[i] = c.keep(row)
		}
		found.Row, found.Rows = kept[0], kept
	}
	c.of.Set(key, found, ttlcache.DefaultTTL)
}
