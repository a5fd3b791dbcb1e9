package source_test

import (
	"context"
	"encoding/base64"
	"fmt"
	"math/rand/v2"
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

type pair struct {
	A int8   `cql:"a" json:"a"`
	B string `cql:"b" json:"b"`
}

const badJSON = "{\"a\":1}\n{\"a\":secret}\r\n\n{\"a\":300}\nnull\n{\"b\":\"\xff\"}\n{\"a\":2}\n{\"c\":1}"

const badCSV = "a,b\n1,x\nsecret,y\n\n300,\"y\nz\"\n5\" by 6\",x\n2,\n3\n\xff,x\n3,\"x\"\r\n"

func files(t *testing.T) map[string]rxcql.Stream[pair] {
	t.Helper()
	return map[string]rxcql.Stream[pair]{
		"ndjson": source.NDJSON[pair](fileWith(t, badJSON)),
		"csv":    source.CSV[pair](fileWith(t, badCSV)),
	}
}

var goodPairs = map[string][]pair{"ndjson": {{A: 1}, {A: 2}}, "csv": {{1, "x"}, {2, ""}, {3, "x"}}}

func TestLinesThatAreNoRowsAreSkippedUpToAMaximum(t *testing.T) {
	for name, in := range files(t) {
		got := []pair{}
		rep, err := in.ForEach(t.Context(), func(p pair) error {
			got = append(got, p)
			return nil
		}, rxcql.WithRowErrors(rxcql.SkipRows(5)))
		require.NoError(t, err, name)
		require.True(t, rep.Complete)
		require.Equal(t, goodPairs[name], got)
		require.EqualValues(t, 5, rep.Skipped, name)
		require.EqualValues(t, 5+len(got), rep.ReadRows)
		require.EqualValues(t, 5, rep.Stages[0].Skipped)
		require.EqualValues(t, len(got), rep.Stages[0].Out)
		require.Equal(t, rep.Pages, rep.PagesSettled)

		_, err = in.Count(t.Context(), rxcql.WithRowErrors(rxcql.SkipRows(4)))
		require.ErrorIs(t, err, rxcql.ErrSkipLimit, name)
		fails(t, err, map[string]string{"ndjson": "in.txt, line 8:", "csv": "in.txt, line 10:"}[name])
	}
}

func TestALineThatIsNoRowBecomesADeadLetter(t *testing.T) {
	for name, in := range files(t) {
		path := filepath.Join(t.TempDir(), "letters")
		rep, err := in.Count(t.Context(), rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(path))))
		require.NoError(t, err)
		require.EqualValues(t, len(goodPairs[name]), rep)
		var texts, errs []string
		for l, err := range deadletter.Read[any](path, deadletter.AnyType()) {
			require.NoError(t, err)
			text, ok := l.Row.(string)
			require.True(t, ok)
			if l.Type == "[]uint8" {
				b, err := base64.StdEncoding.DecodeString(text)
				require.NoError(t, err)
				text = string(b)
			}
			texts = append(texts, text)
			errs = append(errs, l.Error)
		}
		switch name {
		case "ndjson":
			require.Equal(t, []string{`{"a":secret}`, `{"a":300}`, "null", "{\"b\":\"\xff\"}", `{"c":1}`}, texts)
		case "csv":
			require.Equal(t, []string{"secret,y", "300,\"y\nz\"", `5" by 6",x`, "3", "\xff,x"}, texts)
			for i, line := range []int{3, 5, 7, 9, 10} {
				require.Contains(t, errs[i], "in.txt, line "+strconv.Itoa(line)+":")
			}
		}
	}
}

func TestAFileEndsWhereTheNextRecordCannotBeFound(t *testing.T) {
	long := strings.Repeat("x", 2000)
	for text, says := range map[string]string{
		"a,b\n1,x\n2,\"y\n3,z\n":               "not closed",
		"a,b\n1,x\n2,5\",z\n3,6\",z\n":         "a quote stands",
		"a,b\n1,x\n2,\"y\n3\",z\n4,x\n":        "3 fields",
		"a,b\n1,x\n2," + long + "\n4,x\n":      "longer than MaxLine",
		"a,b\n1,x\n2,\"y\n" + long + "\n4,x\n": "longer than MaxLine",
	} {
		got := []pair{}
		_, err := source.CSV[pair](fileWith(t, text), source.MaxLine(1024)).ForEach(t.Context(), func(p pair) error {
			got = append(got, p)
			return nil
		}, rxcql.WithRowErrors(rxcql.SkipRows(100)))
		fails(t, err, says, "line 3")
		require.Equal(t, []pair{{1, "x"}}, got)
	}
	_, err := source.NDJSON[string](fileWith(t, "1\n\"a\"\n\""+long+"\"\n\"b\""), source.MaxLine(1024)).
		Count(t.Context(), rxcql.WithRowErrors(rxcql.SkipRows(100)))
	fails(t, err, "longer than MaxLine", "line 3")
}

// Many bad lines fill pages too: they are bounded and settle with them.
func TestAFileWithoutAGoodLineIsReadInPages(t *testing.T) {
	path := fileWith(t, strings.Repeat("x\n", 10_000))
	rep, err := source.NDJSON[int](path).ForEach(t.Context(), func(int) error { return nil },
		rxcql.WithRowErrors(rxcql.SkipPercent(100, 0)))
	require.NoError(t, err)
	require.EqualValues(t, 10_000, rep.Skipped)
	require.EqualValues(t, 10_000, rep.ReadRows)
	require.EqualValues(t, 20, rep.Pages)
	require.Equal(t, rep.Pages, rep.PagesSettled)
}

// Stopped anywhere, and gone on again and again: each good line is written, and
// each bad one has a letter, once.
func TestAJobGoesOnBehindLinesThatAreNoRows(t *testing.T) {
	for seed := range someSeeds() {
		random := rand.New(rand.NewPCG(seed, 2))
		var b strings.Builder
		var want, bad []string
		for i := range 3000 {
			line := strconv.Itoa(i)
			if random.IntN(10) == 0 {
				line = "bad " + line
				bad = append(bad, line)
			} else {
				want = append(want, line)
			}
			fmt.Fprintln(&b, line)
		}
		store, letters := &jobtest.Store{}, filepath.Join(t.TempDir(), "letters")
		in := source.NDJSON[int](fileWith(t, b.String()), source.PageRows(1+random.IntN(100)))
		var got []string
		for runs := 0; ; runs++ {
			require.Less(t, runs, 100)
			var p *rxcql.Pipeline
			left := random.IntN(1500)
			p, err := rxcql.New(in, sink.Each(func(_ context.Context, n int) error {
				got = append(got, strconv.Itoa(n))
				if left--; left == 0 {
					p.Stop()
				}
				return nil
			}, sink.Idempotent()), rxcql.WithCheckpoint(store, "job"), rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(letters))))
			require.NoError(t, err)
			rep, err := p.Run(t.Context())
			require.NoError(t, err)
			if rep.Complete {
				break
			}
		}
		require.Equal(t, want, got)
		var kept []string
		for l, err := range deadletter.Read[string](letters) {
			require.NoError(t, err)
			kept = append(kept, l.Row)
		}
		require.Equal(t, bad, kept)
	}
}

func TestLinesThatFailAlikeHaveOneReason(t *testing.T) {
	name := fileWith(t, "k\n1\nx\n2\ny\nz\n")
	type keyed struct {
		K int `cql:"k"`
	}
	rep, err := source.CSV[keyed](name).ForEach(context.Background(), func(keyed) error { return nil }, rxcql.WithRowErrors(rxcql.SkipRows(9)))
	require.NoError(t, err)
	require.Len(t, rep.RowErrors, 1)
	got := rep.RowErrors[0]
	require.EqualValues(t, 3, got.Rows)
	require.Equal(t, name+", line 3", got.Place)
	require.Equal(t, `column "k" (int): the field is not a whole number of 64 bits`, got.Reason)
	require.Contains(t, rep.String(), name+", line 3")
}
