package cqlfake_test

import (
	"context"
	"fmt"
	"log"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
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

// Order is a row of the example.
type Order struct {
	ID    int32 `cql:"id"`
	Euros int32 `cql:"euros"`
}

func Example() {
	t := &exampleTB{} // in a test: its t
	defer t.end()
	server := cqlfake.New(t)
	server.Keyspace("shop", "orders (id int PRIMARY KEY, euros int)", "large (id int PRIMARY KEY, euros int)")
	server.Exec("INSERT INTO shop.orders (id, euros) VALUES (1, 20)", "INSERT INTO shop.orders (id, euros) VALUES (2, 3000)")

	// The first write is applied, but its answer is a timeout. So the sink writes it again.
	server.ControlOnce(func(r *cqlfake.Request) *cqlfake.Reply {
		if r.Writes("shop.large") {
			return cqlfake.Fail(&message.WriteTimeout{ErrorMessage: "late", WriteType: primitive.WriteTypeSimple}).Applied()
		}
		return nil
	})

	session := server.Session("shop")
	orders := source.Table[Order](session, "shop.orders")
	large := operators.Filter(orders, func(o Order) bool { return o.Euros > 1000 })
	report, err := rxcql.Run(context.Background(), large, sink.Table[Order](session, "shop.large"))
	fmt.Println(report.Written, "written, error:", err)
	fmt.Println(server.Requests(cqlfake.Execute, "shop.large"), "requests")

	rows, err := source.Table[Order](session, "shop.large").Collect(context.Background())
	fmt.Println(rows, err)
	// Output:
	// 1 written, error: <nil>
	// 2 requests
	// [{2 3000}] <nil>
}
