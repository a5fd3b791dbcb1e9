package operators

import (
	"fmt"
	"reflect"
)

// errMixed is the error of an operator that needs rows of one partition to arrive together.
func errMixed(name string) error {
	return fmt.Errorf("rows of one partition do not arrive together any more: "+
		"put %s before the operator that mixes them (Merge, MergeSorted, MergeJoin, Zip, Batch, Rx, Retry, Recover, MapConcurrent with Unordered), "+
		"or leave out Unordered", name)
}

// unknownKeys reports whether keys of a type cannot be found again in another run, and why.
func unknownKeys(t reflect.Type) (unknown bool, why string) {
	if hashable(t) {
		return false, ""
	}
	return true, fmt.Sprintf("keys of type %v contain pointers or interfaces, so they cannot be recognized in another run; "+
		"make the key of numbers, strings, arrays and structs (of a time.Time its UnixMicro)", t)
}
