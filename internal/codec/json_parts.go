package codec

// appendJSONParts writes what consists of several values.
func appendJSONParts(dst []byte, t *Type, data []byte) ([]byte, error) {
	r := reader{data}
	switch t.Kind {
	case Map:
		return appendJSONMap(dst, t, &r)
	case Tuple:
		dst = append(dst, '[')
		for i, elem := range t.Elems {
			var err error
			if dst, err = appendJSONLate(comma(dst, i), elem, &r); err != nil {
				return dst, err
			}
		}
		return append(dst, ']'), r.end()
	case UDT:
		dst = append(dst, '{')
		for i, f := range t.Fields {
			var err error
			if dst, err = AppendJSONText(comma(dst, i), f.Name); err != nil {
				return dst, err
			}
			if dst, err = appendJSONLate(append(dst, ':'), f.Type, &r); err != nil {
				return dst, err
			}
		}
		return append(dst, '}'), r.end()
	case Vector:
		return appendJSONVector(dst, t, &r)
	}
	n, err := r.count(4)
	if err != nil {
		return dst, err
	}
	dst = append(dst, '[')
	for i := range n {
		cell, err := r.bytes()
		if err != nil {
			return dst, err
		}
		if dst, err = AppendJSON(comma(dst, i), t.Elems[0], cell); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), r.end()
}

func comma(dst []byte, i int) []byte {
	if i > 0 {
		return append(dst, ',')
	}
	return dst
}

// appendJSONLate writes the next part of a tuple or a user-defined type: null if the value is older
// than the part.
func appendJSONLate(dst []byte, t *Type, r *reader) ([]byte, error) {
	if r.empty() {
		return append(dst, "null"...), nil
	}
	cell, err := r.bytes()
	if err != nil {
		return dst, err
	}
	return AppendJSON(dst, t, cell)
}

func appendJSONMap(dst []byte, t *Type, r *reader) ([]byte, error) {
	n, err := r.count(8)
	if err != nil {
		return dst, err
	}
	dst = append(dst, '{')
	for i := range n {
		key, err := r.bytes()
		if err != nil {
			return dst, err
		}
		name, err := AppendJSON(nil, t.Elems[0], key)
		if err != nil {
			return dst, err
		}
		dst = comma(dst, i)
		if name[0] == '"' {
			dst = append(dst, name...)
		} else if dst, err = AppendJSONText(dst, string(name)); err != nil {
			return dst, err
		}
		value, err := r.bytes()
		if err != nil {
			return dst, err
		}
		if dst, err = AppendJSON(append(dst, ':'), t.Elems[1], value); err != nil {
			return dst, err
		}
	}
	return append(dst, '}'), r.end()
}

func appendJSONVector(dst []byte, t *Type, r *reader) ([]byte, error) {
	packed := t.Elems[0].PackedLen()
	dst = append(dst, '[')
	for i := range t.Dim {
		n := uint64(packed)
		if packed == 0 {
			var err error
			if n, err = r.vint(); err != nil {
				return dst, err
			}
		}
		if n > uint64(len(r.rest)) {
			return dst, corrupt("an element is longer than the bytes left")
		}
		var err error
		if dst, err = AppendJSON(comma(dst, i), t.Elems[0], r.take(int(n))); err != nil {
			return dst, err
		}
	}
	return append(dst, ']'), r.end()
}
