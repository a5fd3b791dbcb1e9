package csvrow_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/internal/csvrow"
)

// recordsOf reads all records of a text in a dialect.
func recordsOf(d dialect.Dialect, text string) (all [][]string, quoted [][]bool, err error) {
	s := csvrow.NewSplitter(csvrow.FormOf(d))
	return recordsBy(&s, text)
}

func TestRecordsAreCutAsCqlshWritesThem(t *testing.T) {
	for text, want := range map[string][][]string{
		`a,with \"quotes\",c` + "\n":             {{"a", `with "quotes"`, "c"}},
		`"a \"b\", c",d` + "\n":                  {{`a "b", c`, "d"}},
		`back\\\\slash,line\\nbreak` + "\n":      {{`back\slash`, "line\nbreak"}},
		`"{'tab\\there', 'x'}",\\xa0\\x7f`:       {{"{'tab\there', 'x'}", "\u00a0\x7f"}},
		`a\,b,c` + "\n":                          {{"a,b", "c"}},
		"\"a\nb\",\"c\r\nd\"\n":                  {{"a\nb", "c\r\nd"}},
		`"C:\\new",x` + "\n":                     {{`C:\new`, "x"}}, // no bare separator: not from COPY TO
		`"C:\\new\, and\\or",x` + "\n":           {{`C:\new, and\or`, "x"}},
		`"C:\\new, and",x` + "\n":                {{"C:\new, and", "x"}},
		`"\\",\\\\` + "\n":                       {{`\`, `\`}},
		"\"a\\\nb\",c\n":                         {{"a\nb", "c"}},
		` leading and trailing ,'x',it's` + "\n": {{" leading and trailing ", "'x'", "it's"}},
	} {
		got, _, err := recordsOf(dialect.Cqlsh(), text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	for text, want := range map[string]error{
		`a\\,b`: csvrow.ErrEscape, `C:\\dir,b`: csvrow.ErrEscape, `\\x4,b`: csvrow.ErrEscape, `\\xff,b`: csvrow.ErrEscape, `\\x41,b`: csvrow.ErrEscape,
		`a"b,c`: csvrow.ErrQuote, `"a"b,c`: csvrow.ErrQuote, "a,b\\\n": csvrow.ErrQuote, `"a\"`: csvrow.ErrOpenQuote, `"a`: csvrow.ErrOpenQuote,
	} {
		_, _, err := recordsOf(dialect.Cqlsh(), text)
		require.ErrorIs(t, err, want, text)
	}
	plain := dialect.Cqlsh()
	plain.Escapes = dialect.EscapesNone
	got, _, err := recordsOf(plain, `C:\\new,b`)
	require.NoError(t, err)
	require.Equal(t, [][]string{{`C:\new`, "b"}}, got, "made for COPY FROM")
}

func TestRecordsAreCutAsDSBulkWritesThem(t *testing.T) {
	for text, want := range map[string][][]string{
		`back\slash,"[\"tab\\there\"]"` + "\n": {{`back\slash`, `["tab\there"]`}},
		`"a \x b","",` + "\n":                  {{`a \x b`, "", ""}},
		`\,"\\"` + "\n":                        {{`\`, `\`}},
		`a\,b` + "\n":                          {{`a\`, "b"}},
	} {
		got, _, err := recordsOf(dialect.DSBulk(), text)
		require.NoError(t, err, text)
		require.Equal(t, want, got, text)
	}
	_, quoted, err := recordsOf(dialect.DSBulk(), "\"\",\n")
	require.NoError(t, err)
	require.Equal(t, [][]bool{{true, false}}, quoted)
	_, _, err = recordsOf(dialect.DSBulk(), `a"b,c`)
	require.ErrorIs(t, err, csvrow.ErrQuote)
}

func TestLatin1IsReadAndWritten(t *testing.T) {
	d := dialect.RFC4180()
	d.Encoding, d.Separator = dialect.Latin1, ';'
	got, _, err := recordsOf(d, "gr\xfc\xdfe;\"\xff;\"\n")
	require.NoError(t, err)
	require.Equal(t, [][]string{{"grüße", "ÿ;"}}, got)
	form := csvrow.FormOf(d)
	out, err := form.Append(nil, []byte("grüße"))
	require.NoError(t, err)
	require.Equal(t, "gr\xfc\xdfe", string(out))
	_, err = form.Append(nil, []byte("€"))
	require.ErrorIs(t, err, csvrow.ErrNotLatin1)
}

func dialects() []dialect.Dialect {
	all := []dialect.Dialect{dialect.RFC4180(), dialect.Cqlsh(), dialect.DSBulk()}
	tabs := dialect.DSBulk()
	tabs.Separator, tabs.Quote, tabs.Escape, tabs.Null = '\t', '\'', '|', "NULL"
	return append(all, tabs)
}

// What is written is read again as the same text, with null and empty text told apart.
func TestWhatIsWrittenInADialectIsReadAgain(t *testing.T) {
	for _, d := range dialects() {
		form := csvrow.FormOf(d)
		rapid.Check(t, func(t *rapid.T) {
			text := rapid.StringOf(rapid.SampledFrom([]rune("ab,\"'\\\n\r\t|;nxé0\x00 ")))
			row := rapid.SliceOfN(rapid.Ptr(text, true), 2, 4).Draw(t, "row")
			var out []byte
			for i, field := range row {
				if i > 0 {
					out = append(out, form.Separator())
				}
				if field == nil {
					out = form.AppendNull(out)
					continue
				}
				var err error
				out, err = form.Append(out, []byte(*field))
				require.NoError(t, err)
			}
			got, quoted, err := recordsOf(d, string(out)+"\n")
			require.NoError(t, err, "%s: %q", d.Name, out)
			require.Len(t, got, 1)
			require.Len(t, got[0], len(row))
			for i, field := range row {
				null := !quoted[0][i] && got[0][i] == d.Null
				require.Equal(t, field == nil, null, "%s: %q", d.Name, out)
				if field != nil {
					require.Equal(t, *field, got[0][i], "%s: %q", d.Name, out)
				}
			}
		})
	}
}

// cqlsh COPY TO WITH ENCODING = 'latin-1' writes a blank that does not break as four characters.
func TestEscapesOfCqlshAreCharactersInISO88591Too(t *testing.T) {
	d := dialect.Cqlsh()
	for _, d.Encoding = range []dialect.Encoding{dialect.UTF8, dialect.Latin1} {
		got, _, err := recordsOf(d, `a\\xa0b,"x\\x85,\\x9f"`+"\n")
		require.NoError(t, err)
		require.Equal(t, [][]string{{"a\u00a0b", "x\u0085,\u009f"}}, got)
	}
	many := strings.Repeat("\xff", 500) + `\\xa0`
	got, _, err := recordsOf(d, many+","+many+"\n")
	require.NoError(t, err)
	want := strings.Repeat("ÿ", 500) + "\u00a0"
	require.Equal(t, [][]string{{want, want}}, got, "fields stay where they are")
}
