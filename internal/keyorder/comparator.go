package keyorder

import (
	"bytes"
	"cmp"
	"encoding/binary"
	"fmt"
	"math"

	"github.com/rxcql/rxcql/internal/codec"
)

// Comparator is the order of encoded values of one type, as clustering columns in ascending order
// have it. Two values of order 0 are one to the server, even if their bytes differ. Bytes that are
// no value of the type have some order, and never panic.
type Comparator func(a, b []byte) int

// Of returns the comparator of a type: what AbstractType.compare of Cassandra does. There is none
// for duration, counter and classes that are not known.
func Of(t *codec.Type) (Comparator, error) {
	switch t.Kind {
	case codec.Ascii, codec.Text, codec.Blob, codec.Inet:
		return bytes.Compare, nil
	case codec.Date, codec.Time:
		return bytes.Compare, nil // not signed: days have an offset, and a time of day is positive
	case codec.Tinyint, codec.Smallint:
		return fixed(compareSigned), nil
	case codec.Int:
		return compareInt, nil
	case codec.Bigint, codec.Timestamp:
		return compareLong, nil
	case codec.Boolean:
		return fixed(func(a, b []byte) int { return cmp.Compare(truth(a), truth(b)) }), nil
	case codec.Float:
		return fixed(compareFloat), nil
	case codec.Double:
		return fixed(compareDouble), nil
	case codec.UUID:
		return fixed(compareUUID), nil
	case codec.Timeuuid:
		return fixed(compareTimeUUID), nil
	case codec.Varint:
		return compareVarint, nil
	case codec.Decimal:
		return compareDecimal, nil
	case codec.List, codec.Set, codec.Map:
		return ofCollection(t)
	case codec.Tuple, codec.UDT:
		return ofTuple(t)
	case codec.Vector:
		return ofVector(t)
	}
	return nil, fmt.Errorf("the order of %s is not known", t)
}

// fixed makes a comparator of one for values of the same length that are not empty. An empty value
// comes before all others; bytes of other lengths are no values of such a type.
func fixed(compare Comparator) Comparator {
	return func(a, b []byte) int {
		if len(a) == 0 || len(a) != len(b) {
			return cmp.Or(cmp.Compare(len(a), len(b)), bytes.Compare(a, b))
		}
		return compare(a, b)
	}
}

// compareSigned compares integers of one width.
func compareSigned(a, b []byte) int {
	return cmp.Or(cmp.Compare(int8(a[0]), int8(b[0])), bytes.Compare(a[1:], b[1:]))
}

func compareInt(a, b []byte) int {
	if len(a) == 4 && len(b) == 4 {
		return cmp.Compare(int32(binary.BigEndian.Uint32(a)), int32(binary.BigEndian.Uint32(b)))
	}
	return fixed(compareSigned)(a, b)
}

func compareLong(a, b []byte) int {
	if len(a) == 8 && len(b) == 8 {
		return cmp.Compare(int64(binary.BigEndian.Uint64(a)), int64(binary.BigEndian.Uint64(b)))
	}
	return fixed(compareSigned)(a, b)
}

// truth returns 0 for false, and 1 for each of the bytes that are true.
func truth(b []byte) int {
	if b[0] == 0 {
		return 0
	}
	return 1
}

func compareFloat(a, b []byte) int {
	if len(a) != 4 {
		return bytes.Compare(a, b)
	}
	return compareFloats(float64(math.Float32frombits(binary.BigEndian.Uint32(a))),
		float64(math.Float32frombits(binary.BigEndian.Uint32(b))))
}

func compareDouble(a, b []byte) int {
	if len(a) != 8 {
		return bytes.Compare(a, b)
	}
	return compareFloats(math.Float64frombits(binary.BigEndian.Uint64(a)),
		math.Float64frombits(binary.BigEndian.Uint64(b)))
}

// compareFloats is the order of Java: -0 comes before 0, and NaN, of whatever bits, is last.
func compareFloats(a, b float64) int {
	switch {
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return cmp.Compare(rank(a), rank(b))
}

func rank(v float64) int {
	switch {
	case math.IsNaN(v):
		return 1
	case v == 0 && math.Signbit(v):
		return -1
	}
	return 0
}

// halves returns the two halves of a UUID, its version, and the first half with the parts of the
// time in their order, as version 1 has them.
func halves(b []byte) (first, last, version, time uint64) {
	first, last = binary.BigEndian.Uint64(b), binary.BigEndian.Uint64(b[8:])
	return first, last, first >> 12 & 0xf, first<<48 | first<<16&0xffff_0000_0000 | first>>32
}

// compareUUID compares versions, then times in version 1, then bytes.
func compareUUID(a, b []byte) int {
	if len(a) != 16 {
		return bytes.Compare(a, b)
	}
	firstA, lastA, versionA, timeA := halves(a)
	firstB, lastB, versionB, timeB := halves(b)
	if versionA == 1 && versionB == 1 {
		firstA, firstB = timeA, timeB
	}
	return cmp.Or(cmp.Compare(versionA, versionB), cmp.Compare(firstA, firstB), cmp.Compare(lastA, lastB))
}

// compareTimeUUID compares times, and then the other bytes, each as a signed one.
func compareTimeUUID(a, b []byte) int {
	if len(a) != 16 {
		return bytes.Compare(a, b)
	}
	_, lastA, _, timeA := halves(a)
	_, lastB, _, timeB := halves(b)
	const signs = 0x0080_8080_8080_8080 // the first byte has its sign where an int64 has it
	return cmp.Or(cmp.Compare(int64(timeA), int64(timeB)), cmp.Compare(int64(lastA^signs), int64(lastB^signs)))
}
