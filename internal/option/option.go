// Package option applies the options that something is made with.
package option

import (
	"errors"
	"reflect"
)

// ErrNil: an option is nil.
var ErrNil = errors.New("an option is nil")

// Apply applies all options to cfg, and returns all that is wrong with them at once. O is
// an interface or a function type; a nil one is ErrNil.
func Apply[O, C any](opts []O, cfg *C, apply func(O, *C) error) error {
	var errs []error
	for i := range opts {
		switch v := reflect.ValueOf(&opts[i]).Elem(); v.Kind() {
		case reflect.Interface, reflect.Func:
			if v.IsNil() {
				errs = append(errs, ErrNil)
				continue
			}
		default:
		}
		errs = append(errs, apply(opts[i], cfg))
	}
	return errors.Join(errs...)
}
