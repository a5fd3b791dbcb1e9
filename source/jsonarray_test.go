package source_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/source"
)

func TestAJSONArrayIsReadElementByElement(t *testing.T) {
	for text, want := range map[string][]any{
		"[]": nil, " [ ] \n": nil, "\ufeff[\n]": nil,
		`["a]",[1,[2]],{"b":"}\"{"},true,null,"",-1.5e3]`: {"a]", nil, nil, true, nil, "", nil},
		"[\"x\"\n,\n\"y\" , \"z\"\n]\n\n":                 {"x", "y", "z"},
		`["\\","\"",[]]`:                                  {`\`, `"`, nil},
	} {
		got, err := source.JSONArray[any](fileWith(t, text)).Collect(t.Context())
		require.NoError(t, err, text)
		require.Len(t, got, len(want), text)
		for i, w := range want {
			if w != nil {
				require.Equal(t, w, got[i], text)
			}
		}
	}
}

func TestWhatIsNotOneJSONArrayIsRefusedOrEndsTheStream(t *testing.T) {
	for _, text := range []string{"", " \n", "{}", "1", "{\"a\":1}\n{\"a\":2}\n", "\"[\""} {
		in := source.JSONArray[any](fileWith(t, text))
		_, err := in.Count(t.Context())
		require.ErrorIs(t, err, rxcql.ErrSchema, text)
	}
	for text, says := range map[string]string{
		"[": "has no end", "[1": "has no end", "[1,": "has no end", "[\"a": "has no end", "[{\"a\":1}": "has no end",
		"[1,2": "has no end", "[1 2]": "no comma", "[1}": "no comma", "[,1]": "no comma", "[1,]": "no comma", "[{]": "no comma",
		"[1] 2": "follows", "[[1]]]": "follows", "[1]]": "follows", "[{}{}]": "no comma", "[1,,2]": "no comma",
	} {
		_, err := source.JSONArray[any](fileWith(t, text)).Count(t.Context(), rxcql.WithRowErrors(rxcql.SkipPercent(100, 0)))
		require.ErrorContains(t, err, says, text)
	}
}

func TestAnElementThatIsNoRowIsNamedAndSkipped(t *testing.T) {
	text := "[\n {\"id\":1,\"text\":\"a\"},\n {\"id\":\"x\"},\n\n {\"id\":tru},\n {\"id\":4,\"text\":\"d\"}\n]"
	_, err := source.JSONArray[note](fileWith(t, text)).Collect(t.Context())
	require.ErrorContains(t, err, "line 3:")
	var seen []note
	rep, err := source.JSONArray[note](fileWith(t, text)).ForEach(t.Context(), func(n note) error { seen = append(seen, n); return nil },
		rxcql.WithRowErrors(rxcql.SkipRows(2)))
	require.NoError(t, err)
	require.Len(t, seen, 2)
	require.EqualValues(t, 2, rep.Skipped)
	places := []string{}
	for _, r := range rep.RowErrors {
		places = append(places, r.Place)
	}
	require.Len(t, places, 2)
	require.Contains(t, strings.Join(places, " "), "line 3")
	require.Contains(t, strings.Join(places, " "), "line 5")

	_, err = source.JSONArray[string](fileWith(t, `["`+strings.Repeat("x", 5000)+`"]`), source.MaxLine(1024)).Count(t.Context())
	require.ErrorContains(t, err, "MaxLine")
}

// However the elements are set apart, all are read, in order.
func TestElementsAreFoundWhateverStandsBetweenThem(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		values := rapid.SliceOf(rapid.OneOf(
			rapid.Map(rapid.StringMatching(`[a\]\[{},: ]{0,8}`), func(s string) string { return fmt.Sprintf("%q", s) }),
			rapid.SampledFrom([]string{"1", "-2.5", "true", "null", "{}", "[]", `{"a":[1,{"b":"]"}]}`, `"\\\""`}),
		)).Draw(r, "values")
		blank := rapid.SampledFrom([]string{"", " ", "\n", "\r\n\t"})
		var b strings.Builder
		b.WriteString(blank.Draw(r, "before") + "[")
		for i, v := range values {
			if i > 0 {
				b.WriteString(",")
			}
			b.WriteString(blank.Draw(r, "left") + v + blank.Draw(r, "right"))
		}
		b.WriteString("]" + blank.Draw(r, "after"))
		n, err := source.JSONArray[any](fileWith(t, b.String())).Count(t.Context())
		require.NoError(t, err, b.String())
		require.EqualValues(t, len(values), n, b.String())
	})
}
