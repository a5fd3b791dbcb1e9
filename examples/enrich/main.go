// Command enrich looks up a row for each row of a stream: the customer of each order.
//
// Look at MapConcurrent in run: up to 64 queries are under way at once, and their results come
// in the order of the rows. In lookUp look at Retry, which asks again for what may pass
// within the limit of the run (rxcql.WithRetry), and at the customer who is not there: that
// is an answer, and no error that would end the run.
package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
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
	lookUp := func(ctx context.Context, o Order) (Order, error) {
		err := rxcql.Retry(ctx, rxcql.MayPass, func() error {
			return p.Session.Query("SELECT name FROM customers WHERE id = ?", o.Customer).WithContext(ctx).Scan(&o.Name)
		})
		if errors.Is(err, gocql.ErrNotFound) {
			return o, nil
		}
		return o, err
	}
	orders := source.Query[Order](p.Session, "SELECT shop, id, customer FROM orders WHERE shop = ?", source.Bind("corner"))

	named, unknown := 0, 0
	for o, err := range operators.MapConcurrent(orders, 64, lookUp).All(ctx) {
		switch {
		case err != nil:
			return err
		case o.ID < 3:
			fmt.Printf("order %d is for %s\n", o.ID, o.Name)
		case o.Name == "":
			unknown++
			continue
		}
		named++
	}
	fmt.Printf("%d orders have their customer's name, the customer of %d is not there\n", named, unknown)
	return nil
}
