package jsonline

import (
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/go-json-experiment/json/jsontext"
	"gopkg.in/inf.v0"
)

// plainScale is the largest number of fraction digits with which a decimal is
// written out: five bytes of one may stand for two thousand million digits.
const plainScale = 64

var errDecimal = errors.New("the text is not a decimal like -12.50 or 5E3, of a scale of 32 bits")

// writeDecimal writes a string, as inf.Dec's own text is, but with an exponent where
// that would have more digits than the decimal has, or another scale.
func writeDecimal(enc *jsontext.Encoder, d *inf.Dec) error {
	if d.Scale() >= 0 && d.Scale() <= plainScale {
		return enc.WriteToken(jsontext.String(d.String()))
	}
	text := d.UnscaledBig().Append(nil, 10)
	return enc.WriteToken(jsontext.String(string(strconv.AppendInt(append(text, 'E'), -int64(d.Scale()), 10))))
}

// readDecimal takes a string or a number.
func readDecimal(dec *jsontext.Decoder, d *inf.Dec) error {
	var text string
	switch dec.PeekKind() {
	case jsontext.KindString:
		token, err := dec.ReadToken()
		if err != nil {
			return err
		}
		text = token.String()
	case jsontext.KindNumber:
		number, err := dec.ReadValue()
		if err != nil {
			return err
		}
		text = string(number)
	case jsontext.KindNull:
		*d = inf.Dec{}
		return dec.SkipValue()
	default:
		return fmt.Errorf("%w: a decimal is a string or a number", ErrUnfit)
	}
	unscaled, scale, ok := parseDecimal(text)
	if !ok {
		return fmt.Errorf("%w: %w", ErrUnfit, errDecimal)
	}
	*d = *inf.NewDecBig(unscaled, scale)
	return nil
}

// parseDecimal reads a decimal, written out or with an exponent. It takes no more
// memory than the text.
func parseDecimal(text string) (unscaled *big.Int, scale inf.Scale, ok bool) {
	mantissa, exponent := text, int64(0)
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		var err error
		mantissa = text[:i]
		if exponent, err = strconv.ParseInt(text[i+1:], 10, 34); err != nil {
			return nil, 0, false
		}
	}
	whole, fraction, _ := strings.Cut(mantissa, ".")
	places := int64(len(fraction)) - exponent
	if strings.ContainsAny(fraction, "+-_") || strings.Contains(whole, "_") || places < math.MinInt32 || places > math.MaxInt32 {
		return nil, 0, false
	}
	unscaled, ok = new(big.Int).SetString(whole+fraction, 10)
	return unscaled, inf.Scale(places), ok
}
