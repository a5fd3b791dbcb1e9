package source_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rxcql/rxcql/source"
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
	check(os.WriteFile(path, []byte("{\"id\":1,\"route\":\"SFO-JFK\"}\n{\"id\":2}\n"), 0o600))
	type flight struct {
		ID    int64   `json:"id"`
		Route *string `json:"route"`
	}
	for f, err := range source.NDJSON[flight](path).All(context.Background()) {
		check(err)
		fmt.Println(f.ID, f.Route != nil)
	}
	// Output:
	// 1 true
	// 2 false
}

func ExampleCSV() {
	folder, err := os.MkdirTemp("", "")
	check(err)
	defer os.RemoveAll(folder)
	path := filepath.Join(folder, "flights.csv")
	check(os.WriteFile(path, []byte("route,id\n\"SFO, JFK\",1\n,2\n"), 0o600))
	type flight struct {
		ID    int64   `cql:"id"`
		Route *string `cql:"route"`
	}
	for f, err := range source.CSV[flight](path).All(context.Background()) {
		check(err)
		fmt.Println(f.ID, f.Route != nil)
	}
	// Output:
	// 1 true
	// 2 false
}
