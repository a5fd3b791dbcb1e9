package dialect_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/dialect"
)

func TestPresetsAreFoundByNameAndAreValid(t *testing.T) {
	require.Equal(t, []string{"rfc4180", "cqlsh", "dsbulk"}, dialect.Names())
	for _, name := range dialect.Names() {
		d, found := dialect.Preset(name)
		require.True(t, found)
		require.Equal(t, name, d.Name)
		require.NoError(t, d.Check())
		d.Booleans[0].True = "changed"
		again, _ := dialect.Preset(name)
		require.NotEqual(t, "changed", again.Booleans[0].True, "a preset is the caller's own")
	}
	_, found := dialect.Preset("excel")
	require.False(t, found)
}

func TestADialectThatCannotKeepRowsIsRefused(t *testing.T) {
	berlin, err := time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	for says, change := range map[string]func(*dialect.Dialect){
		"Separator is":             func(d *dialect.Dialect) { d.Separator = 'a' },
		"Quote is":                 func(d *dialect.Dialect) { d.Quote = 0 },
		"Escape is":                func(d *dialect.Dialect) { d.Escape = '\n' },
		"they must differ":         func(d *dialect.Dialect) { d.Separator = '"' },
		"EscapeBare needs":         func(d *dialect.Dialect) { d.EscapeBare = true },
		"must have no separator":   func(d *dialect.Dialect) { d.Null = "a,b" },
		"EscapesPython needs":      func(d *dialect.Dialect) { d.Escapes = dialect.EscapesPython },
		"constants of this":        func(d *dialect.Dialect) { d.Blobs = 9 },
		"MaxDigits":                func(d *dialect.Dialect) { d.MaxDigits = 0 },
		"Booleans is empty":        func(d *dialect.Dialect) { d.Booleans = nil },
		"both true and false":      func(d *dialect.Dialect) { d.Booleans = []dialect.Words{{"a", "b"}, {"B", "c"}} },
		"is Null":                  func(d *dialect.Dialect) { d.Null = "true" },
		"Dates is empty":           func(d *dialect.Dialect) { d.Dates = nil },
		"does not keep a value":    func(d *dialect.Dialect) { d.Timestamps[0] = "2006-01-02T15:04:05Z07:00" },
		"first layout of Times":    func(d *dialect.Dialect) { d.Times[0] = "15:04:05.000" },
		"first layout of Dates":    func(d *dialect.Dialect) { d.Dates[0] = "02.01.06" },
		"has the name of a zone":   func(d *dialect.Dialect) { d.Timestamps = append(d.Timestamps, time.RFC1123) },
		"an hour occurs twice":     func(d *dialect.Dialect) { d.Timestamps[0], d.Zone = "2006-01-02 15:04:05.000", berlin },
		"Timestamps, \"15:04:05\"": func(d *dialect.Dialect) { d.Timestamps[0] = "15:04:05" },
	} {
		d := dialect.RFC4180()
		require.NoError(t, d.Check())
		change(&d)
		require.ErrorContains(t, d.Check(), says)
		_, err := dialect.NewText(d)
		require.Error(t, err)
	}
	d := dialect.RFC4180()
	d.Separator, d.MaxDigits = ' ', -1
	err = d.Check()
	require.ErrorContains(t, err, "Separator")
	require.ErrorContains(t, err, "MaxDigits", "all at once")

	d = dialect.RFC4180()
	d.Timestamps[0], d.Zone = "2006-01-02 15:04:05.000", time.UTC
	require.NoError(t, d.Check())
	d.Separator = '\t'
	require.NoError(t, d.Check())
}
