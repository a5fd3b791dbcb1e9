// Command enrich looks up a row for each row of a stream: the customer of each order.
//
// Look at Lookup in run: up to 64 look-ups are in flight at once, a customer who has several orders
// there is asked for once, and results come in the order of the rows. What may pass is asked again
// within the limit of the run (rxcql.WithRetry). In the function that joins look at the customer
// who is not there: that is an answer, and no error that would end the run.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/rxcql/rxcql/examples/internal/scratch"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

type Order struct {
	Shop     string `cql:"shop"`
	ID       int    `cql:"id"`
	Customer int    `cql:"customer"`
	Name     string // of the customer, from another table; empty for one who is not there
}

type Customer struct {
	ID   int    `cql:"id"`
	Name string `cql:"name"`
}

func main() {
	scratch.Main(run, "orders (shop text, id int, customer int, PRIMARY KEY (shop, id))", "customers (id int PRIMARY KEY, name text)")
}

func run(ctx context.Context, p *scratch.Place) error {
	err := errors.Join(
		scratch.Fill(ctx, p, "orders", 1000, func(i int) Order { return Order{Shop: "corner", ID: i, Customer: i % 50} }),
		scratch.Fill(ctx, p, "customers", 45, func(i int) Customer { return Customer{ID: i, Name: fmt.Sprintf("customer no. %d", i)} }))
	if err != nil {
		return err
	}
	orders := source.Query[Order](p.Session, "SELECT shop, id, customer FROM orders WHERE shop = ?", source.Bind("corner"))

	named := operators.Lookup(orders, p.Session, "SELECT name FROM customers WHERE id = ?",
		func(o Order) ([]any, error) { return []any{o.Customer}, nil },
		func(o Order, found operators.Found[string]) (Order, error) {
			o.Name = found.Row // empty if there is no such customer: then found.OK is false
			return o, nil
		}, operators.LookupInFlight(64))

	known, unknown := 0, 0
	for o, err := range named.All(ctx) {
		switch {
		case err != nil:
			return err
		case o.ID < 3:
			fmt.Printf("order %d is for %s\n", o.ID, o.Name)
		case o.Name == "":
			unknown++
			continue
		}
		known++
	}
	fmt.Printf("%d orders have their customer's name, the customer of %d is not there\n", known, unknown)
	return nil
}
