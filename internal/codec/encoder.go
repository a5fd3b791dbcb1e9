package codec

import (
	"encoding/binary"
	"reflect"
	"unsafe"
)

// Encoder turns values of T into the bytes of a statement's bound columns by a plan made once. A
// plan holds no state that changes, but each goroutine should still take its own by Fork.
type Encoder[T any] struct{ plan *encodePlan }

// EncoderOption changes what NewEncoder accepts.
type EncoderOption func(*matchRules)

// SpareFields lets T have fields without a column, as a delete by key from whole rows needs.
// Without it each such field is a mismatch, since its values would be lost silently.
func SpareFields() EncoderOption { return func(r *matchRules) { r.spareFields = true } }

// RepeatedColumns lets a column be bound more than once, each time with the same field.
func RepeatedColumns() EncoderOption { return func(r *matchRules) { r.repeats = true } }

// NewEncoder makes the plan for T and the columns that a statement binds, in its order. All that
// does not fit is reported together, each a *MismatchError.
func NewEncoder[T any](cols []Column, opts ...EncoderOption) (*Encoder[T], error) {
	var rules matchRules
	for _, o := range opts {
		o(&rules)
	}
	plan, err := newEncodePlan(reflect.TypeFor[T](), cols, rules)
	if err != nil {
		return nil, err
	}
	return &Encoder[T]{plan}, nil
}

// Fork makes an Encoder for another goroutine.
func (e *Encoder[T]) Fork() *Encoder[T] { return &Encoder[T]{e.plan} }

// Cell is one encoded column.
type Cell struct {
	// Bytes is the value, not nil even when empty, with no room to append; nil if Null.
	Bytes []byte
	// Null says that the Go value is nil or invalid; whether that is written as null or left unset
	// is for the sink.
	Null bool
}

// Encode appends all columns of src to buf and points cells at them, one a column. It returns the
// longer buf; cells hold slices of it, whether or not it had to grow, and stay valid as long as
// what was appended is not overwritten. After an error, a *CellError, buf comes back with its old
// length and cells mean nothing.
func (e *Encoder[T]) Encode(buf []byte, src *T, cells []Cell) ([]byte, error) {
	return e.plan.encode(buf, unsafe.Pointer(src), cells)
}

// encodeFunc appends the value of the Go type it was made for at p. null means that nothing was
// appended, as the value is nil or invalid.
type encodeFunc func(buf []byte, p unsafe.Pointer) (out []byte, null bool, err error)

type encodeStep struct {
	op     decodeOp
	offset uintptr
	fn     encodeFunc
}

type encodePlan struct {
	steps []encodeStep
	descs []stepDesc
}

func newEncodePlan(rt reflect.Type, cols []Column, rules matchRules) (*encodePlan, error) {
	var bad mismatches
	descs, err := match(rt, cols, rules)
	if err != nil {
		bad.errs = append(bad.errs, err)
	}
	plan := &encodePlan{descs: descs}
	for i := range descs {
		d := &descs[i]
		fn, err := compileEncode(d.col.Type, d.typ)
		if err != nil {
			bad.add(d, err)
			continue
		}
		plan.steps = append(plan.steps, encodeStep{op: encodeOpFor(d.col.Type, d.typ), offset: d.offset, fn: fn})
	}
	if err := bad.join(); err != nil {
		return nil, err
	}
	return plan, nil
}

// encodeOpFor picks the shape of a column; unlike reading, writing an int64 as int, as time or
// a timestamp needs checks.
func encodeOpFor(t *Type, rt reflect.Type) decodeOp {
	if rt.Implements(typeMarshaler) || reflect.PointerTo(rt).Implements(typeMarshaler) || t.Kind == Time {
		return opFunc
	}
	switch op := decodeOpFor(t, rt); op {
	case opCopy8, opCopy4, opText, opUUID:
		return op
	}
	return opFunc
}

func (p *encodePlan) encode(buf []byte, base unsafe.Pointer, cells []Cell) ([]byte, error) {
	if len(cells) != len(p.steps) {
		return buf, badValue("%d cells for %d columns", len(cells), len(p.steps))
	}
	if buf == nil {
		buf = make([]byte, 0, 64*len(cells)) // so that an empty value is not nil
	}
	before := len(buf)
	array := unsafe.SliceData(buf)
	for i := range p.steps {
		step, start := &p.steps[i], len(buf)
		src := unsafe.Add(base, step.offset)
		switch step.op {
		case opCopy8:
			buf = binary.BigEndian.AppendUint64(buf, *(*uint64)(src))
		case opCopy4:
			buf = binary.BigEndian.AppendUint32(buf, *(*uint32)(src))
		case opText:
			buf = append(buf, *(*string)(src)...)
		case opUUID:
			buf = append(buf, (*[16]byte)(src)[:]...)
		default:
			out, null, err := step.fn(buf, src)
			if err != nil {
				return buf[:before], p.descs[i].cellError("encode", err)
			}
			if null {
				cells[i] = Cell{Null: true}
				continue
			}
			buf = out
		}
		cells[i] = Cell{Bytes: buf[start:len(buf):len(buf)]}
	}
	if unsafe.SliceData(buf) != array {
		// The buffer grew on the way; what came before lies in the old one. The columns follow one
		// another.
		end := before
		for i := range cells {
			if n := len(cells[i].Bytes); !cells[i].Null {
				cells[i].Bytes = buf[end : end+n : end+n]
				end += n
			}
		}
	}
	return buf, nil
}
