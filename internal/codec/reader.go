package codec

import "encoding/binary"

// reader walks the parts of a composite value and never trusts a length in it.
type reader struct{ rest []byte }

func (r *reader) empty() bool { return len(r.rest) == 0 }

// count reads the number of parts that a collection says it has, each of at least size bytes.
func (r *reader) count(size int) (int, error) {
	if len(r.rest) < 4 {
		return 0, corrupt("no room for the number of elements")
	}
	n := int(int32(binary.BigEndian.Uint32(r.rest)))
	r.rest = r.rest[4:]
	if n < 0 || n > len(r.rest)/size {
		return 0, corrupt("more elements announced than there is room for")
	}
	return n, nil
}

// bytes reads a length and as many bytes; a length of -1 is null and gives nil.
func (r *reader) bytes() ([]byte, error) {
	if len(r.rest) < 4 {
		return nil, corrupt("no room for the length of an element")
	}
	n := int(int32(binary.BigEndian.Uint32(r.rest)))
	r.rest = r.rest[4:]
	if n == -1 {
		return nil, nil
	}
	if n < 0 || n > len(r.rest) {
		return nil, corrupt("an element is longer than the bytes left")
	}
	return r.take(n), nil
}

// take cuts n bytes off, never nil.
func (r *reader) take(n int) []byte {
	part := r.rest[:n:n]
	r.rest = r.rest[n:]
	if part == nil {
		part = []byte{}
	}
	return part
}

// end refuses bytes after the last part.
func (r *reader) end() error {
	if len(r.rest) > 0 {
		return corrupt("%d bytes too many", len(r.rest))
	}
	return nil
}
