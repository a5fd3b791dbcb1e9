package operators_test

import (
	"fmt"
	"sync"
	"testing"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// lasting is a test that ends with all tests of the package.
type lasting struct{ cleanups []func() }

func (*lasting) Helper() {}

func (*lasting) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (l *lasting) Cleanup(fn func()) { l.cleanups = append(l.cleanups, fn) }

func (l *lasting) end() {
	for i := len(l.cleanups) - 1; i >= 0; i-- {
		l.cleanups[i]()
	}
}

var untilTheEnd lasting

// fakeToTheEnd runs the tests and ends what lasts as long as they do.
type fakeToTheEnd struct{ *testing.M }

func (m fakeToTheEnd) Run() int {
	defer untilTheEnd.end()
	return m.M.Run()
}

// fakeCustomers is a session on a server in this process, for tests that try all operators and run
// in no bubble. It has the customers 0 to 99 without those that 3 divides.
var fakeCustomers = sync.OnceValue(func() *gocql.Session {
	server := cqlfake.New(&untilTheEnd, cqlfake.Loopback())
	server.Keyspace("shop", "customers (id int PRIMARY KEY, name text)")
	for id := range 100 {
		if id%3 > 0 {
			server.Exec(fmt.Sprintf("INSERT INTO shop.customers (id, name) VALUES (%d, 'customer %d')", id, id))
		}
	}
	return server.Session("shop")
})

const nameOfCustomer = "SELECT name FROM shop.customers WHERE id = ?"

// lookUpCustomer looks up the customer of a row, and hands on what result makes of the row.
func lookUpCustomer[T, U any](in rxcql.Stream[T], id func(T) int, result func(T) (U, error), opts ...operators.LookupOption) rxcql.Stream[U] {
	return operators.Lookup(in, fakeCustomers(), nameOfCustomer,
		func(row T) ([]any, error) { return []any{id(row) % 100}, nil },
		func(row T, found operators.Found[string]) (out U, err error) {
			want := ""
			if id(row)%100%3 > 0 {
				want = fmt.Sprint("customer ", id(row)%100)
			}
			if found.OK != (want != "") || found.Row != want {
				return out, fmt.Errorf("for customer %d there is %v", id(row)%100, found)
			}
			return result(row)
		}, opts...)
}
