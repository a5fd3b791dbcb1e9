// Package decimal writes and reads decimals as text with no more digits than the decimal itself:
// five bytes of one may stand for two thousand million digits.
package decimal

import (
	"errors"
	"math"
	"math/big"
	"strconv"
	"strings"

	"gopkg.in/inf.v0"
)

// Errors of Parse. They do not hold the text.
var (
	ErrSyntax = errors.New("not a decimal number, such as -12.50 or 5E3")
	ErrScale  = errors.New("a decimal of which the scale has more than 32 bits")
)

// plainScale is the largest number of fraction digits with which a decimal is written out.
const plainScale = 64

// Append writes a decimal so that Parse gives it back with its scale: with a point if it has at
// most 64 digits behind it, else with an exponent.
func Append(dst []byte, d *inf.Dec) []byte {
	if scale := d.Scale(); scale < 0 || scale > plainScale {
		dst = d.UnscaledBig().Append(dst, 10)
		return strconv.AppendInt(append(dst, 'E'), -int64(scale), 10)
	}
	return append(dst, d.String()...)
}

// Parse reads digits into z, with a point and an exponent or without. It keeps the scale that they
// have: 1.10 is 110 at scale 2, 1E2 is 1 at scale -2.
func Parse(s string, z *inf.Dec) error {
	digits, exponent := s, int64(0)
	if i := strings.IndexAny(s, "eE"); i >= 0 {
		var err error
		digits = s[:i]
		exponent, err = strconv.ParseInt(s[i+1:], 10, 64)
		switch {
		case errors.Is(err, strconv.ErrRange):
			return ErrScale
		case err != nil:
			return ErrSyntax
		}
	}
	whole, fraction, _ := strings.Cut(digits, ".")
	unsigned := strings.TrimPrefix(strings.TrimPrefix(whole, "-"), "+")
	if len(whole)-len(unsigned) > 1 || strings.Trim(unsigned+fraction, "0123456789") != "" {
		return ErrSyntax
	}
	scale := int64(len(fraction)) - exponent
	if exponent < -math.MaxInt64/2 || scale != int64(int32(scale)) {
		return ErrScale
	}
	unscaled, ok := new(big.Int).SetString(whole+fraction, 10)
	if !ok {
		return ErrSyntax
	}
	*z = *inf.NewDecBig(unscaled, inf.Scale(scale))
	return nil
}
