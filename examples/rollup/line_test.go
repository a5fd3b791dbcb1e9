package main

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

var noon = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// read reads a body at noon, of a service that accepts what is a minute ahead.
func read(t *testing.T, body string) ([]Reading, []badLine, error) {
	t.Helper()
	cfg := configured(t, "--max-ahead", "1m")
	cfg.limits.line, cfg.limits.lines = 200, 50
	return readLines(strings.NewReader(body), noon, cfg)
}

func TestLinesAreReadings(t *testing.T) {
	got, wrong, err := read(t, `{"device":"röhre 1","at":"2026-11-26T12:00:59.1239Z","value":-1.5e3}`+"\r\n\n"+
		`{"at":"2026-11-25T01:00:00+02:00", "value":0, "device":"b"}`)
	require.NoError(t, err)
	require.Empty(t, wrong)
	require.Equal(t, []Reading{
		{Device: "röhre 1", At: noon.Add(59123 * time.Millisecond), Value: -1500},
		{Device: "b", At: time.Date(2026, 11, 24, 23, 0, 0, 0, time.UTC), Value: 0},
	}, got)
}

func TestAWrongLineIsToldByItsNumberAndWhatToGive(t *testing.T) {
	const at = `"at":"2026-11-26T12:00:00Z"`
	for line, want := range map[string]string{
		`nonsense`:                                                            "not a JSON object",
		`{"device":"a",` + at + `,"value":1`:                                  "not a JSON object",
		`{"device":"a",` + at + `,"value":1}{}`:                               "not a JSON object",
		`{"device":"a` + "\xff" + `",` + at + `,"value":1}`:                   "UTF-8",
		`{"device":"a",` + at + `,"value":1,"value":2}`:                       "duplicate",
		`{"device":"a",` + at + `,"value":1,"Value":2}`:                       "not known",
		strings.Repeat("[", 190):                                              "not a",
		`{"value":` + strings.Repeat("[", 90) + strings.Repeat("]", 90) + `}`: "value: give a number",
		`[]`:                                 `give {"device"`,
		`null`:                               "device: give a name",
		`{}`:                                 "device: give a name",
		`{"device":"",` + at + `,"value":1}`: "device: give a name",
		`{"device":"a\u0000b",` + at + `,"value":1}`:               "control characters",
		`{"device":"` + strings.Repeat("é", 65) + `"}`:             "128 bytes",
		`{"device":7,` + at + `,"value":1}`:                        "device: give a text",
		`{"device":"a",` + at + `}`:                                "value: give a number",
		`{"device":"a",` + at + `,"value":null}`:                   "value: give a number",
		`{"device":"a",` + at + `,"value":"1"}`:                    "value: give a number",
		`{"device":"a",` + at + `,"value":1e999}`:                  "value: give",
		`{"device":"a",` + at + `,"value":1e200}`:                  "value: give one from -1e+100 to 1e+100",
		`{"device":"a","value":1}`:                                 "at: give a time since 1970",
		`{"device":"a","at":"yesterday","value":1}`:                "at: give a time as RFC 3339",
		`{"device":"a","at":1764158400,"value":1}`:                 "at: give a time as RFC 3339",
		`{"device":"a","at":"1969-12-31T23:59:59Z","value":1}`:     "since 1970",
		`{"device":"a","at":"2026-11-26T12:01:00.001Z","value":1}`: "the device's clock is ahead",
		`{"device":"a","at":"2030-01-01T00:00:00Z","value":1}`:     "later than is accepted now, 2026-11-26T12:01:00Z",
		strings.Repeat("x", 201):                                   "longer than 200 bytes",
	} {
		_, wrong, err := read(t, "\n"+line+"\n")
		require.NoError(t, err, line)
		require.Len(t, wrong, 1, line)
		require.Equal(t, 2, wrong[0].Line, line)
		require.Contains(t, wrong[0].Error, want, line)
		require.NotContains(t, wrong[0].Error, "Go", line)
	}
}

func TestALineMayBeAsLongAsTheLimit(t *testing.T) {
	line := fmt.Sprintf("%-200s", `{"device":"a","at":"2026-11-26T12:00:00Z","value":1}`)
	got, wrong, err := read(t, line+"\n"+line)
	require.NoError(t, err)
	require.Empty(t, wrong)
	require.Len(t, got, 2)
	_, wrong, err = read(t, line+"\n"+line+" ")
	require.NoError(t, err)
	require.Equal(t, []badLine{{2, "the line is longer than 200 bytes"}}, wrong)
}

func TestManyWrongLinesAreToldUpToALimit(t *testing.T) {
	_, wrong, err := read(t, strings.Repeat("x\n", 1000))
	require.NoError(t, err)
	require.Len(t, wrong, mostTold)
	require.Equal(t, mostTold, wrong[mostTold-1].Line)
}

func TestMoreLinesThanTheLimitAreRefused(t *testing.T) {
	line := `{"device":"a","at":"2026-11-26T12:00:00Z","value":1}` + "\n"
	got, _, err := read(t, strings.Repeat(line, 50))
	require.NoError(t, err)
	require.Len(t, got, 50)
	_, _, err = read(t, strings.Repeat(line, 51))
	require.ErrorIs(t, err, errTooManyLines)
}

func TestNoBodyMakesTheReaderPanic(t *testing.T) {
	for i, body := range []string{"", "\n\n", "\x00", "\xef\xbb\xbf{}", `{"device":"\ud800"}`, "{}\n{", fmt.Sprint(make([]int, 40))} {
		_, wrong, err := read(t, body)
		require.NoError(t, err)
		require.Equal(t, i > 1, len(wrong) > 0, body)
	}
}
