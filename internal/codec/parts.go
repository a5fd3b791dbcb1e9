package codec

// EachPart calls fn for each part of a value that is not null and consists of others: the elements
// of a list, set, vector, tuple or user-defined type in order, the keys and values of a map in
// turn. nil is a part that is null, or that the value is too old to have.
func EachPart(t *Type, data []byte, fn func(i int, part *Type, data []byte) error) error {
	r := reader{data}
	switch t.Kind {
	case Tuple:
		for i, elem := range t.Elems {
			if err := latePart(&r, i, elem, fn); err != nil {
				return err
			}
		}
		return r.end()
	case UDT:
		for i, f := range t.Fields {
			if err := latePart(&r, i, f.Type, fn); err != nil {
				return err
			}
		}
		return r.end()
	case Vector:
		return eachOfVector(t, &r, fn)
	}
	size := 4
	if t.Kind == Map {
		size = 8
	}
	n, err := r.count(size)
	if err != nil {
		return err
	}
	for i := range n * len(t.Elems) {
		part, err := r.bytes()
		if err == nil {
			err = fn(i, t.Elems[i%len(t.Elems)], part)
		}
		if err != nil {
			return err
		}
	}
	return r.end()
}

func latePart(r *reader, i int, t *Type, fn func(int, *Type, []byte) error) error {
	if r.empty() {
		return fn(i, t, nil)
	}
	part, err := r.bytes()
	if err != nil {
		return err
	}
	return fn(i, t, part)
}

func eachOfVector(t *Type, r *reader, fn func(int, *Type, []byte) error) error {
	packed := t.Elems[0].PackedLen()
	for i := range t.Dim {
		n := uint64(packed)
		if packed == 0 {
			var err error
			if n, err = r.vint(); err != nil {
				return err
			}
		}
		if n > uint64(len(r.rest)) {
			return corrupt("an element is longer than the bytes left")
		}
		if err := fn(i, t.Elems[0], r.take(int(n))); err != nil {
			return err
		}
	}
	return r.end()
}
