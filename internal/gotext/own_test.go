package gotext_test

import (
	"encoding/json"
	"math"
	"net"
	"sync/atomic"
	"testing"
	"time"
	"unsafe"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/gotext"
)

// stamp has the methods of a time, which know nothing of Zone.
type stamp struct {
	time.Time
	Zone string
}

type hollow struct{ _ int }

type spoken struct{ _ int }

func (spoken) MarshalJSON() ([]byte, error) { return []byte(`"spoken"`), nil }

type event struct {
	ID int `cql:"id"`
	time.Time
}

type base struct {
	ID int `cql:"id"`
}

func (base) MarshalJSON() ([]byte, error)     { return []byte(`{}`), nil }
func (*base) UnmarshalJSON(data []byte) error { return nil }

type derived struct {
	base
	N int `cql:"n"`
}

func planOf[T any]() error {
	_, err := gotext.NewRow[T](false)
	return err
}

func TestRowsOfWhichJSONWouldLoseAFieldHaveNoPlan(t *testing.T) {
	for want, err := range map[string]error{
		"stamp: its JSON is that of the time.Time in it alone": planOf[struct {
			ID int   `cql:"id"`
			At stamp `cql:"at"`
		}](),
		"[]*gotext_test.stamp": planOf[struct {
			ID int `cql:"id"`
			At []*stamp
		}](),
		"event: its JSON is that of the time.Time in it alone": planOf[event](),
		"derived: its JSON is that of the gotext_test.base":    planOf[derived](),
		"field H (gotext_test.hollow): none of its fields is exported": planOf[struct {
			ID int `cql:"id"`
			H  hollow
		}](),
		"none of its fields is exported": planOf[struct {
			ID int                       `cql:"id"`
			M  map[string][]atomic.Int64 `cql:"m"`
		}](),
		"field T": planOf[struct {
			ID int `cql:"id"`
			T  struct{ hollow }
		}](),
	} {
		require.ErrorContains(t, err, want)
	}
	for _, err := range []error{
		planOf[struct {
			ID   int                 `cql:"id"`
			Set  map[string]struct{} `cql:"set"`
			Gone hollow              `json:"-"`
			None hollow              `cql:"-"`
			S    spoken
			Left struct {
				A int `json:"-"`
			}
		}](),
		planOf[struct {
			hollow
			ID int `cql:"id"`
		}](),
	} {
		require.NoError(t, err)
	}
}

// said, lettered and heard have a method of one direction alone.
type said int

func (said) MarshalJSON() ([]byte, error) { return []byte(`"said"`), nil }

type lettered int

func (lettered) MarshalText() ([]byte, error) { return []byte("lettered"), nil }

type heard struct {
	A, B int
}

func (h *heard) UnmarshalJSON([]byte) error { h.A = 5; return nil }

func TestAMethodOfOneDirectionIsUsedInJSON(t *testing.T) {
	type row struct {
		S said     `cql:"s"`
		L lettered `cql:"l"`
		H heard    `cql:"h"`
		J spoken   `cql:"j"`
		N json.Number
	}
	plan, err := gotext.NewRow[row](false)
	require.NoError(t, err)
	line, err := plan.Append(nil, &row{S: 1, L: 2, H: heard{1, 2}, N: "1.50"})
	require.NoError(t, err)
	require.JSONEq(t, `{"s":"said","l":"lettered","h":{"A":1,"B":2},"j":"spoken","N":1.50}`, string(line))
	require.Contains(t, string(line), "1.50")
	var got row
	require.NoError(t, plan.Read([]byte(`{"s":3,"h":"x","N":2.50}`), &got))
	require.Equal(t, row{S: 3, H: heard{A: 5}, N: "2.50"}, got)
	require.Error(t, plan.Read(line, &got), "what only a writer knows is not guessed")
}

func TestAnAddressThatNetIPDoesNotTellFromAnotherIsNotRead(t *testing.T) {
	cell := cellOf[net.IP](t)
	var ip net.IP
	require.ErrorContains(t, cell.Read(unsafe.Pointer(&ip), []byte("::ffff:1.2.3.4")), "use netip.Addr")
	require.ErrorContains(t, cell.ReadJSON(unsafe.Pointer(&ip), []byte(`"::ffff:102:304"`)), "use netip.Addr")
	require.Nil(t, ip)
	mine := net.ParseIP("1.2.3.4") // 16 bytes, which mean the address of 4 in Go
	text, err := cell.Append(nil, unsafe.Pointer(&mine))
	require.NoError(t, err)
	require.Equal(t, "1.2.3.4", string(text))
}

func TestATimeBeyondAnInt64OfMillisecondsIsNotRead(t *testing.T) {
	cell := cellOf[int64](t)
	var ms int64
	for _, text := range []string{"+999999999-01-01T00:00:00Z", "-999999999-01-01T00:00:00Z"} {
		require.ErrorContains(t, cell.Read(unsafe.Pointer(&ms), []byte(text)), "not a whole number of 64 bits", text)
	}
	require.NoError(t, cell.Read(unsafe.Pointer(&ms), []byte("+292278994-08-17T07:12:55.807Z")))
	require.Equal(t, int64(math.MaxInt64), ms)
	require.NoError(t, cell.Read(unsafe.Pointer(&ms), []byte("-292275055-05-16T16:47:04.192Z")))
	require.Equal(t, int64(math.MinInt64), ms)
}

func TestTwoElementsOfASetThatAreOneInGoAreRefused(t *testing.T) {
	cell := cellOf[map[float64]struct{}](t)
	for _, text := range []string{"[0,-0.0]", "[1,1]", `{"0":{},"-0.0":{}}`} {
		var set map[float64]struct{}
		require.ErrorContains(t, cell.ReadJSON(unsafe.Pointer(&set), []byte(text)), "twice", text)
	}
	var set map[float64]struct{}
	require.NoError(t, cell.ReadJSON(unsafe.Pointer(&set), []byte(`[0,1,"NaN"]`)))
	require.Len(t, set, 3)
}
