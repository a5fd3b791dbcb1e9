package codec

import "reflect"

// ColumnsOf lets tests make struct types at run time.
func ColumnsOf(rt reflect.Type) ([]string, bool, error) { return columnsOf(rt) }

// WithoutOps gives a Decoder that calls a function for every column, WithoutSharing one that copies
// every text.
func WithoutOps[T any](d *Decoder[T]) *Decoder[T] {
	return without(d, func(decodeOp) bool { return true })
}

func WithoutSharing[T any](d *Decoder[T]) *Decoder[T] {
	return without(d, func(op decodeOp) bool { return op == opText })
}

func without[T any](d *Decoder[T], drop func(decodeOp) bool) *Decoder[T] {
	plan := &decodePlan{descs: d.plan.descs}
	for _, s := range d.plan.steps {
		if drop(s.op) {
			s.op = opFunc
		}
		plan.steps = append(plan.steps, s)
	}
	return &Decoder[T]{plan: plan, state: plan.newState()}
}
