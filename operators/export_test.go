package operators

import (
	"crypto/sha256"
	"reflect"
)

// HashKey is hashKey for a value of any type that it takes.
func HashKey(key any) []byte {
	h := sha256.New()
	hashValue(h, reflect.ValueOf(key))
	return h.Sum(nil)[:16]
}
