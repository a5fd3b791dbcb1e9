package source_test

import (
	"context"
	"fmt"
	"log"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

// exampleTB stands for the *testing.T that a test has.
type exampleTB struct{ cleanups []func() }

func (*exampleTB) Helper()                           {}
func (*exampleTB) Fatalf(format string, args ...any) { log.Fatalf(format, args...) }
func (t *exampleTB) Cleanup(fn func())               { t.cleanups = append(t.cleanups, fn) }

func (t *exampleTB) end() {
	for i := len(t.cleanups) - 1; i >= 0; i-- {
		t.cleanups[i]()
	}
}

// Stock is a row of the example. The key is not in it, and has another name in each table.
type Stock struct {
	Item   string `cql:"item"`
	Pieces int    `cql:"pieces"`
}

func ExampleTablePair() {
	t := &exampleTB{}
	defer t.end()
	server := cqlfake.New(t)
	server.Keyspace("shop", "stock (id int PRIMARY KEY, item text, pieces int)", "counted (nr int PRIMARY KEY, item text, pieces int)")
	server.Exec(
		"INSERT INTO shop.stock (id, item, pieces) VALUES (1, 'apples', 10)",
		"INSERT INTO shop.stock (id, item, pieces) VALUES (2, 'pears', 20)",
		"INSERT INTO shop.stock (id, item, pieces) VALUES (3, 'plums', 30)",
		"INSERT INTO shop.counted (nr, item, pieces) VALUES (1, 'apples', 10)",
		"INSERT INTO shop.counted (nr, item, pieces) VALUES (2, 'pears', 19)",
		"INSERT INTO shop.counted (nr, item, pieces) VALUES (4, 'cherries', 40)",
	)
	session := server.Session("")

	pairs := source.TablePair[Stock, Stock](session, "shop.stock", session, "shop.counted")
	differing := operators.Filter(pairs, func(p rxcql.Pair[Stock, Stock]) bool { return !p.Both() || p.Left != p.Right })
	_, err := differing.ForEach(context.Background(), func(p rxcql.Pair[Stock, Stock]) error {
		fmt.Println(p.HasLeft, p.Left, p.HasRight, p.Right)
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Unordered output:
	// true {pears 20} true {pears 19}
	// true {plums 30} false { 0}
	// false { 0} true {cherries 40}
}
