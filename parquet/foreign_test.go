package parquet_test

import (
	"context"
	"math/big"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/inf.v0"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/parquet"
)

// The files in testdata were made by pyarrow, see make.py there.

type arrow struct {
	I8     int8             `cql:"i8"`
	I16    *int16           `cql:"i16"`
	I32    int32            `cql:"i32"`
	I64    *int64           `cql:"i64"`
	U8     uint8            `cql:"u8"`
	U16    uint16           `cql:"u16"`
	U32    uint32           `cql:"u32"`
	U64    *big.Int         `cql:"u64"`
	F32    float32          `cql:"f32"`
	F64    *float64         `cql:"f64"`
	Yes    bool             `cql:"yes"`
	Text   *string          `cql:"text"`
	Large  string           `cql:"large"`
	Raw    []byte           `cql:"raw"`
	Fixed  [16]byte         `cql:"fixed"`
	Date   time.Time        `cql:"date"`
	Ms     time.Time        `cql:"ms"`
	Us     time.Time        `cql:"us"`
	Ns     time.Time        `cql:"ns"`
	Time32 time.Duration    `cql:"time32"`
	Time64 time.Duration    `cql:"time64"`
	Dec9   *inf.Dec         `cql:"dec9"`
	Dec38  *inf.Dec         `cql:"dec38"`
	Whole  *big.Int         `cql:"whole"`
	Word   string           `cql:"word"`
	List   []int32          `cql:"list"`
	Map    map[string]int64 `cql:"map"`
	Group  *arrowGroup      `cql:"group"`
	Deep   [][]arrowElement `cql:"deep"`
}

type arrowGroup struct {
	A int32   `cql:"a"`
	B *string `cql:"b"`
}

type arrowElement struct {
	A int32    `cql:"a"`
	C []string `cql:"c"`
}

// wantArrow is row i as make.py says it.
func wantArrow(i int) arrow {
	null := func(n int) bool { return i%n == n-1 }
	ms := time.UnixMilli(int64(i - 50)).UTC()
	w := arrow{
		I8: int8(i - 50), I32: int32(i * -20000000), U8: uint8(i + 150), U16: uint16(i + 65000), U32: uint32(i + 4294967000),
		U64: new(big.Int).SetUint64(1<<64 - 200 + uint64(i)), F32: float32(i) / 4, Yes: i%2 == 0, Raw: []byte{byte(i), 255},
		Large: "x" + big.NewInt(int64(i)).String(), Date: time.Unix(int64(i-50)*86400, 0).UTC(), Ms: ms, Us: ms, Ns: ms,
		Time32: time.Hour + 2*time.Minute + 3*time.Second + time.Duration(i)*time.Millisecond,
		Time64: time.Hour + 2*time.Minute + 3*time.Second + time.Duration(i)*time.Microsecond,
		Dec9:   inf.NewDec(int64(i-50), 2), Whole: big.NewInt(int64(i - 50)), Word: string(rune('a' + i%2)),
		Deep: make([][]arrowElement, i%4),
	}
	for j := range w.Fixed {
		w.Fixed[j] = byte(i)
	}
	if n := int16(i*300 - 15000); !null(7) {
		w.I16 = &n
	}
	if n := int64(i) * 1e16; !null(3) {
		w.I64 = &n
	}
	if f := float64(i) / 10; !null(5) {
		w.F64 = &f
	}
	if s := strings.Repeat("ä", i%5); !null(4) {
		w.Text = &s
	}
	if !null(6) {
		unscaled := new(big.Int).Exp(big.NewInt(10), big.NewInt(23), nil)
		w.Dec38 = inf.NewDecBig(unscaled.Mul(unscaled, big.NewInt(int64(i-50))), 3)
	}
	if !null(9) {
		w.List = []int32{}
		for j := range i % 4 {
			w.List = append(w.List, int32(j))
		}
	}
	if !null(8) {
		w.Map = map[string]int64{}
		for j := range i % 3 {
			w.Map["k"+string(rune('0'+j))] = int64(j)
		}
	}
	if !null(10) {
		w.Group = &arrowGroup{A: int32(i)}
		if b := "b" + big.NewInt(int64(i)).String(); i%2 == 0 {
			w.Group.B = &b
		}
	}
	for j := range w.Deep {
		w.Deep[j] = []arrowElement{}
		if i%2 == 1 {
			c := []string{}
			for range i % 3 {
				c = append(c, "x")
			}
			w.Deep[j] = append(w.Deep[j], arrowElement{A: int32(i), C: c})
		}
	}
	return w
}

func TestAFileOfPyarrowIsReadWithAllItsTypes(t *testing.T) {
	p := parquet.Read[arrow]("testdata/types.parquet")
	got := map[int32]arrow{}
	for row, err := range p.All(context.Background()) {
		require.NoError(t, err)
		got[row.I32] = row
	}
	require.Len(t, got, 100)
	for i := range 100 {
		want := wantArrow(i)
		row := got[want.I32]
		require.Zero(t, want.U64.Cmp(row.U64), i)
		require.Zero(t, want.Whole.Cmp(row.Whole), i)
		require.Zero(t, want.Dec9.Cmp(row.Dec9), i)
		require.EqualValues(t, want.Dec9.Scale(), row.Dec9.Scale())
		if want.Dec38 != nil {
			require.Zero(t, want.Dec38.Cmp(row.Dec38), i)
		} else {
			require.Nil(t, row.Dec38)
		}
		want.U64, want.Whole, want.Dec9, want.Dec38 = row.U64, row.Whole, row.Dec9, row.Dec38
		require.Equal(t, want, row, i)
	}
}

func TestFilesOfEveryCodecAreRead(t *testing.T) {
	type few struct {
		I32  int32            `cql:"i32"`
		Text *string          `cql:"text"`
		List []int32          `cql:"list"`
		Map  map[string]int64 `cql:"map"`
	}
	for _, codec := range []string{"none", "snappy", "gzip", "brotli", "zstd"} {
		n := 0
		for row, err := range parquet.Read[few]("testdata/codec-" + codec + ".parquet").All(context.Background()) {
			require.NoError(t, err, codec)
			i := int(row.I32 / -20000000)
			want := wantArrow(i)
			require.Equal(t, few{want.I32, want.Text, want.List, want.Map}, row, codec)
			n++
		}
		require.Equal(t, 100, n, codec)
	}
}

func TestAFileWithPagesOfLZ4IsRefused(t *testing.T) {
	type few struct {
		I32 int32 `cql:"i32"`
	}
	for _, err := range parquet.Read[few]("testdata/refused/codec-lz4.parquet", parquet.IgnoreUnknown()).All(t.Context()) {
		require.ErrorIs(t, err, rxcql.ErrSchema)
		require.ErrorContains(t, err, "compressed with LZ4")
	}
}

func TestOldFormsOfTimesAndListsAreRead(t *testing.T) {
	type old struct {
		Ms   time.Time `cql:"ms"`
		List []int32   `cql:"list"`
	}
	rows := read[old](t, "testdata/old.parquet")
	require.Len(t, rows, 100)
	for i, row := range rows {
		want := wantArrow(i)
		require.Equal(t, old{want.Ms, want.List}, row, i)
	}
}

func TestTimesThatAreFinerThanMillisecondsAreNotCutInSilence(t *testing.T) {
	type at struct {
		At time.Time `cql:"at"`
	}
	_, err := parquet.Read[at]("testdata/fine.parquet").Collect(context.Background())
	require.ErrorContains(t, err, "fine.parquet, row 1: ")
	require.ErrorContains(t, err, `column "at" (timestamp)`)
	require.ErrorContains(t, err, "TruncateTimes")
	rows := read[at](t, "testdata/fine.parquet", parquet.TruncateTimes())
	require.Equal(t, []at{{time.UnixMilli(0).UTC()}, {time.UnixMilli(1).UTC()}, {time.UnixMilli(-1).UTC()}}, rows)
}

func TestAFileWithoutRowsIsAStreamWithoutRows(t *testing.T) {
	rows, err := parquet.Read[rxcql.Row]("testdata/empty.parquet", parquet.Types(columns(t, "i32", "int")...)).Collect(context.Background())
	require.NoError(t, err)
	require.Empty(t, rows)
}

func TestAFolderIsReadAsItsFiles(t *testing.T) {
	type one struct {
		I32 int32 `cql:"i32"`
	}
	n, err := parquet.Read[one]("testdata/codec-*.parquet", parquet.IgnoreUnknown()).Count(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, 500, n)
	_, err = parquet.Read[one]("testdata", parquet.IgnoreUnknown()).Collect(context.Background())
	require.ErrorIs(t, err, rxcql.ErrSchema, "files of other columns are among them")
}
