package operators

import (
	"crypto/sha256"
	"encoding/binary"
	"hash"
	"math"
	"math/rand/v2"
	"reflect"
)

// hashSize is the size of a hash that hashKey returns.
const hashSize = 16

// hashKey returns a hash by which a key is recognized in another run: it is the same in every
// process, and nothing of the key can be read from it. Groups end by ==, so two hashes are equal
// exactly when == holds for the keys.
func hashKey[K comparable](key K) []byte {
	h := sha256.New()
	hashValue(h, reflect.ValueOf(&key).Elem())
	return h.Sum(nil)[:hashSize:hashSize]
}

// hashable reports whether equal keys of a type have the same hash in every process. Pointers do
// not (a time.Time has one, to its location, which == compares), and of an interface it is not
// known what it holds.
func hashable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.Array:
		return hashable(t.Elem())
	case reflect.Struct:
		for i := range t.NumField() {
			if f := t.Field(i); f.Name != blank && !hashable(f.Type) {
				return false
			}
		}
		return true
	case reflect.Interface, reflect.Pointer, reflect.Chan, reflect.UnsafePointer, reflect.Uintptr:
		return false
	}
	return true
}

// blank is the name of fields that == ignores.
const blank = "_"

// hashValue writes each part with its length, so that no two different keys are hashed alike.
func hashValue(h hash.Hash, v reflect.Value) {
	number := func(n uint64) { _, _ = h.Write(binary.BigEndian.AppendUint64(nil, n)) }
	float := func(f float64) {
		if math.IsNaN(f) { // NaN equals nothing, not even itself
			number(rand.Uint64())
		}
		number(math.Float64bits(f + 0)) // -0 equals 0
	}
	switch v.Kind() {
	case reflect.String:
		number(uint64(v.Len()))
		_, _ = h.Write([]byte(v.String()))
	case reflect.Bool:
		n := uint64(0)
		if v.Bool() {
			n = 1
		}
		number(n)
	case reflect.Float32, reflect.Float64:
		float(v.Float())
	case reflect.Complex64, reflect.Complex128:
		float(real(v.Complex()))
		float(imag(v.Complex()))
	case reflect.Array:
		for i := range v.Len() {
			hashValue(h, v.Index(i))
		}
	case reflect.Struct:
		for i := range v.NumField() {
			if v.Type().Field(i).Name != blank {
				hashValue(h, v.Field(i))
			}
		}
	default:
		if v.CanInt() {
			number(uint64(v.Int()))
			return
		}
		number(v.Uint())
	}
}
