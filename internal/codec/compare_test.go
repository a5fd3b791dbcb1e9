package codec_test

import (
	"fmt"
	"reflect"

	"github.com/stretchr/testify/require"
	"gopkg.in/inf.v0"
)

// newOf makes a pointer to a zero value of v's type.
func newOf(v any) any { return reflect.New(reflect.TypeOf(v)).Interface() }

// sameBits compares by print, since a NaN does not equal itself and the driver's big numbers have
// other spare digits.
func sameBits(t require.TestingT, want, pointer any) {
	require.Equal(t, printed(want), printed(reflect.ValueOf(pointer).Elem().Interface()))
}

// printed does not write a decimal out, as that may take as many zeroes as its scale says.
func printed(v any) string {
	switch v := v.(type) {
	case *inf.Dec:
		return fmt.Sprint(v.Scale(), v.UnscaledBig())
	case []*inf.Dec:
		var s string
		for _, d := range v {
			s += printed(d) + ";"
		}
		return s
	}
	return fmt.Sprintf("%v", v)
}
