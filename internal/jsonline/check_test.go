package jsonline_test

import (
	"fmt"
	"math/big"
	"net/netip"
	"reflect"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"gopkg.in/inf.v0"

	"github.com/rxcql/rxcql/internal/jsonline"
)

type keyed struct {
	ID int64 `cql:"base_id"`
}

// whole embeds a time, and has a text of its own.
type whole struct {
	time.Time
	ID int64
}

func (w whole) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, `[%d]`, w.ID), nil }

func TestATypeThatJSONWouldLoseSomethingOfIsRefused(t *testing.T) {
	for want, rt := range map[string]reflect.Type{
		"jsonline_test.unexported: Go struct has no exported fields":         reflect.TypeFor[unexported](),
		"[][].List[]: Go struct has no exported fields":                      reflect.TypeFor[map[string][]struct{ List []*unexported }](),
		`jsonline_test.collides: Go struct fields A and B conflict`:          reflect.TypeFor[collides](),
		"jsonline_test.event: its JSON is that of the time.Time in it alone": reflect.TypeFor[event](),
		`.keyed.ID: JSON leaves it out, since another field is named "ID" too`: reflect.TypeFor[struct {
			keyed
			ID int `cql:"id"`
		}](),
		`.base.ID: JSON leaves it out, since another field is named "ID" too`: reflect.TypeFor[struct {
			base
			keyed
		}](),
		".F: a func() has no JSON": reflect.TypeFor[struct{ F func() }](),
		"chan int: a chan int":     reflect.TypeFor[chan int](),
	} {
		require.ErrorContains(t, jsonline.CheckType(rt), want, "%s", rt)
	}
	for _, rt := range []reflect.Type{
		reflect.TypeFor[kept](), reflect.TypeFor[loses](), reflect.TypeFor[someUnexported](), reflect.TypeFor[whole](), reflect.TypeFor[any](),
		reflect.TypeFor[shadows](), reflect.TypeFor[struct{}](), reflect.TypeFor[struct {
			At time.Time
			ID gocql.UUID
			D  *inf.Dec
			N  *big.Int
			A  []netip.Addr
			F  func() `json:"-"`
		}](),
	} {
		require.NoError(t, jsonline.CheckType(rt), "%s", rt)
	}
}

func TestANameThatIsTwiceInAnObjectIsRefused(t *testing.T) {
	type row struct {
		ID    int `json:"id"`
		Inner struct{ A int }
		Any   any
		Map   map[string]int
		Keys  map[int]int
		Addrs map[netip.Addr]int
	}
	for _, text := range []string{
		`{"id":1,"id":2}`, `{"id":1,"ID":2}`, `{"id":1,"\u0069d":2}`, `{"Inner":{"A":1,"A":2}}`, `{"Any":{"a":1,"a":1}}`, `{"Any":[{"a":{"b":1,"b":2}}]}`,
		`{"Map":{"a":1,"a":2}}`, `{"unknown":1,"unknown":2}`, `{"Addrs":{"::1":1,"0:0::1":2}}`,
	} {
		require.ErrorIs(t, jsonline.Read([]byte(text), new(row), true), jsonline.ErrTwice, text)
	}
	require.Error(t, jsonline.Read([]byte(`{"Keys":{"1":1,"01":2}}`), new(row), true))
	require.NoError(t, jsonline.Read([]byte(`{"id":1,"Map":{"a":1,"A":2},"Any":[{"a":1},{"a":1}]}`), new(row), false))
}
