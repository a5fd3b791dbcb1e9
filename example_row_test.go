package rxcql_test

import (
	"encoding/binary"
	"fmt"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
)

// exampleRow is a row as source.Table[rxcql.Row] gives it.
func exampleRow() rxcql.Row {
	cols := rxcql.NewColumns([]rxcql.Column{
		{Name: "id", Type: &codec.Type{Kind: codec.Int}},
		{Name: "name", Type: &codec.Type{Kind: codec.Text}},
	})
	return rxcql.NewRow(cols, [][]byte{binary.BigEndian.AppendUint32(nil, 7), nil})
}

func ExampleValue() {
	row := exampleRow()
	id, err := rxcql.Value[int](row, "id")
	fmt.Println(id, err)
	name, err := rxcql.Value[*string](row, "name") // a pointer tells null from ""
	fmt.Println(name == nil, err)
	_, err = rxcql.Value[string](row, "Name")
	fmt.Println(err)
	// Output:
	// 7 <nil>
	// true <nil>
	// rxcql: no such column: "Name"
}

func ExampleRow_With() {
	row := exampleRow()
	named, err := row.With("name", []byte("seven"))
	if err != nil {
		fmt.Println(err)
		return
	}
	after, _ := rxcql.Value[string](named, "name")
	_, isThere := row.Lookup("name")
	fmt.Println(after, isThere, row.Bytes(1) == nil)
	// Output: seven true true
}

func ExampleReport_String() {
	report := rxcql.Report{Complete: true, ReadRows: 3, Written: 3, Ranges: 1, RangesDone: 1, Pages: 1, PagesSettled: 1, Budget: rxcql.DefaultBudget}
	fmt.Print(report)
	// Output:
	// complete in 0s: 3 rows read, 3 written, 0 filtered, 0 retried
	// ranges 1 of 1, pages 1 (0 empty, 1 settled), 0 B read
	// at most 0 B of 64.0 MiB in flight, pages fetched at once: 0, largest page: 0 B
}
