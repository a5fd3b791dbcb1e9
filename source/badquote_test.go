package source_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

type note struct {
	ID   int    `cql:"id"`
	Text string `cql:"text"`
}

// lettersOf reads the lines that became letters, and why.
func lettersOf(t *testing.T, path string) (lines, errs []string) {
	t.Helper()
	if _, err := os.Stat(path); err != nil {
		return nil, nil
	}
	for l, err := range deadletter.Read[any](path, deadletter.AnyType()) {
		require.NoError(t, err)
		text, ok := l.Row.(string)
		require.True(t, ok)
		if l.Type == "[]uint8" {
			b, err := base64.StdEncoding.DecodeString(text)
			require.NoError(t, err)
			text = string(b)
		}
		lines, errs = append(lines, text), append(errs, l.Error)
	}
	return lines, errs
}

func TestARecordWithAStrayQuoteIsLeftOutWhereItsEndIsCertain(t *testing.T) {
	const head, tail = "id,text\n1,\"a\n\"\"b\"\"\"\n", "8,x\n9,\"y, z\"\n"
	for name, bad := range map[string][]string{
		"one quote":                        {`2,5" pipe`},
		"one quote at the end":             {`2,5"`},
		"one quote and CRLF":               {"2,5\" pipe\r"},
		"two lines, text follows":          {`2,5" pipe`, `3,6" pipe`},
		"both quotes in one line":          {`2,a "b", c`},
		"text behind a quoted field":       {`2,"a" is "b"`},
		"quotes that are not doubled":      {`2,"say "hi", you"`},
		"a quoted field behind":            {`2,5" pipe,"x"`},
		"a byte that is not UTF-8":         {"2,\xff"},
		"such a byte in a field of lines":  {"2,\"a\n\xff\""},
		"such a byte and a quote":          {"\xfe2,5\" \xff"},
		"a NUL and a carriage return":      {"2\x00,\ra"},
		"a quote behind a doubled quote":   {`2,a""b"`},
		"the first of two is not the last": {`2,a"`, `3,b"c`},
	} {
		path := filepath.Join(t.TempDir(), "letters")
		in := source.CSV[note](fileWith(t, head+strings.Join(bad, "\n")+"\n"+tail))
		var got []note
		rep, err := in.ForEach(t.Context(), func(n note) error {
			got = append(got, n)
			return nil
		}, rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(path))))
		require.NoError(t, err, name)
		require.Equal(t, []note{{1, "a\n\"b\""}, {8, "x"}, {9, "y, z"}}, got, name)
		lines, errs := lettersOf(t, path)
		for i := range bad {
			bad[i] = strings.TrimSuffix(bad[i], "\r")
		}
		require.Equal(t, bad, lines, name)
		require.Contains(t, errs[0], "in.txt, line 4:", name)
		require.EqualValues(t, 3+len(bad), rep.ReadRows)
		require.EqualValues(t, len(bad), rep.DeadLettered)
	}
}

func TestReadingEndsWhereAStrayQuoteMayHaveOpenedAField(t *testing.T) {
	for name, text := range map[string]string{
		"closed before a comma":            "2x\"a\n3,b\nc\",d\n",
		"closed at the end of a line":      "2,x\"a\n3,b\nc\"\r\n4,d\n",
		"closed at the end of the file":    "2,x\"a\n3,b\nc\"",
		"text behind a quoted field":       "2,\"a\" b\n3,c\nd\",\"e\"\n",
		"in a record of several lines":     "2,\"a\nb\" c\n3,d\n",
		"a quoted field opens behind":      "2,a\"b\",\"c\n3,d\"\n",
		"a quoted field that is open":      "2,a\"b,\"c\n3,d\"\n",
		"never closed":                     "2,\"a\n3,b\n",
		"inches, closed as a writer would": "2,5\"\n3,6\"\n4,x\n",
	} {
		var got []note
		_, err := source.CSV[note](fileWith(t, "id,text\n1,x\n"+text)).ForEach(t.Context(), func(n note) error {
			got = append(got, n)
			return nil
		}, rxcql.WithRowErrors(rxcql.SkipRows(100)))
		require.Error(t, err, name)
		fails(t, err, "line 3:", "so nothing more is read", "each quote in it doubled")
		require.Equal(t, []note{{1, "x"}}, got, name)
	}
}

// cqlsh and DSBulk escape quotes with a backslash by default. Rows of such a file
// would come out with other text, so it is no matter of one record.
func TestQuotesWithBackslashesEndTheReadingInWordsThatHelp(t *testing.T) {
	for _, line := range []string{`2,"a \"b\" c"`, `2,a \"b`, `2,"[\"a\", \"b\"]"`} {
		_, err := source.CSV[note](fileWith(t, "id,text\n1,x\n"+line+"\n3,y\n")).
			Count(t.Context(), rxcql.WithRowErrors(rxcql.SkipRows(100)))
		fails(t, err, "line 3:", "a backslash stands before it", "WITH ESCAPE='\"'", "--connector.csv.escape '\"'")
	}
}

// What a writer of RFC 4180 has written, with one byte changed, lost or added: no
// row may come out that is not in the file, except the one that was hit. Quotes
// that are lost or added may leave a file that is right and says something else.
func TestOneDamagedByteMakesNoRowOutOfText(t *testing.T) {
	var ended, read int
	for seed := range 50 * someSeeds() {
		random := rand.New(rand.NewPCG(seed, 14))
		var text strings.Builder
		written := map[note]bool{}
		text.WriteString("id,text\n")
		head := text.Len()
		for i := range 6 {
			n := note{ID: i}
			for range random.IntN(4) {
				n.Text += []string{"a", "\n7,fake", "\"", ",", "\n8,fake\n", "x y", "\r\n"}[random.IntN(7)]
			}
			written[n] = true
			text.WriteString(strconv.Itoa(n.ID) + ",\"" + strings.ReplaceAll(n.Text, `"`, `""`) + "\"\n")
		}
		damaged := []byte(text.String())
		at := head + random.IntN(len(damaged)-head)
		quotes := bytes.Count(damaged, []byte{'"'})
		switch random.IntN(3) {
		case 0:
			damaged[at] ^= 1 << random.IntN(8)
		case 1:
			damaged = append(damaged[:at:at], damaged[at+1:]...)
		default:
			more := "x,\n\xff"[random.IntN(4)]
			damaged = append(append(damaged[:at:at], more), damaged[at:]...)
		}
		if bytes.Count(damaged, []byte{'"'}) != quotes {
			continue
		}
		var other int
		_, err := source.CSV[note](fileWith(t, string(damaged))).ForEach(t.Context(), func(n note) error {
			if !written[n] {
				other++
			}
			return nil
		}, rxcql.WithRowErrors(rxcql.SkipRows(100)))
		if err != nil {
			ended++
		} else {
			read++
		}
		require.LessOrEqual(t, other, 1, "%q", damaged)
	}
	require.NotZero(t, ended)
	require.NotZero(t, read)
}

func TestAJobGoesOnBehindStrayQuotesAndBadBytes(t *testing.T) {
	for seed := range someSeeds() {
		random := rand.New(rand.NewPCG(seed, 4))
		var text strings.Builder
		var want, bad []string
		text.WriteString("id,text\n")
		for i := range 1000 {
			line := strconv.Itoa(i) + ",\"a\nb\""
			switch random.IntN(8) {
			case 0:
				line = strconv.Itoa(i) + ",5\" pipe"
				bad = append(bad, line)
			case 1:
				line = strconv.Itoa(i) + ",\xff"
				bad = append(bad, line)
			default:
				want = append(want, strconv.Itoa(i))
			}
			text.WriteString(line + "\n")
		}
		store, letters := &jobtest.Store{}, filepath.Join(t.TempDir(), "letters")
		in := source.CSV[note](fileWith(t, text.String()), source.PageRows(1+random.IntN(50)))
		out := filepath.Join(t.TempDir(), "out")
		for runs := 0; ; runs++ {
			require.Less(t, runs, 1000)
			stop := &stopAfter{left: 1 + random.IntN(10)}
			p, err := rxcql.New(in, sink.NDJSON[note](out), rxcql.WithCheckpoint(store, "job"),
				rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(letters))),
				rxcql.WithHooks(rxcql.Hooks{PageRead: stop.pageRead}))
			require.NoError(t, err)
			stop.p = p
			rep, err := p.Run(t.Context())
			require.NoError(t, err)
			if rep.Complete {
				break
			}
		}
		var got []string
		for n, err := range source.NDJSON[note](out).All(t.Context()) {
			require.NoError(t, err)
			got = append(got, strconv.Itoa(n.ID))
		}
		require.Equal(t, want, got)
		kept, _ := lettersOf(t, letters)
		require.Equal(t, bad, kept)
	}
}

// stopAfter stops a run when so many pages have been read.
type stopAfter struct {
	p    *rxcql.Pipeline
	left int
}

func (s *stopAfter) pageRead(context.Context, rxcql.PageEvent) {
	if s.left--; s.left == 0 {
		s.p.Stop()
	}
}
