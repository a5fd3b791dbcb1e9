package csvrow_test

import (
	"bytes"
	"encoding/csv"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/csvrow"
	"github.com/rxcql/rxcql/internal/lines"
)

// records reads all records of a text in the form that RFC 4180 describes.
func records(text string) (all [][]string, quoted [][]bool, err error) {
	return recordsBy(new(csvrow.Splitter), text)
}

// recordsBy reads all records of a text, as fields with a mark where they were quoted.
func recordsBy(s *csvrow.Splitter, text string) (all [][]string, quoted [][]bool, err error) {
	in := lines.New(strings.NewReader(text), 1<<20)
	for {
		s.Begin()
		record, err := in.Record(s.Open)
		if err == io.EOF {
			return all, quoted, nil
		}
		if err != nil {
			return all, quoted, err
		}
		in.Accept()
		if csvrow.Blank(record) {
			continue
		}
		fields, err := s.Split(record)
		if err != nil {
			return all, quoted, err
		}
		var row []string
		var marks []bool
		for _, f := range fields {
			row, marks = append(row, string(f.Text)), append(marks, f.Quoted)
		}
		all, quoted = append(all, row), append(quoted, marks)
	}
}

func TestRecordsAreCutAsRFC4180Says(t *testing.T) {
	for text, want := range map[string][][]string{
		"a,b\nc,d":                {{"a", "b"}, {"c", "d"}},
		"a,b\r\n\r\n\n,\n":        {{"a", "b"}, {"", ""}},
		"\"a,\"\"b\"\"\r\nc\"\n":  {{"a,\"b\"\r\nc"}},
		"\"\",\"\"\n\"\"\"\"":     {{"", ""}, {"\""}},
		"a\rb, c \n":              {{"a\rb", " c "}},
		"\"x\n\n\ny\",\"\r\"\r\n": {{"x\n\n\ny", "\r"}},
	} {
		got, _, err := records(text)
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for text, want := range map[string]error{
		"a\"b\"\n": csvrow.ErrQuote, "\"a\"b\"\"\n": csvrow.ErrQuote, "\"a": csvrow.ErrOpenQuote, "\"a\"\"": csvrow.ErrOpenQuote,
		"\"a\" ,b\n": csvrow.ErrQuote, "a\"\n\"": csvrow.ErrQuote,
	} {
		_, _, err := records(text)
		require.ErrorIs(t, err, want, text)
	}
}

// FuzzSplit: what is read, written and read again is the same; and encoding/csv
// reads the same, except \r\n in quotes.
func FuzzSplit(f *testing.F) {
	for _, text := range []string{"a,b\n\"c\"\"\",\n", "\"\",\r\n", "\"a\nb\",\"\r\"", "x\"", ",\n\n,", "\"\"\"\"\"\""} {
		f.Add(text, "")
		f.Add(text, "c\"")
	}
	f.Fuzz(func(t *testing.T, text, null string) {
		if csvrow.CheckNull(null) != nil {
			null = ""
		}
		got, quoted, err := records(text)
		if err != nil {
			require.True(t, errors.Is(err, csvrow.ErrQuote) || errors.Is(err, csvrow.ErrOpenQuote))
			return
		}
		var out []byte
		for i, row := range got {
			for k, field := range row {
				if k > 0 {
					out = append(out, ',')
				}
				if !quoted[i][k] && field == null && (null != "" || len(row) > 1) {
					out = append(out, null...)
					continue
				}
				out = csvrow.AppendField(out, []byte(field), null)
			}
			out = append(out, '\n')
		}
		again, _, err := records(string(out))
		require.NoError(t, err)
		require.Equal(t, got, again)
		if bytes.ContainsRune([]byte(text), '\r') {
			return
		}
		r := csv.NewReader(strings.NewReader(text))
		r.FieldsPerRecord = -1
		std, err := r.ReadAll()
		require.NoError(t, err)
		require.Equal(t, len(std), len(got))
		for i := range std {
			require.Equal(t, std[i], got[i])
		}
	})
}
