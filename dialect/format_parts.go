package dialect

import (
	"bytes"
	"strings"

	"github.com/rxcql/rxcql/internal/codec"
)

// brackets are what stands around the parts of a value as CQL writes it.
func brackets(typ *Type) (open, end byte) {
	switch typ.Kind {
	case codec.List, codec.Vector:
		return '[', ']'
	case codec.Tuple:
		return '(', ')'
	}
	return '{', '}'
}

// appendCQL writes a value that consists of others as cqlsh does.
func (t *Text) appendCQL(dst []byte, typ *Type, data []byte) ([]byte, error) {
	open, end := brackets(typ)
	dst = append(dst, open)
	err := codec.EachPart(typ, data, func(i int, part *Type, data []byte) (err error) {
		switch {
		case typ.Kind == codec.Map && i%2 == 1:
			dst = append(dst, ": "...)
		case i > 0:
			dst = append(dst, ", "...)
		}
		if typ.Kind == codec.UDT {
			dst = append(append(dst, fieldName(typ.Fields[i].Name)...), ": "...)
		}
		if data != nil {
			dst, err = t.appendCQLPart(dst, part, data)
		}
		return err
	})
	return append(dst, end), err
}

func (t *Text) appendCQLPart(dst []byte, typ *Type, data []byte) ([]byte, error) {
	start := len(dst)
	switch typ.Kind {
	case codec.Blob, codec.Custom:
		return codec.AppendText(dst, typ, data)
	case codec.Ascii, codec.Text, codec.Timestamp, codec.Date, codec.Time, codec.Inet:
	default:
		if len(data) > 0 || typ.Kind == codec.Tuple || typ.Kind == codec.UDT {
			return t.Append(dst, typ, data)
		}
	}
	dst, err := t.Append(append(dst, '\''), typ, data)
	if text := dst[start+1:]; bytes.IndexByte(text, '\'') >= 0 {
		dst = append(dst[:start+1], bytes.ReplaceAll(text, []byte("'"), []byte("''"))...)
	}
	return append(dst, '\''), err
}

// fieldName is the name of a field of a user-defined type: as it is, as cqlsh has it, or in double
// quotes if it has characters that CQL needs.
func fieldName(name string) string {
	plain := strings.TrimFunc(name, func(r rune) bool {
		return r == '_' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9'
	})
	if plain != "" {
		return `"` + strings.ReplaceAll(name, `"`, `""`) + `"`
	}
	return name
}

// appendJSON writes a value that is not null as JSON. Words, bytes and times of the dialect are
// strings; true and false are those of JSON, which every dialect reads.
func (t *Text) appendJSON(dst []byte, typ *Type, data []byte) ([]byte, error) {
	switch typ.Kind {
	case codec.Ascii, codec.Text:
		return codec.AppendJSONText(dst, string(data))
	case codec.Map, codec.UDT:
		return t.appendObject(dst, typ, data)
	case codec.List, codec.Set, codec.Tuple, codec.Vector:
		dst = append(dst, '[')
		err := codec.EachPart(typ, data, func(i int, part *Type, data []byte) (err error) {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst, err = t.appendJSONPart(dst, part, data)
			return err
		})
		return append(dst, ']'), err
	case codec.Blob, codec.Custom, codec.Timestamp, codec.Date, codec.Time:
		dst, err := t.appendSingle(append(dst, '"'), typ, data)
		return append(dst, '"'), err
	case codec.Decimal:
		if len(data) > 0 {
			return t.appendSingle(dst, typ, data)
		}
	}
	return codec.AppendJSON(dst, typ, data)
}

func (t *Text) appendJSONPart(dst []byte, typ *Type, data []byte) ([]byte, error) {
	if data == nil {
		return append(dst, "null"...), nil
	}
	return t.appendJSON(dst, typ, data)
}

func (t *Text) appendObject(dst []byte, typ *Type, data []byte) ([]byte, error) {
	dst = append(dst, '{')
	err := codec.EachPart(typ, data, func(i int, part *Type, data []byte) (err error) {
		if typ.Kind == codec.Map && i%2 == 1 {
			dst, err = t.appendJSONPart(append(dst, ':'), part, data)
			return err
		}
		if i > 0 {
			dst = append(dst, ',')
		}
		if typ.Kind == codec.Map {
			dst, err = t.appendKey(dst, part, data)
			return err
		}
		if dst, err = codec.AppendJSONText(dst, typ.Fields[i].Name); err == nil {
			dst, err = t.appendJSONPart(append(dst, ':'), part, data)
		}
		return err
	})
	return append(dst, '}'), err
}

// appendKey writes the key of a map: if it is not a string, its JSON in a string.
func (t *Text) appendKey(dst []byte, typ *Type, data []byte) ([]byte, error) {
	key, err := t.appendJSONPart(nil, typ, data)
	if err != nil || len(key) > 0 && key[0] == '"' {
		return append(dst, key...), err
	}
	return codec.AppendJSONText(dst, string(key))
}
