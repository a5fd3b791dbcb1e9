package codec

import (
	"encoding/binary"
	"reflect"
	"time"
	"unsafe"
)

// Decoder turns the raw columns of a statement into values of T by a plan made once. A Decoder
// serves one goroutine; Fork makes more of them.
type Decoder[T any] struct {
	plan  *decodePlan
	state decodeState
}

// NewDecoder makes the plan for T and the columns of a statement's result. Every column must have
// its field and every field its column, of types that fit; all that do not are reported together,
// each a *MismatchError.
func NewDecoder[T any](cols []Column) (*Decoder[T], error) {
	plan, err := newDecodePlan(reflect.TypeFor[T](), cols, matchRules{reading: true})
	if err != nil {
		return nil, err
	}
	return &Decoder[T]{plan: plan, state: plan.newState()}, nil
}

// FitsSome returns what NewDecoder finds wrong with cols, which are only some of those that T has
// fields for.
func FitsSome[T any](cols []Column) error {
	_, err := newDecodePlan(reflect.TypeFor[T](), cols, matchRules{reading: true, spareFields: true})
	return err
}

// Fork makes a Decoder that shares the plan and nothing else.
func (d *Decoder[T]) Fork() *Decoder[T] {
	return &Decoder[T]{plan: d.plan, state: d.plan.newState()}
}

// Decode writes one row into dst: every field that has a column, whatever it held before. A nil
// cell is null and becomes the zero value, or nil or invalid if the Go type distinguishes null.
// Nothing in dst refers to cells afterwards. size is the bytes that the row keeps: T itself and
// everything that it refers to. After an error, a *CellError, dst is partly written.
func (d *Decoder[T]) Decode(cells [][]byte, dst *T) (size int, err error) {
	d.state.kept = 0
	err = d.plan.decode(&d.state, cells, unsafe.Pointer(dst))
	return int(unsafe.Sizeof(*dst)) + d.state.kept, err
}

// decodeState is what decoding changes; each Decoder has its own.
type decodeState struct {
	arena
	last    []string // by column: the text decoded last, shared by rows that repeat it
	scratch []byte
}

// decodeFunc decodes CQL bytes, or nil for null, into the value at p of the Go type that it was
// made for. What was there before does not matter.
type decodeFunc func(s *decodeState, p unsafe.Pointer, data []byte) error

// decodeOp names the shapes common enough to be decoded without a call through a pointer.
type decodeOp uint8

const (
	opFunc decodeOp = iota
	opCopy8
	opCopy4
	opWiden4 // int into int64
	opText
	opUUID
	opBool
	opTimestamp
)

// decodeStep decodes one column. Each op serves the usual length of its cells and leaves the others
// to fn.
type decodeStep struct {
	op     decodeOp
	offset uintptr
	fn     decodeFunc
}

type decodePlan struct {
	steps []decodeStep
	descs []stepDesc
}

func (p *decodePlan) newState() decodeState {
	return decodeState{last: make([]string, len(p.steps))}
}

func (p *decodePlan) decode(s *decodeState, cells [][]byte, base unsafe.Pointer) error {
	if len(cells) != len(p.steps) {
		return corrupt("%d columns where %d are expected", len(cells), len(p.steps))
	}
	for i := range p.steps {
		step, cell := &p.steps[i], cells[i]
		dst := unsafe.Add(base, step.offset)
		switch step.op {
		case opCopy8:
			if len(cell) == 8 {
				*(*uint64)(dst) = binary.BigEndian.Uint64(cell)
				continue
			}
		case opCopy4:
			if len(cell) == 4 {
				*(*uint32)(dst) = binary.BigEndian.Uint32(cell)
				continue
			}
		case opWiden4:
			if len(cell) == 4 {
				*(*int64)(dst) = int64(int32(binary.BigEndian.Uint32(cell)))
				continue
			}
		case opText:
			// The last byte tells most values apart without a call.
			last, n := s.last[i], len(cell)
			if n > 0 && n == len(last) && cell[n-1] == last[n-1] && string(cell) == last {
				s.kept += n
				*(*string)(dst) = last
				continue
			}
			last = s.text(cell)
			*(*string)(dst) = last
			if n <= ownSize { // longer text is not kept alive for the chance that it comes again
				s.last[i] = last
			}
			continue
		case opUUID:
			if len(cell) == 16 {
				*(*[16]byte)(dst) = [16]byte(cell)
				continue
			}
		case opBool:
			if len(cell) == 1 {
				*(*bool)(dst) = cell[0] != 0
				continue
			}
		case opTimestamp:
			if len(cell) == 8 {
				*(*time.Time)(dst) = time.UnixMilli(int64(binary.BigEndian.Uint64(cell))).UTC()
				continue
			}
		}
		if err := step.fn(s, dst, cell); err != nil {
			return p.descs[i].cellError("decode", err)
		}
	}
	return nil
}

func newDecodePlan(rt reflect.Type, cols []Column, rules matchRules) (*decodePlan, error) {
	var bad mismatches
	descs, err := match(rt, cols, rules)
	if err != nil {
		bad.errs = append(bad.errs, err)
	}
	plan := &decodePlan{descs: descs}
	for i := range descs {
		d := &descs[i]
		fn, err := compileDecode(d.col.Type, d.typ)
		if err != nil {
			bad.add(d, err)
			continue
		}
		plan.steps = append(plan.steps, decodeStep{op: decodeOpFor(d.col.Type, d.typ), offset: d.offset, fn: fn})
	}
	if err := bad.join(); err != nil {
		return nil, err
	}
	return plan, nil
}

// decodeOpFor picks the shape of a column; it must agree with what compileDecode makes of the same
// types.
func decodeOpFor(t *Type, rt reflect.Type) decodeOp {
	pt := reflect.PointerTo(rt)
	if pt.Implements(typeUnmarshaler) {
		return opFunc
	}
	signed := rt.Kind() == reflect.Int64 || rt.Kind() == reflect.Int && rt.Size() == 8
	switch t.Kind {
	case Bigint, Counter:
		if signed {
			return opCopy8
		}
	case Time:
		if rt.Kind() == reflect.Int64 {
			return opCopy8
		}
	case Double:
		if rt.Kind() == reflect.Float64 {
			return opCopy8
		}
	case Int:
		if rt.Kind() == reflect.Int32 {
			return opCopy4
		}
		if signed {
			return opWiden4
		}
	case Float:
		if rt.Kind() == reflect.Float32 {
			return opCopy4
		}
	case Text, Ascii:
		if rt.Kind() == reflect.String {
			return opText
		}
	case UUID, Timeuuid:
		if rt.Kind() == reflect.Array && rt.Len() == 16 && rt.Elem().Kind() == reflect.Uint8 {
			return opUUID
		}
	case Boolean:
		if rt.Kind() == reflect.Bool {
			return opBool
		}
	case Timestamp:
		switch {
		case rt == typeTime:
			return opTimestamp
		case rt.Kind() == reflect.Int64:
			return opCopy8
		}
	}
	return opFunc
}
