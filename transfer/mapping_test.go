package transfer_test

import (
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/transfer"
)

func TestEverythingThatIsWrongBetweenTwoTablesIsSaidAtOnce(t *testing.T) {
	from := tableOf(column("p", "p", codec.Int), column("c", "c", codec.Int), column("v", "", codec.Bigint), column("w", "", codec.Text))
	to := tableOf(column("p", "p", codec.Int), column("day", "c", codec.Int), column("v", "", codec.Int), column("c", "", codec.Int))
	_, err := transfer.Reshaped(rowsOf(from), from, to, transfer.Rename("V", "x"), transfer.Drop("p", "zz"), transfer.Constant("q", "", 1))
	for _, part := range []string{
		`Drop: "p" is of the primary key`, `Drop: the source has no column "zz"`, `Rename: the source has no column "V"`,
		`"c" is of the source's primary key and not of the target's`, `int cannot hold every value of bigint`,
		`the target has no column "w"`, `the target has no column "q"`, `"day" of the target's primary key gets no value`,
		`"p" of the target's primary key gets no value`,
	} {
		require.ErrorContains(t, err, part)
	}
}

func TestMappingsInWhichRowsWouldBecomeOneAreRefused(t *testing.T) {
	p, c, v, s := column("p", "p", codec.Int), column("c", "c", codec.Int), column("v", "", codec.Int), column("s", "s", codec.Int)
	p2 := column("c", "p", codec.Int)
	for name, tables := range map[string][2]*schema.Table{
		"would become one":          {tableOf(p, c, v), tableOf(p, column("c", "", codec.Int), v)},
		"one value for each":        {tableOf(p, c, v), tableOf(p, c, column("v", "s", codec.Int))},
		"of the target's primary":   {tableOf(p, c, s), tableOf(p, c, column("s", "c", codec.Int))},
		"static columns of several": {tableOf(p, p2, column("d", "c", codec.Int), s), tableOf(p, c, column("d", "c", codec.Int), s)},
	} {
		_, err := transfer.Reshaped(rowsOf(tables[0]), tables[0], tables[1])
		require.ErrorContains(t, err, name)
	}
	// One partition becomes several: each needs the static columns, with every row.
	from, to := tableOf(p, c, column("d", "c", codec.Int), s), tableOf(p, p2, column("d", "c", codec.Int), s)
	in := rowsOf(from, [][]byte{number(1), number(1), number(1), number(9)}, [][]byte{number(1), number(2), number(1), number(9)})
	out, err := transfer.Reshaped(in, from, to)
	require.NoError(t, err)
	_, cells := cellsOf(t, out)
	require.Equal(t, number(9), cells[1][3])
}

func TestTwoColumnsCannotBecomeOne(t *testing.T) {
	from := tableOf(column("p", "p", codec.Int), column("a", "", codec.Int), column("b", "", codec.Int))
	to := tableOf(column("p", "p", codec.Int), column("a", "", codec.Int))
	_, err := transfer.Reshaped(rowsOf(from), from, to, transfer.Rename("b", "a"))
	require.ErrorContains(t, err, `"a" of the target gets both "a" and "b"`)
	_, err = transfer.Reshaped(rowsOf(from), from, to, transfer.Drop("b"), transfer.Constant("a", "", 1))
	require.ErrorContains(t, err, `column "a" gets a already`)
}

func TestConstantsFitTheirColumnAndAreNotInErrors(t *testing.T) {
	from := tableOf(column("p", "p", codec.Int))
	for name, constant := range map[string]transfer.CopyOption{
		"text":   transfer.Constant("d", "", "secret"),
		"type":   transfer.Constant("d", "", struct{ X string }{"secret"}),
		"number": transfer.Constant("d", "", int64(1)<<40),
	} {
		_, err := transfer.Reshaped(rowsOf(from), from, tableOf(column("p", "p", codec.Int), column("d", "", codec.Int)), constant)
		require.ErrorContains(t, err, `Constant: column "d"`, name)
		require.NotContains(t, err.Error(), "secret", name)
	}
	_, err := transfer.Reshaped(rowsOf(from), from, tableOf(column("p", "p", codec.Int), column("d", "c", codec.Int)), transfer.Constant("d", "", nil))
	require.ErrorContains(t, err, "cannot be null")
}

func TestTheTableThatIsMadeIsTheSourceAsOptionsChangeIt(t *testing.T) {
	from := tableOf(column("p", "p", codec.Int), column("c", "c", codec.Int), column("s", "s", codec.Text), column("v", "", codec.Int), column("gone", "", codec.Int))
	from.ClusteringKey[0].Descending, from.Columns[1].Descending = true, true
	made, err := transfer.Defined(from, transfer.Rename("c", "At"), transfer.Drop("gone"), transfer.Constant("region", "text", "eu"))
	require.NoError(t, err)
	require.Equal(t, []string{"p", "At", "s", "v", "region"}, made.ColumnNames())
	require.Equal(t, "At", made.ClusteringKey[0].Name)
	require.True(t, made.ClusteringKey[0].Descending)
	_, err = transfer.Defined(from, transfer.Constant("region", "", "eu"))
	require.ErrorContains(t, err, "give the column's type")
}

func TestOptionsOfACopyAreCheckedAllAtOnceWithoutAnyIO(t *testing.T) {
	_, err := transfer.Copy(transfer.Table{Name: "nokeyspace"}, transfer.Table{Name: "ks.t"}, transfer.WithWorkers(0), transfer.WithSplits(-1),
		transfer.WithShard(3, 3), transfer.WithRate(nil), transfer.WithCheckpoint(nil, ""), transfer.WithConsistency(gocql.Quorum, 77),
		transfer.Drop(), transfer.Rename("", "x"), transfer.Constant("", "", 1), transfer.WithRate(rxcql.NewRate()))
	require.ErrorIs(t, err, rxcql.ErrConfig)
	for _, part := range []string{"source: ", "target: ", "WithWorkers(0)", "WithSplits(-1)", "WithShard(3, 3)", "WithRate(nil)", "the store is nil",
		"the job has no name", "there is no level 77", "Drop()", "Rename: a name is empty", "the column has no name", "NewRate: no limit"} {
		require.ErrorContains(t, err, part)
	}
}

func TestTheShareOfTheRingIsThatOfARange(t *testing.T) {
	for _, c := range []struct {
		start, end string
		share      float64
	}{{"-9223372036854775808", "0", 0.5}, {"4611686018427387904", "-4611686018427387904", 0.5}, {"5", "5", 1}} {
		share, err := transfer.RingShare(c.start, c.end)
		require.NoError(t, err)
		require.InDelta(t, c.share, share, 1e-9)
	}
	_, err := transfer.RingShare("x", "1")
	require.Error(t, err)
}
