package codec

import (
	"fmt"
	"math/bits"
	"reflect"
	"unsafe"
)

const (
	mapCost  = 48 // a Go map without entries
	mapGroup = 8  // slots that it gets with its first entry
)

// mapSize is what a map of n entries takes, without what these lead to. A map has room for
// more than its entries: for a whole group of slots with the first, and never fewer than 8 for
// 7.
func mapSize(n int, key, value uintptr) int {
	slots := 0
	switch {
	case n > mapGroup:
		slots = 1 << bits.Len(uint(n*8/7))
	case n > 0:
		slots = mapGroup
	}
	return mapCost + slots*(int(key+value)+1) // and a byte of control a slot
}

// decodeMap serves maps: nil for null, empty for an empty one.
func decodeMap(t *Type, rt reflect.Type, depth int) (decodeFunc, error) {
	if rt.Kind() != reflect.Map {
		return nil, unfit(t, rt)
	}
	if !goodKey(rt.Key()) {
		return nil, &noFit{t: t, rt: rt, reason: fmt.Sprintf("%s cannot be a map key", rt.Key()),
			remedy: "use a key type without pointers and interfaces, e.g. string"}
	}
	key, err := compileDecodeAt(t.Elems[0], rt.Key(), depth+1)
	if err != nil {
		return nil, within1("key", err)
	}
	value, err := compileDecodeAt(t.Elems[1], rt.Elem(), depth+1)
	if err != nil {
		return nil, within1("value", err)
	}
	keySize, valueSize := rt.Key().Size(), rt.Elem().Size()
	return func(s *decodeState, p unsafe.Pointer, data []byte) error {
		dst := reflect.NewAt(rt, p).Elem()
		dst.SetZero()
		if data == nil {
			return nil
		}
		r := reader{data}
		n, err := r.count(8)
		if err != nil {
			return err
		}
		m := reflect.MakeMapWithSize(rt, n)
		s.kept += mapSize(n, keySize, valueSize)
		dst.Set(m)
		// The map copies both, and every decodeFunc writes all of its value, so one of each serves
		// all entries.
		k, v := reflect.New(rt.Key()), reflect.New(rt.Elem())
		for range n {
			if err := decodeNext(s, &r, key, k); err != nil {
				return err
			}
			if err := decodeNext(s, &r, value, v); err != nil {
				return err
			}
			m.SetMapIndex(k.Elem(), v.Elem())
		}
		return endOfKeys(&r, m, n)
	}, nil
}

// endOfKeys refuses a Go map that holds fewer keys than the value has: keys that differ to the
// server may be equal in Go, such as 0.0 and -0.0, or a zero and an empty value.
func endOfKeys(r *reader, m reflect.Value, n int) error {
	if m.Len() < n {
		return fmt.Errorf("%w: two of its keys are one key of a %s; use a slice for a set, else rxcql.Row", ErrRange, m.Type())
	}
	return r.end()
}

func decodeNext(s *decodeState, r *reader, fn decodeFunc, dst reflect.Value) error {
	cell, err := r.bytes()
	if err != nil {
		return err
	}
	return fn(s, dst.UnsafePointer(), cell)
}
