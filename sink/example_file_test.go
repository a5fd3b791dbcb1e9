package sink_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
)

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func ExampleNDJSON() {
	folder, err := os.MkdirTemp("", "")
	check(err)
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "flights.ndjson")
	type flight struct {
		ID    int64  `json:"id"`
		Route string `json:"route"`
	}
	flights := sequence(flight{1, "SFO-JFK"}, flight{2, "LAX-ORD"})
	p, err := rxcql.New(flights, sink.NDJSON[flight](path, sink.Overwrite()))
	check(err)
	_, err = p.Run(context.Background())
	check(err)
	data, err := os.ReadFile(path)
	check(err)
	fmt.Print(string(data))
	// Output:
	// {"id":1,"route":"SFO-JFK"}
	// {"id":2,"route":"LAX-ORD"}
}

func ExampleCSV() {
	folder, err := os.MkdirTemp("", "")
	check(err)
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "flights.csv")
	type flight struct {
		ID    int64   `cql:"id"`
		Route *string `cql:"route"`
	}
	route := "SFO, JFK"
	flights := sequence(flight{1, &route}, flight{2, nil}, flight{3, new(string)})
	p, err := rxcql.New(flights, sink.CSV[flight](path, sink.Overwrite()))
	check(err)
	_, err = p.Run(context.Background())
	check(err)
	data, err := os.ReadFile(path)
	check(err)
	fmt.Print(string(data))
	// Output:
	// id,route
	// 1,"SFO, JFK"
	// 2,
	// 3,""
}
