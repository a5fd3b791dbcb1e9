package parquet_test

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	pq "github.com/parquet-go/parquet-go"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/parquet"
)

type version2 struct {
	ID    int32           `parquet:"id"`
	List  []string        `parquet:"list,list"`
	Deep  [][]int32       `parquet:"deep,list"`
	Inner *version2Inside `parquet:"inner,optional"`
}

type version2Inside struct {
	A *int32   `parquet:"a,optional"`
	L []string `parquet:"l,list"`
}

// Of some pages of version 2 the library panics: of nothing but nulls inside lists, say.
func TestPagesOfVersion2AreReadOrRefusedAndNothingPanics(t *testing.T) {
	one := int32(1)
	for name, rows := range map[string][]version2{
		"all nil":    {{ID: 1}, {ID: 2}},
		"some nil":   {{ID: 1}, {ID: 2, List: []string{"a"}, Deep: [][]int32{{1}, nil}, Inner: &version2Inside{A: &one}}},
		"inner nil":  {{ID: 1, Deep: [][]int32{nil, {}}, Inner: &version2Inside{}}, {ID: 2, Inner: &version2Inside{L: []string{"x"}}}},
		"none is":    {{ID: 1, List: []string{"a"}, Deep: [][]int32{{1}}, Inner: &version2Inside{&one, []string{"b"}}}},
		"empty only": {{ID: 1, List: []string{}, Deep: [][]int32{{}}, Inner: &version2Inside{L: []string{}}}},
	} {
		path := filepath.Join(t.TempDir(), "rows.parquet")
		f, err := os.Create(path)
		require.NoError(t, err)
		w := pq.NewGenericWriter[version2](f, pq.DataPageVersion(2))
		_, err = w.Write(rows)
		require.NoError(t, err)
		require.NoError(t, w.Close())
		require.NoError(t, f.Close())
		types := columns(t, "id", "int", "list", "list<text>", "deep", "list<frozen<list<int>>>", "inner", "tuple<int, frozen<list<text>>>")
		got, err := parquet.Read[rxcql.Row](path, parquet.Types(types...)).Collect(context.Background())
		if err != nil {
			require.ErrorContains(t, err, "write the file with data pages of version 1", name)
			continue
		}
		require.Len(t, got, len(rows), name)
		t.Log(name)
	}
}
