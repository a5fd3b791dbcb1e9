package codec

import (
	"fmt"
	"strings"
)

// A returns a type's name with its article, for errors: an int, a uuid, a []byte. name is a *Type,
// a reflect.Type, or any other name.
func A(name fmt.Stringer) string {
	text := strings.ReplaceAll(name.String(), "interface {}", "any")
	if strings.ContainsRune("aeioAEIO", rune(text[0])) { // uuid and uint are pronounced like "you"
		return "an " + text
	}
	return "a " + text
}
