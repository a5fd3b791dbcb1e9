package driver

import "encoding/binary"

// TextMap decodes a map of text to text, as system tables have them.
func TextMap(cell []byte) (map[string]string, error) {
	if len(cell) < 4 {
		return nil, errTexts
	}
	// Its bytes are those of a list of twice as many texts.
	count := binary.BigEndian.Uint32(cell)
	texts, err := Texts(append(binary.BigEndian.AppendUint32(nil, 2*count), cell[4:]...))
	if err != nil {
		return nil, err
	}
	options := make(map[string]string, count)
	for i := 0; i+1 < len(texts); i += 2 {
		options[texts[i]] = texts[i+1]
	}
	return options, nil
}
