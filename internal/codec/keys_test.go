package codec_test

import (
	"encoding/json"
	"math"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/codec"
)

// merged reads two keys that are one in Go.
func merged[T any](t *testing.T, cql, raw string) {
	t.Helper()
	var none T
	_, err := decodeAs(typeOf(t, cql), bytesOf(t, raw), none)
	require.ErrorIs(t, err, codec.ErrRange, cql)
	require.ErrorContains(t, err, "two of its keys are one key of a map[", cql)
}

func TestKeysThatAreOneInGoAreNotMergedWhenTheyAreRead(t *testing.T) {
	const zero, minusZero = "000000080000000000000000", "000000088000000000000000"
	merged[map[float64]struct{}](t, "set<double>", "00000002"+minusZero+zero)
	merged[map[float64]string](t, "map<double, text>", "00000002"+minusZero+"0000000161"+zero+"0000000162")
	merged[map[float32]int](t, "map<float, int>", "000000020000000480000000"+"0000000400000001"+"0000000400000000"+"0000000400000002")
	merged[any](t, "map<double, text>", "00000002"+minusZero+"0000000161"+zero+"0000000162")
	merged[map[int]string](t, "map<int, text>", "00000002"+"00000000"+"0000000161"+"0000000400000000"+"0000000162")
	merged[map[[1]float64]int](t, "map<frozen<list<double>>, int>", "00000002"+"0000001000000001"+zero+"0000000400000001"+"0000001000000001"+minusZero+"0000000400000002")

	both, err := decodeAs(typeOf(t, "set<double>"), bytesOf(t, "00000002"+minusZero+zero), []float64(nil))
	require.NoError(t, err)
	require.Equal(t, []bool{true, false}, []bool{math.Signbit(both[0]), math.Signbit(both[1])})
	const mapped, short = "00000010" + "00000000000000000000ffff01020304" + "0000000400000001", "0000000401020304" + "0000000400000002"
	addrs := map[netip.Addr]int{netip.MustParseAddr("::ffff:1.2.3.4"): 1, netip.MustParseAddr("1.2.3.4"): 2}
	got, err := decodeAs(typeOf(t, "map<inet, int>"), bytesOf(t, "00000002"+mapped+short), addrs)
	require.NoError(t, err)
	require.Equal(t, addrs, got)
	wire, err := encodeOf(typeOf(t, "map<inet, int>"), addrs)
	require.NoError(t, err)
	require.Contains(t, [][]byte{bytesOf(t, "00000002"+mapped+short), bytesOf(t, "00000002"+short+mapped)}, wire.Bytes, "a map has no order")
}

func TestKeysThatAreOneToTheServerAreRefusedWhenTheyAreWritten(t *testing.T) {
	at := time.UnixMilli(5)
	for cql, v := range map[string]any{
		"map<timestamp, int>":            map[time.Time]int{at: 1, at.UTC(): 2},
		"set<timestamp>":                 map[time.Time]struct{}{at: {}, at.Add(time.Microsecond): {}},
		"map<uuid, int>":                 map[string]int{"fe000100-0000-0000-0000-000000000009": 1, "FE000100-0000-0000-0000-000000000009": 2},
		"map<int, int>":                  map[string]int{"1": 1, "01": 2},
		"map<bigint, int>":               map[any]int{1: 1, int64(1): 2},
		"frozen<map<double, int>>":       map[float64]int{math.NaN(): 1, math.Float64frombits(math.Float64bits(math.NaN())): 2},
		"list<frozen<map<inet, text>>>":  []map[string]string{{"::1": "a", "0::1": "b"}},
		"tuple<frozen<map<date, text>>>": []any{map[time.Time]string{at: "a", at.Add(time.Hour): "b"}},
	} {
		_, err := encodeOf(typeOf(t, cql), v)
		require.ErrorIs(t, err, codec.ErrValue, cql)
		require.ErrorContains(t, err, "two keys of the map are one", cql)
	}
	_, err := encodeOf(typeOf(t, "map<timestamp, int>"), map[time.Time]int{at: 1, at.Add(time.Millisecond): 2})
	require.NoError(t, err)
}

// saysTime is a type with a MarshalCQL.
type saysTime struct{ ns int64 }

func (s saysTime) MarshalCQL(info gocql.TypeInfo) ([]byte, error) { return gocql.Marshal(info, s.ns) }

func TestATimeThatIsOutOfTheDayIsNotWritten(t *testing.T) {
	for _, bad := range []time.Duration{-1, 24 * time.Hour, math.MinInt64, math.MaxInt64} {
		for cql, v := range map[string]any{
			"time": bad, "list<time>": []time.Duration{1, bad}, "set<time>": map[time.Duration]struct{}{bad: {}}, "map<time, int>": map[time.Duration]int{bad: 1},
			"map<int, time>": map[int]int64{1: int64(bad)}, "tuple<int, time>": []any{1, bad}, "vector<time, 2>": []time.Duration{1, bad},
			"frozen<map<int, frozen<list<frozen<tuple<time>>>>>>": map[int][][]*time.Duration{1: {{&bad}}}, "frozen<list<time>>": []saysTime{{int64(bad)}},
		} {
			_, err := encodeOf(typeOf(t, cql), v)
			require.ErrorIs(t, err, codec.ErrRange, cql)
			require.ErrorContains(t, err, "a time must be at least 0 and less than 24 h", cql)
		}
		type row struct {
			T time.Duration `cql:"c"`
		}
		_, err := encodeOf(typeOf(t, "time"), row{bad})
		require.ErrorIs(t, err, codec.ErrRange)
		_, err = encodeOf(typeOf(t, "time"), bad)
		require.ErrorIs(t, err, codec.ErrRange)
		_, err = encodeOf(typeOf(t, "duration"), bad)
		require.NoError(t, err)
	}
	for _, good := range []time.Duration{0, 24*time.Hour - 1} {
		_, err := encodeOf(typeOf(t, "frozen<list<time>>"), []saysTime{{int64(good)}})
		require.NoError(t, err)
	}
	got, err := decodeAs(typeOf(t, "time"), bytesOf(t, "ffffffffffffffff"), time.Duration(0))
	require.NoError(t, err)
	require.Equal(t, time.Duration(-1), got, "what others have written is read as it is")
}

func TestBytesWithATimeThatIsOutOfTheDayAreFound(t *testing.T) {
	const bad, good = "ffffffffffffffff", "0000000000000001"
	for cql, raw := range map[string]string{
		"time": "%", "list<time>": "0000000100000008%", "map<int, time>": "00000001" + "0000000400000001" + "00000008%", "map<time, int>": "00000001" + "00000008%" + "0000000400000001",
		"tuple<int, time>": "ffffffff00000008%", "vector<time, 2>": "08" + good + "08%", "tuple<frozen<set<time>>>": "00000010" + "00000001" + "00000008%",
	} {
		for time, fails := range map[string]bool{bad: true, good: false} {
			data := bytesOf(t, strings.ReplaceAll(raw, "%", time))
			require.Equal(t, fails, codec.CheckTimes(typeOf(t, cql), data) != nil, cql)
		}
	}
	for _, raw := range []string{"", "00", "00000001", "7fffffff", "00000008"} { // what is no value is for others to refuse
		require.NoError(t, codec.CheckTimes(typeOf(t, "list<time>"), bytesOf(t, raw)))
		require.NoError(t, codec.CheckTimes(typeOf(t, "vector<time, 2>"), bytesOf(t, raw)))
	}
	require.NoError(t, codec.CheckTimes(typeOf(t, "time"), nil))
}

func TestADurationOfMixedSignsIsNotWritten(t *testing.T) {
	for _, d := range []gocql.Duration{{Months: 1, Days: -1}, {Months: -1, Nanoseconds: 1}, {Days: 1, Nanoseconds: -1}} {
		_, err := encodeOf(typeOf(t, "duration"), d)
		require.ErrorIs(t, err, codec.ErrValue)
		raw, err := gocql.Marshal(typeOf(t, "duration").Info(), d)
		require.NoError(t, err)
		_, err = codec.AppendJSON(nil, typeOf(t, "duration"), raw)
		require.ErrorIs(t, err, codec.ErrValue, "the text has one sign")
	}
}

func TestAnIPv4AddressInSixteenBytesIsNoNetIP(t *testing.T) {
	const mapped = "00000000000000000000ffff01020304"
	for cql, c := range map[string]struct {
		raw  string
		into any
	}{"inet": {mapped, net.IP(nil)}, "list<inet>": {"0000000100000010" + mapped, []net.IP(nil)}} {
		var err error
		switch into := c.into.(type) {
		case net.IP:
			_, err = decodeAs(typeOf(t, cql), bytesOf(t, c.raw), into)
		case []net.IP:
			_, err = decodeAs(typeOf(t, cql), bytesOf(t, c.raw), into)
		}
		require.ErrorIs(t, err, codec.ErrValue, cql)
		require.ErrorContains(t, err, "use netip.Addr", cql)
	}
	var none any
	_, err := decodeAs(typeOf(t, "inet"), bytesOf(t, mapped), none)
	require.ErrorContains(t, err, "use netip.Addr")
}

func TestANumberOfJSONIsAFloat(t *testing.T) {
	for cql, want := range map[string]string{"double": "3ff8000000000000", "float": "3fc00000"} {
		cell, err := encodeOf[any](typeOf(t, cql), json.Number("1.5"))
		require.NoError(t, err)
		require.Equal(t, bytesOf(t, want), cell.Bytes)
		_, err = encodeOf[any](typeOf(t, cql), json.Number("1e400"))
		require.ErrorIs(t, err, codec.ErrValue)
	}
}
