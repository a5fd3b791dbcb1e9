package sink

import (
	"encoding/binary"
	"errors"
	"slices"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
)

var (
	errNoTime          = errors.New("it has a value and no write time: give Untimed for columns that you have added, or Lossy")
	errSeveralExpiries = errors.New("its elements expire at several times, and the table can only hold it as a whole (frozen), with one: " +
		"make the column not frozen, or give Lossy, which keeps all until the last one expires")
	errMalformed = errors.New("the bytes are not a value of the type")
	errCounts    = errors.New("the row has another number of times than of elements")
)

// timesScratch is memory for the elements of a value.
type timesScratch struct {
	times    []elementTime
	elements []element
}

// elementTime is the moment of an element. An element without one has none: a field that is null.
type elementTime struct {
	moment
	known bool
}

// element is where an element of a map or set lies, with its length before it.
type element struct{ group, start, end int32 }

// column adds what is to be written of a value.
func (e *timedEncoder) column(u *timedUnit, t *timedTarget, value []byte, row *rxcql.Row) error {
	if t.time < 0 {
		return e.whole(t, value, elementTime{})
	}
	times, expires := row.Bytes(t.time), row.Bytes(t.expires)
	if !t.list {
		at, err := one(times, expires)
		if err == nil && !at.known && !e.cfg.lossy {
			err = errNoTime
		}
		if err != nil {
			return err
		}
		return e.whole(t, value, at)
	}
	if err := e.scratch.read(times, expires); err != nil {
		return err
	}
	if !t.parts {
		return e.joined(u, t, value)
	}
	switch t.Type.Kind {
	case codec.UDT:
		return e.fields(t, value, elementTime{}, true)
	case codec.List:
		return e.list(t, value)
	}
	return e.elements(t, value)
}

// one reads the moment of a value.
func one(time, expires []byte) (at elementTime, err error) {
	switch {
	case time == nil:
		return at, nil
	case len(time) != 8 || expires != nil && len(expires) != 8:
		return at, errMalformed
	}
	at = elementTime{moment{int64(binary.BigEndian.Uint64(time)), never}, true}
	if expires != nil {
		at.expires = int64(binary.BigEndian.Uint64(expires))
	}
	return at, nil
}

// read reads the moments of elements.
func (s *timesScratch) read(times, expires []byte) error {
	s.times = s.times[:0]
	if times == nil {
		return nil
	}
	t, x := cut{rest: times}, cut{rest: expires}
	n := t.count()
	if expires != nil && x.count() != n {
		return errCounts
	}
	for range n {
		at, err := one(t.value(), x.valueIf(expires != nil))
		if err != nil {
			return err
		}
		s.times = append(s.times, at)
	}
	if t.bad || x.bad || len(t.rest) > 0 || expires != nil && len(x.rest) > 0 {
		return errMalformed
	}
	return nil
}

// whole adds a value that has one moment, or none that is known.
func (e *timedEncoder) whole(t *timedTarget, value []byte, at elementTime) error {
	if t.parts && t.Type.Kind == codec.UDT {
		return e.fields(t, value, at, false)
	}
	if at.known {
		e.note(at.moment)
	}
	values := 1
	if t.parts {
		c := cut{rest: value}
		if values = c.count(); c.bad {
			return errMalformed
		}
	}
	if t.parts && t.Type.Kind == codec.List {
		e.runs = append(e.runs, listRun{slot: int32(t.slot), bytes: value, values: int32(values), moment: at.moment, untimed: !at.known})
		return nil
	}
	e.piece(t.slot, value, values, at)
	return nil
}

func (e *timedEncoder) piece(slot int, value []byte, values int, at elementTime) {
	p := piece{group: untimed, slot: int32(slot), values: int32(values), cell: codec.Cell{Bytes: value}}
	if at.known {
		p.group = e.group(at.moment)
	}
	e.pieces = append(e.pieces, p)
}

// joined adds a value whose elements had moments of their own, and which the table holds as a
// whole.
func (e *timedEncoder) joined(u *timedUnit, t *timedTarget, value []byte) error {
	var at elementTime
	several := false
	for _, m := range e.scratch.times {
		switch {
		case !m.known:
		case !at.known:
			at = m
		default:
			several = several || m.expires != at.expires
			at.time, at.expires = max(at.time, m.time), max(at.expires, m.expires)
		}
	}
	switch {
	case !at.known && !e.cfg.lossy:
		return errNoTime
	case several && !e.cfg.lossy:
		return errSeveralExpiries
	}
	u.tally.joined++
	return e.whole(t, value, at)
}

// fields adds the fields of a user-defined type, each at its own moment, or all at one.
func (e *timedEncoder) fields(t *timedTarget, value []byte, all elementTime, own bool) error {
	c := cut{rest: value}
	for i := range t.Type.Fields {
		if len(c.rest) == 0 { // the other fields were added to the type later
			return nil
		}
		field := c.value()
		if c.bad {
			return errMalformed
		}
		if field == nil {
			continue
		}
		at := all
		if own {
			if i >= len(e.scratch.times) {
				return errCounts
			}
			at = e.scratch.times[i]
			if !at.known && !e.cfg.lossy {
				return errNoTime
			}
		}
		if at.known {
			e.note(at.moment)
		}
		e.piece(t.slot+i, field, 1, at)
	}
	if len(c.rest) > 0 {
		return errMalformed
	}
	return nil
}

// elements adds the elements of a map or a set: those of one moment together.
func (e *timedEncoder) elements(t *timedTarget, value []byte) error {
	c := cut{rest: value}
	n := c.count()
	if c.bad {
		return errMalformed
	}
	if n != len(e.scratch.times) {
		return errCounts
	}
	all := e.scratch.elements[:0]
	one := true
	for _, at := range e.scratch.times {
		start := len(value) - len(c.rest)
		c.value()
		if t.Type.Kind == codec.Map {
			c.value()
		}
		if !at.known {
			return errNoTime
		}
		e.note(at.moment)
		all = append(all, element{e.group(at.moment), int32(start), int32(len(value) - len(c.rest))})
		one = one && all[len(all)-1].group == all[0].group
	}
	e.scratch.elements = all
	if c.bad || len(c.rest) > 0 {
		return errMalformed
	}
	if n == 0 {
		return nil
	}
	if one {
		e.pieces = append(e.pieces, piece{all[0].group, int32(t.slot), int32(n), codec.Cell{Bytes: value}})
		return nil
	}
	slices.SortStableFunc(all, func(a, b element) int { return int(a.group - b.group) })
	for len(all) > 0 {
		n := 1
		for n < len(all) && all[n].group == all[0].group {
			n++
		}
		e.pieces = append(e.pieces, piece{all[0].group, int32(t.slot), int32(n), codec.Cell{Bytes: e.gather(value, all[:n])}})
		all = all[n:]
	}
	return nil
}

// gather makes a value of some elements of one.
func (e *timedEncoder) gather(value []byte, of []element) []byte {
	start := len(e.memory)
	e.memory = binary.BigEndian.AppendUint32(e.memory, uint32(len(of)))
	for _, el := range of {
		e.memory = append(e.memory, value[el.start:el.end]...)
	}
	return e.memory[start:len(e.memory):len(e.memory)]
}
