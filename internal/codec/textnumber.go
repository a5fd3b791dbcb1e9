package codec

import (
	"encoding/hex"
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"
)

// Errors of numbers and bytes as text.
var (
	errVarint  = errors.New("not a whole number")
	errFloat   = errors.New("not a number")
	errBool    = errors.New("not true or false")
	errHex     = errors.New("bytes must be written as 0x and pairs of hexadecimal digits (not base64)")
	errUUID    = errors.New("not a UUID")
	errVersion = errors.New("a UUID that has no time in it (not of version 1)")
	errNotUTF8 = errors.New("not UTF-8")
	errInet    = errors.New("not an address")
)

// ParseVarint reads digits, with a sign or without, into z.
func ParseVarint(s string, z *big.Int) error {
	if digits := strings.TrimPrefix(strings.TrimPrefix(s, "-"), "+"); digits == "" || !allDigits(digits) || len(s) > len(digits)+1 {
		return errVarint
	}
	z.SetString(s, 10)
	return nil
}

// ParseFloat reads a number, NaN (always the same one, that of the server), Infinity or -Infinity.
func ParseFloat(s string, bits int) (float64, error) {
	f, err := strconv.ParseFloat(s, bits)
	if err != nil {
		return 0, errFloat
	}
	if math.IsNaN(f) {
		return math.Float64frombits(0x7ff8 << 48), nil
	}
	return f, nil
}

// ParseBool reads true or false, in any case.
func ParseBool(s string) (bool, error) {
	switch {
	case strings.EqualFold(s, "true"):
		return true, nil
	case strings.EqualFold(s, "false"):
		return false, nil
	}
	return false, errBool
}

// AppendHex writes bytes as 0x and hexadecimal digits, as CQL does.
func AppendHex(dst, b []byte) []byte { return hex.AppendEncode(append(dst, "0x"...), b) }

// ParseHex reads what AppendHex writes, and adds the bytes to dst, which is not nil afterwards.
func ParseHex(dst, text []byte) ([]byte, error) {
	if len(text) < 2 || text[0] != '0' || text[1] != 'x' {
		return dst, errHex
	}
	if dst == nil {
		dst = []byte{}
	}
	out, err := hex.AppendDecode(dst, text[2:])
	if err != nil {
		return dst, errHex
	}
	return out, nil
}

// AppendUUID writes a UUID as 36 characters.
func AppendUUID(dst []byte, u [16]byte) []byte { return appendUUID(dst, u) }

// ParseUUID reads 32 hexadecimal digits, with the four dashes or without.
func ParseUUID(s string) ([16]byte, error) {
	u, ok := parseUUID(s)
	if !ok {
		return u, errUUID
	}
	return u, nil
}
