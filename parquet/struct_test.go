package parquet_test

import (
	"context"
	"database/sql"
	"math/big"
	"net/netip"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"gopkg.in/inf.v0"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/parquet"
)

type place struct {
	Street string   `cql:"street"`
	Zip    *int32   `cql:"zip"`
	Notes  []place2 `cql:"notes"`
}

type place2 struct {
	Text string `cql:"text"`
}

// everything has a field of each kind of Go type.
type everything struct {
	ID       int64                    `cql:"id"`
	Tiny     int8                     `cql:"tiny"`
	Small    int16                    `cql:"small"`
	Whole    int                      `cql:"whole"`
	Unsigned uint32                   `cql:"unsigned"`
	Big      *big.Int                 `cql:"big"`
	Dec      *inf.Dec                 `cql:"dec"`
	Single   float32                  `cql:"single"`
	Double   float64                  `cql:"double"`
	Yes      bool                     `cql:"yes"`
	Name     string                   `cql:"Name"`
	Maybe    *string                  `cql:"maybe"`
	Perhaps  sql.Null[int32]          `cql:"perhaps"`
	Raw      []byte                   `cql:"raw"`
	At       time.Time                `cql:"at"`
	Took     time.Duration            `cql:"took"`
	Every    gocql.Duration           `cql:"every"`
	Key      gocql.UUID               `cql:"key"`
	Addr     netip.Addr               `cql:"addr"`
	Names    []string                 `cql:"names"`
	Seen     map[int32]struct{}       `cql:"seen"`
	Counts   map[string]int64         `cql:"counts"`
	Home     place                    `cql:"home"`
	Others   map[string]map[int]place `cql:"others"`
}

func TestStructsAreReadBackAsTheyWereWritten(t *testing.T) {
	zip, text := int32(-7), "a"
	rows := []everything{
		{
			ID: 1, Tiny: -128, Small: 32767, Whole: -1 << 62, Unsigned: 1<<32 - 1, Big: big.NewInt(-129), Dec: inf.NewDec(150, 2),
			Single: 0.1, Double: -0.1, Yes: true, Name: "ä\n", Maybe: &text, Perhaps: sql.Null[int32]{V: 5, Valid: true}, Raw: []byte{0, 255},
			At: time.UnixMilli(-1).UTC(), Took: -90 * time.Second, Every: gocql.Duration{Months: 1, Days: 2, Nanoseconds: 3},
			Key: gocql.UUID{1, 2, 3}, Addr: netip.MustParseAddr("2001:db8::1"), Names: []string{"", "b"}, Seen: map[int32]struct{}{3: {}},
			Counts: map[string]int64{"x": 1}, Home: place{Street: "s", Zip: &zip, Notes: []place2{{Text: "n"}}},
			Others: map[string]map[int]place{"k": {1: {Street: "t", Notes: []place2{}}}},
		},
		{
			ID: 2, Big: big.NewInt(0), Dec: inf.NewDec(0, 0), At: time.UnixMilli(0).UTC(), Names: []string{}, Seen: map[int32]struct{}{},
			Counts: map[string]int64{}, Raw: []byte{}, Home: place{Notes: []place2{}}, Others: map[string]map[int]place{},
		},
		{ID: 3, Big: big.NewInt(1), Dec: inf.NewDec(1, 0), At: time.UnixMilli(0).UTC()},
	}
	path := write(t, rows)
	require.Equal(t, rows, read[everything](t, path))
}

func TestColumnsThatAreNotAskedForAreLeftOut(t *testing.T) {
	type one struct {
		Name string `cql:"Name"`
	}
	path := write(t, []everything{{ID: 1, Name: "a", Big: big.NewInt(1), Dec: inf.NewDec(1, 0)}})
	err := func() error { _, err := parquet.Read[one](path).Collect(context.Background()); return err }()
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.ErrorContains(t, err, `the file has a column "small"`)
	require.ErrorContains(t, err, "IgnoreUnknown")
	require.Equal(t, []one{{"a"}}, read[one](t, path, parquet.IgnoreUnknown()))
}

func TestAColumnThatDoesNotFitIsNamedBeforeAnythingIsRead(t *testing.T) {
	type wrong struct {
		ID    bool   `cql:"id"`
		Names int32  `cql:"names"`
		Gone  string `cql:"nam"`
	}
	path := write(t, []everything{{ID: 1, Big: big.NewInt(1), Dec: inf.NewDec(1, 0)}})
	stream := parquet.Read[wrong](path, parquet.IgnoreUnknown())
	_, err := stream.Collect(context.Background())
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.ErrorContains(t, err, `column "id" (bigint) and field ID (bool)`)
	require.ErrorContains(t, err, `column "names" (list<text>) and field Names (int32)`)
	require.ErrorContains(t, err, `column "nam" (field Gone) is not in the file`)
}
