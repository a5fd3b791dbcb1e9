package csvrow

import (
	"fmt"
	"reflect"
	"strconv"
	"unsafe"
)

// kindCell serves text, bool and numbers.
func kindCell(rt reflect.Type) (cell, bool) {
	switch rt.Kind() {
	case reflect.String:
		return cell{
			append: func(dst []byte, p unsafe.Pointer) ([]byte, bool, error) {
				return append(dst, *(*string)(p)...), false, nil
			},
			read: func(p unsafe.Pointer, text []byte) error {
				*(*string)(p) = string(text)
				return nil
			},
		}, true
	case reflect.Bool:
		return valueCell("true or false", strconv.AppendBool, func(s string) (bool, error) {
			if s != "true" && s != "false" {
				return false, strconv.ErrSyntax
			}
			return s == "true", nil
		}), true
	case reflect.Int:
		return signed[int](), true
	case reflect.Int8:
		return signed[int8](), true
	case reflect.Int16:
		return signed[int16](), true
	case reflect.Int32:
		return signed[int32](), true
	case reflect.Int64:
		return signed[int64](), true
	case reflect.Uint:
		return unsigned[uint](), true
	case reflect.Uint8:
		return unsigned[uint8](), true
	case reflect.Uint16:
		return unsigned[uint16](), true
	case reflect.Uint32:
		return unsigned[uint32](), true
	case reflect.Uint64:
		return unsigned[uint64](), true
	case reflect.Float32:
		return float[float32](32), true
	case reflect.Float64:
		return float[float64](64), true
	}
	return cell{}, false
}

// valueCell is a cell of values that strconv knows. Its errors would hold the
// text, so they are not passed on.
func valueCell[G any](what string, write func([]byte, G) []byte, parse func(string) (G, error)) cell {
	return cell{
		append: func(dst []byte, p unsafe.Pointer) ([]byte, bool, error) { return write(dst, *(*G)(p)), false, nil },
		read: func(p unsafe.Pointer, text []byte) error {
			v, err := parse(string(text))
			if err != nil {
				return fmt.Errorf("the field is not %s", what)
			}
			*(*G)(p) = v
			return nil
		},
	}
}

func signed[G int | int8 | int16 | int32 | int64]() cell {
	bits := int(unsafe.Sizeof(G(0)) * 8)
	return valueCell(fmt.Sprintf("a whole number of %d bits", bits),
		func(dst []byte, v G) []byte { return strconv.AppendInt(dst, int64(v), 10) },
		func(s string) (G, error) { v, err := strconv.ParseInt(s, 10, bits); return G(v), err })
}

func unsigned[G uint | uint8 | uint16 | uint32 | uint64]() cell {
	bits := int(unsafe.Sizeof(G(0)) * 8)
	return valueCell(fmt.Sprintf("a whole number of %d bits, 0 or more", bits),
		func(dst []byte, v G) []byte { return strconv.AppendUint(dst, uint64(v), 10) },
		func(s string) (G, error) { v, err := strconv.ParseUint(s, 10, bits); return G(v), err })
}

func float[G float32 | float64](bits int) cell {
	return valueCell(fmt.Sprintf("a number of %d bits", bits),
		func(dst []byte, v G) []byte { return strconv.AppendFloat(dst, float64(v), 'g', -1, bits) },
		func(s string) (G, error) { v, err := strconv.ParseFloat(s, bits); return G(v), err })
}
