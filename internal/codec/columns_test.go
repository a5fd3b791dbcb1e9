package codec_test

import (
	"errors"
	"math/big"
	"reflect"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"gopkg.in/inf.v0"

	"github.com/rxcql/rxcql/internal/codec"
)

type base struct {
	Tenant string `cql:"tenant"`
	hidden int
}

type wide struct {
	base
	Stamp
	ID      int64  `cql:"id"`
	Name    string `cql:"Name, quoted"`
	Ignored string
	Skipped string `cql:"-"`
}

// Stamp is embedded and has tags of its own.
type Stamp struct {
	Made time.Time `cql:"made"`
}

func TestColumnsComeInFieldOrderWithEmbeddedStructsFlattened(t *testing.T) {
	names, isStruct, err := codec.Columns[wide]()
	require.NoError(t, err)
	require.True(t, isStruct)
	require.Equal(t, []string{"tenant", "made", "id", "Name, quoted"}, names)
	_ = wide{}.hidden
}

func TestEverythingButATaggedStructIsOneColumn(t *testing.T) {
	for _, v := range []any{int64(0), "", time.Time{}, gocql.UUID{}, inf.Dec{}, big.Int{}, gocql.Duration{}, []byte{}, map[string]int{},
		[]string{}, new(int), upper(""), &upper2{}, upper2{}} {
		names, isStruct, err := codec.ColumnsOf(reflect.TypeOf(v))
		require.NoError(t, err, "%T", v)
		require.False(t, isStruct, "%T", v)
		require.Empty(t, names)
	}
}

func TestAStructWithoutTagsIsRefusedWithTheRemedy(t *testing.T) {
	type plain struct{ ID int }
	_, _, err := codec.Columns[plain]()
	require.ErrorIs(t, err, codec.ErrMismatch)
	require.ErrorContains(t, err, "no field with a cql tag")
	require.ErrorContains(t, err, "`cql:\"id\"`")
}

func TestAllMistakesInTagsAreReportedTogether(t *testing.T) {
	type inner struct {
		ID int `cql:"id"`
	}
	type row struct {
		ID     int `cql:"id"`
		Twice  int `cql:"id"`
		secret int `cql:"secret"`
		Empty  int `cql:""`
		*inner
	}
	_, _, err := codec.Columns[row]()
	for _, part := range []string{"row.Twice", "already that of field ID", "row.secret", "not exported", "row.Empty", "row.inner", "embed the struct itself"} {
		require.ErrorContains(t, err, part)
	}
	_ = row{}.secret
	var joined interface{ Unwrap() []error }
	require.True(t, errors.As(err, &joined))
	require.Len(t, joined.Unwrap(), 4)

	broken := reflect.StructOf([]reflect.StructField{{Name: "A", Type: reflect.TypeFor[int](), Tag: `cql:name`}})
	_, _, err = codec.ColumnsOf(broken)
	require.ErrorContains(t, err, "its cql tag cannot be read")
}

func TestAllMismatchesAreReportedTogetherWithColumnFieldAndRemedy(t *testing.T) {
	type row struct {
		ID    string  `cql:"id"`
		Big   float64 `cql:"big"`
		User  string  `cql:"userId"`
		Extra int     `cql:"extra"`
	}
	cols := []codec.Column{{Name: "id", Type: typeOf(t, "boolean")}, {Name: "big", Type: typeOf(t, "frozen<map<text, int>>")},
		{Name: "user_id", Type: typeOf(t, "text")}, {Name: "alone", Type: typeOf(t, "int")}}
	for _, err := range []error{errOf(codec.NewDecoder[row](cols)), errOf(codec.NewEncoder[row](cols))} {
		require.ErrorIs(t, err, codec.ErrMismatch)
		for _, part := range []string{`column "user_id" (text)`, `a field is tagged "userId"`, `column "alone" (int)`, "`cql:\"alone\"`",
			`column "extra"`, "field Extra (int)", `a column is called "user_id"`,
			`column "id" (boolean) and field ID (string)`, `column "big" (frozen<map<text, int>>) and field Big (float64)`} {
			require.ErrorContains(t, err, part)
		}
	}
	err := codec.FitsSome[row](cols[:2])
	require.ErrorContains(t, err, `column "big"`)
	require.NotContains(t, err.Error(), `"extra"`, "a field without a column may be of a column that is named elsewhere")

	type typed struct {
		ID  string  `cql:"id"`
		Big float64 `cql:"big"`
	}
	for _, err := range []error{errOf(codec.NewDecoder[typed](cols[:2])), errOf(codec.NewEncoder[typed](cols[:2]))} {
		for _, part := range []string{`column "id" (boolean) and field ID (string)`, "use bool", `column "big" (frozen<map<text, int>>) and field Big (float64)`, "use map[K]V"} {
			require.ErrorContains(t, err, part)
		}
		var m *codec.MismatchError
		require.ErrorAs(t, err, &m)
		require.Equal(t, codec.MismatchError{Column: "id", CQLType: "boolean", Field: "ID", GoType: "string",
			Reason: "a boolean does not fit into string", Remedy: "use bool"}, *m)
	}
}

func errOf[T any](_ T, err error) error { return err }

func TestMismatchesInsideATypeSayWhere(t *testing.T) {
	_, err := codec.NewDecoder[map[string][]int32](one(typeOf(t, "map<text, frozen<list<text>>>")))
	require.ErrorContains(t, err, "value: element: a text does not fit into int32, use string or []byte")
	_, err = codec.NewDecoder[[2]float32](one(typeOf(t, "vector<float, 3>")))
	require.ErrorContains(t, err, "use [3]float32")
	_, err = codec.NewDecoder[struct{ A, B int }](one(typeOf(t, "tuple<int, int>")))
	require.ErrorContains(t, err, "no field with a cql tag")
	_, err = codec.NewDecoder[*struct{ A int }](one(typeOf(t, "tuple<int, int>")))
	require.ErrorContains(t, err, "1 exported fields and the tuple 2 elements")
	type halfAddr struct {
		Street string `cql:"street"`
	}
	_, err = codec.NewDecoder[*halfAddr](one(addrType()))
	require.ErrorContains(t, err, `column "Zip" (int)`)
	_, err = codec.NewDecoder[map[any]int](one(typeOf(t, "map<text, int>")))
	require.ErrorContains(t, err, "cannot be a map key")
	_, err = codec.NewDecoder[any](one(typeOf(t, "map<blob, int>")))
	require.ErrorContains(t, err, "no natural Go type")
	type self *self
	_, err = codec.NewDecoder[self](one(typeOf(t, "int")))
	require.ErrorContains(t, err, "too deep")
	_, err = codec.NewEncoder[self](one(typeOf(t, "int")))
	require.ErrorContains(t, err, "too deep")
}

func TestAWrongNumberOfColumnsIsRefused(t *testing.T) {
	_, err := codec.NewDecoder[int64](nil)
	require.ErrorContains(t, err, "takes one column and the statement has 0")
	_, err = codec.NewDecoder[*wide](readingColumns)
	require.ErrorContains(t, err, "use codec_test.wide, not a pointer to it")
	_, err = codec.NewDecoder[reading](append(readingColumns[:5:5], readingColumns[0]))
	require.ErrorContains(t, err, "the column occurs twice")
	_, err = codec.NewDecoder[reading]([]codec.Column{{Name: "seq"}})
	require.ErrorIs(t, err, codec.ErrMismatch)
	d, err := codec.NewDecoder[reading](readingColumns)
	require.NoError(t, err)
	_, err = d.Decode(make([][]byte, 4), new(reading))
	require.ErrorIs(t, err, codec.ErrCorrupt)
}

func TestAnEncoderMayLeaveFieldsOutAndRepeatColumns(t *testing.T) {
	cols := []codec.Column{readingColumns[2], readingColumns[2]}
	_, err := codec.NewEncoder[reading](cols)
	require.ErrorIs(t, err, codec.ErrMismatch)
	e, err := codec.NewEncoder[reading](cols, codec.SpareFields(), codec.RepeatedColumns())
	require.NoError(t, err)
	cells := make([]codec.Cell, 2)
	_, err = e.Encode(nil, &reading{Seq: 1}, cells)
	require.NoError(t, err)
	require.Equal(t, cells[0], cells[1])
}

func TestATagHasNoOptions(t *testing.T) {
	type row struct {
		ID   int `cql:"id,omitempty"`
		V    int `cql:"v,"`
		Fine int `cql:"a, b"`
	}
	_, _, err := codec.Columns[row]()
	require.ErrorContains(t, err, `field codec_test.row.ID (int): its cql tag "id,omitempty" has an option, and there are none`)
	require.ErrorContains(t, err, "the column's name alone")
	require.ErrorContains(t, err, `"v,"`)
	require.NotContains(t, err.Error(), "Fine")
}

func TestRowsThatAreOneColumnAreNamedWithWhatTMayBe(t *testing.T) {
	for want, err := range map[string]error{
		"an int holds one column":             oneColumn[int](),
		"a uint8 holds one column":            oneColumn[uint8](),
		"an any holds one column":             oneColumn[any](),
		"a map[string]any holds one column":   oneColumn[map[string]any](),
		"a *int holds one column":             oneColumn[*int](),
		"use a struct with cql tags, or rxc":  oneColumn[any](),
		"with cql tags, or rxcql.Row":         oneColumn[*time.Time](),
		"use codec_test.reading itself, with": oneColumn[*reading](),
	} {
		require.ErrorContains(t, err, want)
	}
}

func oneColumn[T any]() error {
	_, err := codec.ChooseColumns[T](nil)
	return err
}
