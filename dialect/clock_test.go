package dialect_test

import (
	"encoding/binary"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/dialect"
	"github.com/rxcql/rxcql/internal/codec"
)

// Zones once had offsets with seconds, which most layouts do not hold.
func TestTimestampsOfAnyZoneAreReadAsTheyWereWritten(t *testing.T) {
	timestamp := &dialect.Type{Kind: codec.Timestamp}
	for _, zone := range []string{"Europe/Berlin", "America/New_York", "Asia/Kolkata", "Africa/Monrovia", "Europe/Dublin", "UTC"} {
		for _, layout := range []string{"2006-01-02T15:04:05.000Z07:00", "2006-01-02 15:04:05.000-0700", "2006-01-02 15:04:05.000-07", "02.01.2006 15:04:05,000 Z07:00:00"} {
			d := dialect.RFC4180()
			var err error
			d.Zone, err = time.LoadLocation(zone)
			require.NoError(t, err)
			d.Timestamps = append([]string{layout}, d.Timestamps...)
			s, err := dialect.NewText(d)
			require.NoError(t, err, "%s, %s", zone, layout)
			rapid.Check(t, func(t *rapid.T) {
				ms := rapid.Int64Range(-62167219200000, 253402300799999).Draw(t, "ms")
				data := binary.BigEndian.AppendUint64(nil, uint64(ms))
				text, err := s.Append(nil, timestamp, data)
				require.NoError(t, err)
				again, err := s.Parse(nil, timestamp, text)
				require.NoError(t, err, "%s", text)
				require.Equal(t, data, again, "%s", text)
			})
		}
	}
}

func TestALayoutThatLosesSomethingIsForReadingAlone(t *testing.T) {
	d := dialect.RFC4180()
	d.Timestamps = append([]string{"2006-01-02 15:04"}, d.Timestamps...)
	d.Zone = time.UTC
	require.NoError(t, d.CheckReading())
	require.ErrorContains(t, d.Check(), "does not keep a value")
	s, err := dialect.NewParser(d)
	require.NoError(t, err)
	data, err := s.Parse(nil, &dialect.Type{Kind: codec.Timestamp}, []byte("1970-01-01 00:01"))
	require.NoError(t, err)
	require.EqualValues(t, 60_000, binary.BigEndian.Uint64(data))

	d.Zone = nil
	require.ErrorContains(t, d.CheckReading(), "has no zone: give a Zone", "nothing would be read by it")
	d.Zone, d.Timestamps[0] = time.UTC, "15:04"
	require.ErrorContains(t, d.CheckReading(), "does not say a day")
}

// A time that is no moment, or two, is not taken for one of them.
func TestTimesWithoutAZoneAreRefusedWhereItsClocksAreChanged(t *testing.T) {
	d := dialect.DSBulk()
	var err error
	d.Zone, err = time.LoadLocation("Europe/Berlin")
	require.NoError(t, err)
	d.Timestamps = append(d.Timestamps, "02.01.2006 15:04:05")
	text, err := dialect.NewParser(d)
	require.NoError(t, err)
	typ := &dialect.Type{Kind: codec.Timestamp}
	for in, says := range map[string]string{
		"2024-03-31 02:30:00": "put forward", "31.03.2024 02:00:00": "put forward", "2024-10-27T02:30": "twice", "27.10.2024 02:59:59": "twice",
	} {
		_, err := text.Parse(nil, typ, []byte(in))
		require.ErrorContains(t, err, says, in)
	}
	for in, want := range map[string]string{
		"2024-03-31 01:59:59": "2024-03-31T00:59:59Z", "2024-03-31 03:00:00": "2024-03-31T01:00:00Z", "2024-10-27 01:59:59": "2024-10-26T23:59:59Z",
		"2024-10-27 03:00:00": "2024-10-27T02:00:00Z", "2024-10-27T02:30:00+02:00": "2024-10-27T00:30:00Z", "2024-10-27T02:30:00+01:00": "2024-10-27T01:30:00Z",
		"2024-07-01": "2024-06-30T22:00:00Z",
	} {
		got, err := text.Parse(nil, typ, []byte(in))
		require.NoError(t, err, in)
		at, err := time.Parse(time.RFC3339, want)
		require.NoError(t, err)
		require.Equal(t, binary.BigEndian.AppendUint64(nil, uint64(at.UnixMilli())), got, in)
	}
}
