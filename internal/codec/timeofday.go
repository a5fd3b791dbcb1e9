package codec

import (
	"errors"
	"fmt"
	"time"
)

const dayNanos = int64(24 * time.Hour)

var (
	errOutOfDay = fmt.Errorf("%w: a time must be at least 0 and less than 24 h", ErrRange)
	errSigns    = badValue("the months, days and nanoseconds of a duration must not have mixed signs")
)

// hasTime reports whether values of a type may hold a time.
func hasTime(t *Type) bool {
	if t.Kind == Time {
		return true
	}
	for _, e := range t.Elems {
		if hasTime(e) {
			return true
		}
	}
	for _, f := range t.Fields {
		if hasTime(f.Type) {
			return true
		}
	}
	return false
}

// CheckTimes refuses bytes that contain a time out of the day: the server takes it, but other
// drivers cannot read the row. It does not check that the bytes are a value of the type.
func CheckTimes(t *Type, data []byte) error {
	if !hasTime(t) || data == nil {
		return nil
	}
	if err := walkTimes(t, data); errors.Is(err, errOutOfDay) {
		return err
	}
	return nil
}

func walkTimes(t *Type, data []byte) error {
	r := reader{data}
	switch t.Kind {
	case Time:
		if ns, err := readInt(data, 8); err != nil || ns >= 0 && ns < dayNanos {
			return err
		}
		return errOutOfDay
	case List, Set, Map:
		n, err := r.count(4)
		for range n {
			for _, e := range t.Elems {
				if err == nil {
					err = walkNext(e, &r)
				}
			}
		}
		return err
	case Tuple:
		for _, e := range t.Elems {
			if err := walkNext(e, &r); err != nil {
				return err
			}
		}
	case UDT:
		for _, f := range t.Fields {
			if err := walkNext(f.Type, &r); err != nil {
				return err
			}
		}
	case Vector:
		for range t.Dim {
			n, err := uint64(t.Elems[0].PackedLen()), error(nil)
			if n == 0 {
				n, err = r.vint()
			}
			if err != nil || n > uint64(len(r.rest)) {
				return err
			}
			if err := walkTimes(t.Elems[0], r.take(int(n))); err != nil {
				return err
			}
		}
	}
	return nil
}

func walkNext(t *Type, r *reader) error {
	cell, err := r.bytes()
	if err != nil || cell == nil {
		return err
	}
	return walkTimes(t, cell)
}
