package jsonline

import (
	"fmt"

	"github.com/go-json-experiment/json/jsontext"
	"gopkg.in/inf.v0"

	"github.com/rxcql/rxcql/internal/decimal"
)

// writeDecimal writes a string, as inf.Dec's own text is.
func writeDecimal(enc *jsontext.Encoder, d *inf.Dec) error {
	return enc.WriteToken(jsontext.String(string(decimal.Append(nil, d))))
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
	if err := decimal.Parse(text, d); err != nil {
		return fmt.Errorf("%w: %w", ErrUnfit, err)
	}
	return nil
}
