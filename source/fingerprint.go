package source

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"slices"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
)

// fingerprint is a hash of bound values, to recognize the same values without keeping them. It
// covers what goes to the server: each value with its length, with null, unset and values distinct.
// The Go type does not matter. Sets and maps count independently of their order, since a Go map has
// another order each time.
//
// The hash cannot be read back, but a value of which there are few can be guessed: whoever has the
// checkpoint can hash them all. A salt would not help, since it would be stored next to the hash.
func fingerprint(params []codec.Column, values []driver.Value) string {
	if len(values) == 0 {
		return noValues
	}
	hash := sha256.New()
	for i, v := range values {
		data := v.Bytes
		if v.State == driver.Set {
			data = ordered(params[i].Type, data)
		} else {
			data = nil
		}
		_, _ = hash.Write([]byte{byte(v.State)})
		_, _ = hash.Write(binary.BigEndian.AppendUint64(nil, uint64(len(data))))
		_, _ = hash.Write(data)
	}
	return byBytes + hex.EncodeToString(hash.Sum(nil)[:16])
}

const (
	// byBytes is the prefix of hashes of CQL bytes. Hashes without it are of Go values as they were
	// printed; a job with such a hash is refused.
	byBytes = "v2 "
	// noValues has always been the hash of no values.
	noValues = "e3b0c44298fc1c149afbf4c8996fb924"
)

// ordered returns a value with the elements of the sets and maps in it sorted by their bytes. A
// value that cannot be taken apart stays as it is.
func ordered(t *codec.Type, data []byte) []byte {
	if out, err := reorder(t, data); err == nil {
		return out
	}
	return data
}

var errCut = errors.New("the value is cut off")

func reorder(t *codec.Type, data []byte) ([]byte, error) {
	switch t.Kind {
	case codec.List, codec.Set, codec.Map:
		return reorderCollection(t, data)
	case codec.Tuple, codec.UDT:
		inner := t.Elems
		for _, f := range t.Fields {
			inner = append(inner, f.Type)
		}
		var out []byte
		for i := 0; len(data) > 0; i++ {
			if i >= len(inner) {
				return nil, errCut
			}
			part, rest, err := take(inner[i], data)
			if err != nil {
				return nil, err
			}
			out, data = append(out, part...), rest
		}
		return out, nil
	}
	return data, nil
}

func reorderCollection(t *codec.Type, data []byte) ([]byte, error) {
	if len(data) < 4 {
		return nil, errCut
	}
	out, rest := bytes.Clone(data[:4]), data[4:]
	var elements [][]byte
	for len(rest) > 0 {
		var element []byte
		for _, inner := range t.Elems {
			part, after, err := take(inner, rest)
			if err != nil {
				return nil, err
			}
			element, rest = append(element, part...), after
		}
		elements = append(elements, element)
	}
	if t.Kind != codec.List {
		slices.SortFunc(elements, bytes.Compare)
	}
	return append(out, slices.Concat(elements...)...), nil
}

// take returns the first value of data, with its length before it, and the rest.
func take(t *codec.Type, data []byte) (part, rest []byte, err error) {
	if len(data) < 4 {
		return nil, nil, errCut
	}
	length := data[:4]
	n := int(int32(binary.BigEndian.Uint32(length)))
	data = data[4:]
	if n < 0 {
		return bytes.Clone(length), data, nil
	}
	if n > len(data) {
		return nil, nil, errCut
	}
	inner, err := reorder(t, data[:n])
	if err != nil {
		return nil, nil, err
	}
	return append(bytes.Clone(length), inner...), data[n:], nil
}
