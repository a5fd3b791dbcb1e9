package parquet_test

import (
	"context"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

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
			bytes := append([]byte{}, whole...)
			at := random.IntN(len(bytes))
			if i%3 == 0 { // the end, where everything is listed
				at = len(bytes) - 1 - random.IntN(min(len(bytes), 4000))
			}
			bytes[at] ^= byte(1 + random.IntN(255))
			if i%10 == 0 {
				bytes = bytes[:at]
			}
			require.NoError(t, os.WriteFile(path, bytes, 0o600))
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
