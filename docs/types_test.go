package docs_test

import (
	"database/sql"
	"math/big"
	"net"
	"net/netip"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"gopkg.in/inf.v0"

	"github.com/rxcql/rxcql/internal/codec"
)

// fits tries a Go type: whether a column is read into it, and written from it.
type fits struct {
	read, write func(codec.Column) error
}

// field is a row with one field of the type.
type field[T any] struct {
	C T `cql:"c"`
}

func typed[T any]() fits {
	return fits{
		read: func(c codec.Column) error {
			_, err := codec.NewDecoder[field[T]]([]codec.Column{c})
			return err
		},
		write: func(c codec.Column) error {
			_, err := codec.NewEncoder[field[T]]([]codec.Column{c})
			return err
		},
	}
}

var goTypes = map[string]fits{
	"string": typed[string](), "[]byte": typed[[]byte](), "bool": typed[bool](),
	"int8": typed[int8](), "int16": typed[int16](), "int32": typed[int32](), "int64": typed[int64](), "int": typed[int](),
	"uint8": typed[uint8](), "uint16": typed[uint16](), "uint32": typed[uint32](), "uint64": typed[uint64](),
	"*big.Int": typed[*big.Int](), "big.Int": typed[big.Int](), "*inf.Dec": typed[*inf.Dec](), "inf.Dec": typed[inf.Dec](),
	"float32": typed[float32](), "float64": typed[float64](),
	"time.Time": typed[time.Time](), "time.Duration": typed[time.Duration](), "gocql.Duration": typed[gocql.Duration](),
	"gocql.UUID": typed[gocql.UUID](), "[16]byte": typed[[16]byte](), "netip.Addr": typed[netip.Addr](), "net.IP": typed[net.IP](),
	"[]int32": typed[[]int32](), "[2]int32": typed[[2]int32](), "map[int32]struct{}": typed[map[int32]struct{}](),
	"map[string]int32": typed[map[string]int32](), "[]float32": typed[[]float32](), "[2]float32": typed[[2]float32](),
	"[]any": typed[[]any](), "map[string]any": typed[map[string]any](),
	"struct{ID int32; Name string}": typed[struct {
		ID   int32
		Name string
	}](),
}

var code = regexp.MustCompile("`([^`]+)`")

func TestThePageOfTypesHasEveryTypeAndEachOfItsGoTypesFits(t *testing.T) {
	left := map[codec.Kind]bool{}
	for k := codec.Ascii; k <= codec.Vector; k++ {
		left[k] = true
	}
	rows := 0
	for _, line := range pages(t, "docs/types.md")[0].prose {
		cells := strings.Split(line, "|")
		if len(cells) != 5 || !strings.Contains(cells[1], "`") && !strings.Contains(cells[1], "user-defined") {
			continue
		}
		rows++
		var names []string
		for _, m := range code.FindAllStringSubmatch(cells[1], -1) {
			names = append(names, m[1])
		}
		var types []*codec.Type
		for _, name := range names {
			typ, err := codec.Parse(name, nil)
			require.NoError(t, err)
			types = append(types, typ)
		}
		if len(names) == 0 {
			types = append(types, &codec.Type{Kind: codec.UDT, Name: "address", Fields: []codec.Field{{Name: "zip", Type: &codec.Type{Kind: codec.Int}}}})
		}
		for _, typ := range types {
			delete(left, typ.Kind)
			column := codec.Column{Name: "c", Type: typ}
			for _, m := range code.FindAllStringSubmatch(cells[2], -1) {
				if m[1] == "cql" {
					continue
				}
				fit, known := goTypes[m[1]]
				require.True(t, known, "the test does not know %s", m[1])
				require.NoError(t, fit.read(column), "%s reads a %s", m[1], typ)
				require.NoError(t, fit.write(column), "%s writes a %s", m[1], typ)
			}
			natural := code.FindStringSubmatch(cells[3])[1]
			require.Equal(t, strings.ReplaceAll(natural, "[]byte", "[]uint8"), strings.ReplaceAll(naturalOf(t, column), "interface {}", "any"), "%s as any", typ)
		}
	}
	require.Positive(t, rows)
	delete(left, codec.Custom)
	require.Empty(t, left, "the page leaves out types")
	require.NoError(t, typed[sql.Null[int32]]().read(codec.Column{Name: "c", Type: &codec.Type{Kind: codec.Int}}))
	require.NoError(t, typed[[]byte]().read(codec.Column{Name: "c", Type: &codec.Type{Kind: codec.Custom}}))
}

// naturalOf names the Go type that a column has in an any.
func naturalOf(t *testing.T, c codec.Column) string {
	t.Helper()
	rt, err := codec.NaturalType(c.Type)
	require.NoError(t, err)
	return rt.String()
}
