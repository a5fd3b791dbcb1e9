package source_test

import (
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"slices"

	"github.com/rxcql/rxcql/source"
)

func ExampleSeq() {
	stops := map[string]int{"JFK": 1, "SFO": 3}
	names := func(yield func(string, error) bool) {
		for _, name := range slices.Sorted(maps.Keys(stops)) {
			if !yield(name, nil) {
				return
			}
		}
	}
	all, err := source.Seq(names).Collect(context.Background())
	fmt.Println(all, err)
	// Output: [JFK SFO] <nil>
}

// A source that can be part of a job says from which row on it is to go on.
func ExampleSeqFrom() {
	squares := source.SeqFrom("squares below 50", func(from int64) iter.Seq2[int64, error] {
		return func(yield func(int64, error) bool) {
			for n := from; n*n < 50 && yield(n*n, nil); n++ {
			}
		}
	})
	all, err := squares.Collect(context.Background())
	fmt.Println(all, err)
	// Output: [0 1 4 9 16 25 36 49] <nil>
}

// A service that gives its users two at a time, with a token for those that follow.
func ExamplePages() {
	users := []string{"ada", "barbara", "grace", "joan", "margaret"}
	list := func(_ context.Context, from int) (page []string, next int, err error) {
		end := min(from+2, len(users))
		return users[from:end], end, nil
	}

	token := 0
	stream := source.Pages(func(ctx context.Context) ([]string, error) {
		page, next, err := list(ctx, token)
		if err != nil {
			return nil, err // asked for again if it may pass
		}
		if token = next; token == len(users) {
			err = io.EOF // this page is the last one
		}
		return page, err
	})
	all, err := stream.Collect(context.Background())
	fmt.Println(all, err)
	// Output: [ada barbara grace joan margaret] <nil>
}

func ExampleChan() {
	ch := make(chan string, 2)
	ch <- "a"
	ch <- "b"
	close(ch) // the end of the stream
	all, err := source.Chan(ch).Collect(context.Background())
	fmt.Println(all, err)
	// Output: [a b] <nil>
}
