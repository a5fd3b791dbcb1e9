package driver_test

import (
	"net"
	"net/netip"
	"slices"
	"testing"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
)

// broken is a value that cannot even be looked at.
type broken struct{}

func (broken) MarshalCQL(gocql.TypeInfo) ([]byte, error) { panic("4111111111111111") }

func TestValuesAreComparedWithTheirTypesBeforeAStatementRuns(t *testing.T) {
	s := serve(t, &script{params: params}) // which would not know what to answer if it ran
	about, err := s.Describe(t.Context(), insert)
	require.NoError(t, err)
	text := "x"
	for _, fitting := range [][]any{
		{1, "v"}, {int64(7), []byte("v")}, {nil, nil}, {new(int), &text}, {(*int)(nil), (*string)(nil)}, {"12", "v"},
		{gocql.UnsetValue, gocql.UnsetValue}, {&driver.Value{Bytes: []byte("as it is")}, &driver.Value{State: driver.Unset}},
	} {
		require.NoError(t, about.Fits(fitting), "%v", fitting)
	}

	const secret = "4111111111111111"
	for _, each := range []struct {
		args []any
		says string
	}{
		{[]any{secret, "v"}, "bound value 1: this string cannot be encoded as int"},
		{[]any{int64(4111111111111111), "v"}, "bound value 1: this int64 cannot be encoded as int"},
		{[]any{1, []int{4111}}, "bound value 2: this []int cannot be encoded as varchar"},
		{[]any{"4111 ", 4111.0}, "bound value 1: this string cannot be encoded as int\nbound value 2: this float64 cannot be encoded as varchar"},
		{[]any{1, broken{}}, "bound value 2: MarshalCQL of driver_test.broken panicked"},
	} {
		err := about.Fits(each.args)
		require.EqualError(t, err, each.says)
		require.NotContains(t, err.Error(), "4111")
	}

	times := serve(t, &script{params: []*message.ColumnMetadata{column("t", datatype.Time), column("l", datatype.NewList(datatype.Time))}})
	about, err = times.Describe(t.Context(), insert)
	require.NoError(t, err)
	require.NoError(t, about.Fits([]any{24*time.Hour - 1, []time.Duration{0}}))
	require.EqualError(t, about.Fits([]any{time.Duration(-1), []int64{0, int64(24 * time.Hour)}}),
		"bound value 1: this time.Duration cannot be encoded as time: value out of range: a time must be at least 0 and less than 24 h\n"+
			"bound value 2: this []int64 cannot be encoded as list(time): value out of range: a time must be at least 0 and less than 24 h")

	tuples := serve(t, &script{params: []*message.ColumnMetadata{column("k", datatype.NewTuple(datatype.Int))}})
	about, err = tuples.Describe(t.Context(), insert)
	require.NoError(t, err)
	require.ErrorIs(t, about.Fits([]any{1}), driver.ErrTupleParam)
}

// dated is a value with a MarshalCQL of its own.
type dated struct{}

func (dated) MarshalCQL(gocql.TypeInfo) ([]byte, error) { return []byte{1, 2, 3, 4}, nil }

// large is a number of a type of the user's own.
type large int64

func TestValuesAreBoundAsTheyAreGivenOrRefused(t *testing.T) {
	params := []*message.ColumnMetadata{
		column("d", datatype.Date), column("ds", datatype.NewList(datatype.Date)),
		column("a", datatype.Inet), column("as", datatype.NewMap(datatype.Inet, datatype.Int)),
	}
	s := serve(t, &script{params: params})
	about, err := s.Describe(t.Context(), insert)
	require.NoError(t, err)
	evening := time.Date(1969, 12, 31, 18, 30, 0, 0, time.UTC)
	mapped := netip.MustParseAddr("::ffff:1.2.3.4").As16()
	day, short, long := []byte{0x7f, 0xff, 0xff, 0xff}, []byte{1, 2, 3, 4}, mapped[:]
	first := []byte{0x7f, 0xf5, 0x06, 0xc6} // of the year 1
	list := slices.Concat([]byte{0, 0, 0, 1, 0, 0, 0, 4}, day)
	keyed := func(key []byte) []byte {
		return slices.Concat([]byte{0, 0, 0, 1, 0, 0, 0, byte(len(key))}, key, []byte{0, 0, 0, 4, 0, 0, 0, 9})
	}
	for name, c := range map[string]struct {
		args []any
		want [][]byte
	}{
		"an evening before 1970": {[]any{evening, []time.Time{evening}, nil, nil}, [][]byte{day, list, nil, nil}},
		"pointers":               {[]any{&evening, []*time.Time{&evening}, nil, nil}, [][]byte{day, list, nil, nil}},
		"milliseconds":           {[]any{int64(-1), []int64{-1}, nil, nil}, [][]byte{day, list, nil, nil}},
		"any":                    {[]any{evening, []any{evening}, nil, nil}, [][]byte{day, list, nil, nil}},
		"an IPv4 address in 16":  {[]any{nil, nil, "::ffff:1.2.3.4", map[string]int{"::ffff:1.2.3.4": 9}}, [][]byte{nil, nil, long, keyed(long)}},
		"an IPv4 address":        {[]any{nil, nil, "1.2.3.4", map[string]int{"1.2.3.4": 9}}, [][]byte{nil, nil, short, keyed(short)}},
		"net.IP":                 {[]any{nil, nil, net.ParseIP("1.2.3.4"), map[string]int{"1.2.3.4": 9}}, [][]byte{nil, nil, short, keyed(short)}},
		"netip.Addr":             {[]any{nil, nil, netip.AddrFrom16(mapped), map[netip.Addr]int{netip.AddrFrom16(mapped): 9}}, [][]byte{nil, nil, long, keyed(long)}},
		"the zero time":          {[]any{time.Time{}, []time.Time{{}}, nil, nil}, [][]byte{first, slices.Concat(list[:8], first), nil, nil}},
		"of the user's own":      {[]any{dated{}, []dated{{}}, dated{}, nil}, [][]byte{short, slices.Concat(list[:8], short), short, nil}},
	} {
		require.NoError(t, about.Fits(c.args), name)
		values, err := about.Encode(nil, c.args)
		require.NoError(t, err, name)
		for i, want := range c.want {
			require.Equal(t, want, values[i].Bytes, "%s, bound value %d", name, i+1)
		}
	}

	kinds := []*message.ColumnMetadata{
		column("t", datatype.Tinyint), column("i", datatype.Int), column("b", datatype.Bigint), column("l", datatype.NewList(datatype.Int)),
		column("u", datatype.Duration), column("m", datatype.NewMap(datatype.Timestamp, datatype.Int)), column("d", datatype.Date),
	}
	s = serve(t, &script{params: kinds})
	about, err = s.Describe(t.Context(), insert)
	require.NoError(t, err)
	values, err := about.Encode(nil, []any{uint8(127), uint32(1), new(uint64(1)), []uint32{7}, large(4), nil, nil})
	require.NoError(t, err)
	for i, want := range [][]byte{{127}, {0, 0, 0, 1}, {0, 0, 0, 0, 0, 0, 0, 1}, {0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0, 7}, {0, 0, 8}} {
		require.Equal(t, want, values[i].Bytes)
	}
	at := time.UnixMilli(5)
	far, ago := time.Date(1<<24, 1, 1, 0, 0, 0, 0, time.UTC), time.Date(-1<<24, 1, 1, 0, 0, 0, 0, time.UTC)
	for i, refused := range [][]any{
		{uint8(128)}, {uint32(1 << 31), uint(1 << 31), uint64(1 << 31)}, {uint64(1 << 63), new(uint64(1 << 63))}, {[]uint32{1 << 31}},
		{gocql.Duration{Months: 1, Days: -1}}, {map[time.Time]int{at: 1, at.Add(time.Microsecond): 2}}, {far, ago, &far, int64(1 << 62)},
	} {
		for _, v := range refused {
			args := make([]any, len(kinds))
			args[i] = v
			require.Regexp(t, "value out of range|value in Go is not one of the type", about.Fits(args), "%T as %v", v, kinds[i].Type)
		}
	}
}
