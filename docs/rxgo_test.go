package docs_test

import (
	"context"
	"fmt"

	"github.com/reactivex/rxgo/v2"

	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func Example_rxgoInside() {
	words := of("roof", "cellar", "roof", "garden")
	distinct := operators.Rx[string, string](words, func(o rxgo.Observable) rxgo.Observable {
		return o.Distinct(func(_ context.Context, item any) (any, error) { return item, nil })
	})
	fmt.Println(distinct.Collect(context.Background()))
	// Output: [roof cellar garden] <nil>
}

func Example_rxgoOutside() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel() // whoever goes away early must cancel
	lengths := of("roof", "cellar").Observable(ctx).
		Map(func(_ context.Context, item any) (any, error) { return len(item.(string)), nil })
	for item := range lengths.Observe() {
		if item.Error() {
			fmt.Println(item.E) // the last item
			return
		}
		fmt.Println(item.V)
	}
	// Output:
	// 4
	// 6
}

func Example_rxgoAsSource() {
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	items := rxgo.Just("roof", "cellar")(rxgo.WithContext(ctx))
	fmt.Println(source.FromObservable[string](items).Collect(ctx))
	// Output: [roof cellar] <nil>
}
