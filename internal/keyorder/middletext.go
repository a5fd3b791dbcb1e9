package keyorder

import (
	"unicode/utf8"

	"github.com/rxcql/rxcql/internal/codec"
)

// middleOfTexts takes a text for the digits of a fraction: bytes, or runes where only these make a
// text. It is as short as can be, so that of texts with a common beginning that beginning is soon
// found.
func middleOfTexts(kind codec.Kind, low, high []byte) []byte {
	base := map[codec.Kind]int{codec.Ascii: utf8.RuneSelf, codec.Blob: 256, codec.Text: runes}[kind]
	digits := middleOfDigits(digitsOf(kind, low), digitsOf(kind, high), high != nil, base)
	if digits == nil {
		return nil
	}
	out := []byte{}
	for _, d := range digits {
		if kind != codec.Text {
			out = append(out, byte(d)) //nolint:gosec // less than the base
			continue
		}
		if d >= surrogates {
			d += surrogateEnd - surrogates
		}
		out = utf8.AppendRune(out, rune(d)) //nolint:gosec // likewise
	}
	return out
}

// The runes that UTF-8 does not write: those from surrogates to surrogateEnd.
const (
	surrogates   = 0xD800
	surrogateEnd = 0xE000
	runes        = utf8.MaxRune + 1 - (surrogateEnd - surrogates)
)

func digitsOf(kind codec.Kind, text []byte) (digits []int) {
	if kind != codec.Text {
		for _, b := range text {
			digits = append(digits, int(b))
		}
		return digits
	}
	for _, r := range string(text) {
		if r >= surrogateEnd {
			r -= surrogateEnd - surrogates
		}
		digits = append(digits, int(r))
	}
	return digits
}

// middleOfDigits returns digits between two others, nil if there are none. bounded says that there
// is a high bound.
func middleOfDigits(low, high []int, bounded bool, base int) []int {
	var mid []int
	for i := 0; ; i++ {
		from, to := -1, base // the digits at i are between these
		if i < len(low) {
			from = low[i]
		}
		if bounded {
			if i >= len(high) {
				return nil // they are equal, or out of order
			}
			to = high[i]
		}
		switch {
		case from > to:
			return nil
		case to-from >= 2:
			return append(mid, from+(to-from)/2)
		case to-from == 1 && bounded && i+1 < len(high):
			return append(mid, to) // the beginning of high
		case from < 0: // low has ended, and the least digit that can follow is the end of high
			return nil
		case to-from == 1:
			bounded = false // whatever follows is less than high
		}
		mid = append(mid, from)
	}
}
