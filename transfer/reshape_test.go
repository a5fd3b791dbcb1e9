package transfer_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/source"
	"github.com/rxcql/rxcql/transfer"
)

// column is a column for a test; the kind is "p", "c", "s" or "".
func column(name, kind string, typ codec.Kind) schema.Column {
	kinds := map[string]schema.Kind{"p": schema.PartitionKey, "c": schema.Clustering, "s": schema.Static, "": schema.Regular}
	return schema.Column{Name: name, Kind: kinds[kind], Type: &codec.Type{Kind: typ}}
}

func tableOf(columns ...schema.Column) *schema.Table {
	t := &schema.Table{Keyspace: "ks", Name: "t", Columns: columns}
	for _, c := range columns {
		switch c.Kind {
		case schema.PartitionKey:
			t.PartitionKey = append(t.PartitionKey, c)
		case schema.Clustering:
			t.ClusteringKey = append(t.ClusteringKey, c)
		}
	}
	return t
}

// number is an int as the server has it.
func number(n byte) []byte { return []byte{0, 0, 0, n} }

// rowsOf makes rows with the columns of a table.
func rowsOf(t *schema.Table, rows ...[][]byte) rxcql.Stream[rxcql.Row] {
	var list []rxcql.Column
	for _, c := range t.Columns {
		list = append(list, rxcql.Column{Name: c.Name, Type: c.Type})
	}
	cols := rxcql.NewColumns(list)
	var all []rxcql.Row
	for _, cells := range rows {
		all = append(all, rxcql.NewRow(cols, cells))
	}
	return source.Of(all...)
}

// cellsOf collects rows as their names and cells.
func cellsOf(t *testing.T, in rxcql.Stream[rxcql.Row], opts ...rxcql.Option) (names []string, cells [][][]byte) {
	rows, err := in.Collect(context.Background(), opts...)
	require.NoError(t, err)
	for _, row := range rows {
		names = nil
		var of [][]byte
		for i, c := range row.Columns().List() {
			names = append(names, c.Name)
			of = append(of, row.Bytes(i))
		}
		cells = append(cells, of)
	}
	return names, cells
}

func TestRowsGetTheNamesTypesAndConstantsOfTheTarget(t *testing.T) {
	from := tableOf(column("p", "p", codec.Int), column("a", "", codec.Int), column("b", "", codec.Text), column("gone", "", codec.Blob))
	to := tableOf(column("p", "p", codec.Int), column("region", "c", codec.Text), column("wide", "", codec.Bigint), column("b", "", codec.Text), column("n", "", codec.Int))
	in := rowsOf(from, [][]byte{number(1), number(7), []byte("x"), {1}}, [][]byte{number(2), nil, {}, nil})
	out, err := transfer.Reshaped(in, from, to, transfer.Rename("a", "wide"), transfer.Drop("gone"),
		transfer.Constant("region", "", "eu"), transfer.Constant("n", "", "12"))
	require.NoError(t, err)
	names, cells := cellsOf(t, out)
	require.Equal(t, []string{"p", "wide", "b", "region", "n"}, names)
	require.Equal(t, [][][]byte{
		{number(1), {0, 0, 0, 0, 0, 0, 0, 7}, []byte("x"), []byte("eu"), number(12)},
		{number(2), nil, {}, []byte("eu"), number(12)},
	}, cells)
}

func TestColumnsThatAreNotReadAreTimesAndGoAlong(t *testing.T) {
	from := tableOf(column("p", "p", codec.Int), column("a", "", codec.Int))
	to := tableOf(column("p", "p", codec.Int), column("b", "", codec.Int))
	timed := tableOf(append(from.Columns, column("writetime(a)", "", codec.Bigint), column("expires(a)", "", codec.Bigint))...)
	out, err := transfer.Reshaped(rowsOf(timed, [][]byte{number(1), number(2), {1}, {2}}), from, to, transfer.Rename("a", "b"))
	require.NoError(t, err)
	names, cells := cellsOf(t, out)
	require.Equal(t, []string{"p", "b", "writetime(b)", "expires(b)"}, names)
	require.Equal(t, [][][]byte{{number(1), number(2), {1}, {2}}}, cells)
}

func statics() (*schema.Table, [][][]byte) {
	table := tableOf(column("p", "p", codec.Int), column("c", "c", codec.Int), column("s", "s", codec.Text), column("v", "", codec.Int))
	return table, [][][]byte{
		{number(1), number(1), []byte("one"), number(1)},
		{number(1), number(2), []byte("one"), number(2)},
		{number(2), nil, []byte("two"), nil}, // a partition that has static columns only
		{number(3), number(1), []byte("one"), number(3)},
		{number(3), number(2), []byte("one"), number(4)},
	}
}

func TestStaticColumnsComeOncePerPartition(t *testing.T) {
	table, rows := statics()
	out, err := transfer.Reshaped(rowsOf(table, rows...), table, table)
	require.NoError(t, err)
	_, cells := cellsOf(t, out)
	var written []string
	for _, row := range cells {
		written = append(written, string(row[2]))
	}
	require.Equal(t, []string{"one", "", "two", "one", ""}, written)
}

func TestStaticColumnsComeWithEachRowIfRowsMayBeLeftOut(t *testing.T) {
	table, rows := statics()
	out, err := transfer.Reshaped(rowsOf(table, rows...), table, table)
	require.NoError(t, err)
	_, cells := cellsOf(t, out, rxcql.WithRowErrors(rxcql.SkipRows(10)))
	for i, row := range cells {
		require.Equal(t, rows[i][2], row[2], "row %d: the row before may be one that failed", i)
	}
}

func TestConstantsMakeNoRowOfAPartitionThatHasNone(t *testing.T) {
	table, rows := statics()
	to := tableOf(column("p", "p", codec.Int), column("c", "c", codec.Int), column("kind", "c", codec.Text), column("s", "s", codec.Text), column("v", "", codec.Int), column("n", "", codec.Int))
	out, err := transfer.Reshaped(rowsOf(table, rows...), table, to, transfer.Constant("kind", "", "k"), transfer.Constant("n", "", 1))
	require.NoError(t, err)
	_, cells := cellsOf(t, out)
	require.Equal(t, [][]byte{[]byte("k"), number(1)}, cells[1][4:])
	require.Equal(t, [][]byte{nil, nil}, cells[2][4:])
}

func TestAValueThatIsNoneOfItsTypeIsARowThatFailed(t *testing.T) {
	from := tableOf(column("p", "p", codec.Int), column("a", "", codec.Int))
	to := tableOf(column("p", "p", codec.Int), column("a", "", codec.Bigint))
	in := func() rxcql.Stream[rxcql.Row] {
		return rowsOf(from, [][]byte{number(1), []byte("secret")}, [][]byte{number(2), number(2)})
	}
	out, err := transfer.Reshaped(in(), from, to)
	require.NoError(t, err)
	_, err = out.Collect(context.Background())
	var row *rxcql.RowError
	require.ErrorAs(t, err, &row)
	require.ErrorContains(t, err, "column a")
	require.NotContains(t, err.Error(), "secret")

	_, cells := cellsOf(t, out, rxcql.WithRowErrors(rxcql.SkipRows(1)))
	require.Equal(t, [][][]byte{{number(2), {0, 0, 0, 0, 0, 0, 0, 2}}}, cells)
}

func TestAPartitionOfStaticColumnsForWhichTheTargetHasNoPlaceIsLeftOut(t *testing.T) {
	p, c, v := column("p", "p", codec.Int), column("c", "c", codec.Int), column("v", "", codec.Int)
	s, other := column("s", "s", codec.Text), column("other", "s", codec.Text)
	from := tableOf(p, c, s, other, v)
	rows := [][][]byte{
		{number(1), nil, []byte("alone"), nil, nil},
		{number(2), number(1), []byte("x"), nil, number(1)},
		{number(3), nil, nil, []byte("alone"), nil},
	}
	for name, tc := range map[string]struct {
		to      *schema.Table
		opts    []transfer.CopyOption
		arrived []byte // partitions
	}{
		"all static columns are dropped":         {tableOf(p, c, v), []transfer.CopyOption{transfer.Drop("s", "other")}, []byte{2}},
		"a static column is a regular one there": {tableOf(p, c, column("s", "", codec.Text), column("other", "", codec.Text), v), nil, []byte{2}},
		"it has the other one":                   {tableOf(p, c, s, v), []transfer.CopyOption{transfer.Drop("other")}, []byte{1, 2}},
		"a partition becomes several":            {tableOf(p, column("c", "p", codec.Int), column("k", "c", codec.Int), s, other, v), []transfer.CopyOption{transfer.Constant("k", "", 1)}, []byte{2}},
		"nothing changes":                        {from, nil, []byte{1, 2, 3}},
	} {
		t.Run(name, func(t *testing.T) {
			cells := rows
			read := from
			if len(tc.opts) > 0 && name == "all static columns are dropped" { // the server still gives a row without them
				read = tableOf(p, c, v)
				cells = nil
				for _, row := range rows {
					cells = append(cells, [][]byte{row[0], row[1], row[4]})
				}
			}
			out, err := transfer.Reshaped(rowsOf(read, cells...), from, tc.to, tc.opts...)
			require.NoError(t, err)
			_, got := cellsOf(t, out)
			var arrived []byte
			for _, row := range got {
				arrived = append(arrived, row[0][3])
			}
			require.Equal(t, tc.arrived, arrived)
		})
	}
}
