package parquet_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	pq "github.com/parquet-go/parquet-go"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/parquet"
)

// A file with bytes that were changed may give an error or other values, and must not panic, hang,
// or end as if it were whole when rows are missing.
func TestADamagedFileIsAnErrorOrHasAllItsRows(t *testing.T) {
	for _, name := range []string{"types.parquet", "codec-none.parquet", "pages.parquet"} {
		whole, err := os.ReadFile(filepath.Join("testdata", name))
		require.NoError(t, err)
		want := count(t, filepath.Join("testdata", name))
		path := filepath.Join(t.TempDir(), name)
		random := rand.New(rand.NewPCG(1, 2))
		for i := range 150 {
			content := bytes.Clone(whole)
			at := random.IntN(len(content))
			if i%3 == 0 { // the end, where everything is listed
				at = len(content) - 1 - random.IntN(min(len(content), 4000))
			}
			content[at] ^= byte(1 + random.IntN(255))
			if i%10 == 0 {
				content = content[:at]
			}
			require.NoError(t, os.WriteFile(path, content, 0o600))
			if n, err := parquet.Read[arrowID](path, parquet.IgnoreUnknown()).Count(context.Background()); err == nil {
				require.Equal(t, want, n, "%s, byte %d", name, at)
			}
		}
	}
}

// arrowID has the columns that all of these files have.
type arrowID struct {
	List []int64 `cql:"list"`
	Text *string `cql:"text"`
}

func count(t *testing.T, path string) int64 {
	n, err := parquet.Read[arrowID](path, parquet.IgnoreUnknown()).Count(context.Background())
	require.NoError(t, err)
	return n
}

func TestWhatIsNoParquetFileIsRefusedByCheck(t *testing.T) {
	for name, content := range map[string]string{
		"an empty file":    "",
		"text":             "a,b\n1,2\n3,4\n5,6\n7,8\n",
		"half a file":      "PAR1" + string(make([]byte, 100)),
		"an encrypted one": "PARE" + string(make([]byte, 100)) + "PARE",
	} {
		path := filepath.Join(t.TempDir(), "x.parquet")
		require.NoError(t, os.WriteFile(path, []byte(content), 0o600))
		err := check(parquet.Read[arrowID](path))
		require.ErrorIs(t, err, rxcql.ErrSchema, name)
		require.ErrorContains(t, err, path, name)
	}
	require.ErrorIs(t, check(parquet.Read[arrowID]("testdata/none.parquet")), os.ErrNotExist)
	require.ErrorIs(t, check(parquet.Read[arrowID]("testdata/none-*.parquet")), os.ErrNotExist)
	require.ErrorContains(t, check(parquet.Read[arrowID](t.TempDir())), "no file whose name ends with .parquet")
}

func check[T any](s rxcql.Stream[T]) error {
	p, err := rxcql.New(s, parquet.WriteTo[T]("none", discard{}))
	if err != nil {
		return err
	}
	return p.Check(context.Background())
}

type discard struct{}

func (discard) Write(b []byte) (int, error) { return len(b), nil }

func TestARowGroupThatListsFewerRowsThanItHasIsAnError(t *testing.T) {
	path := write(t, spots(0, 10))
	whole, err := os.ReadFile(path)
	require.NoError(t, err)
	f, err := pq.OpenFile(bytes.NewReader(whole), int64(len(whole)))
	require.NoError(t, err)
	list := f.Metadata()
	list.NumRows--
	list.RowGroups[0].NumRows--
	footer, err := thrift.Marshal(new(thrift.CompactProtocol), list)
	require.NoError(t, err)
	length := binary.LittleEndian.Uint32(whole[len(whole)-8:])
	changed := append(whole[:len(whole)-8-int(length)], footer...)
	changed = binary.LittleEndian.AppendUint32(changed, uint32(len(footer)))
	require.NoError(t, os.WriteFile(path, append(changed, "PAR1"...), 0o600))
	_, err = parquet.Read[spot](path).Collect(context.Background())
	require.ErrorContains(t, err, "the file is damaged")
}
