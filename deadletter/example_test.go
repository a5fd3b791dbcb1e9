package deadletter_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

func ExampleNDJSON() {
	dir, err := os.MkdirTemp("", "letters")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(dir)
	path := filepath.Join(dir, "letters.ndjson")

	ages := source.Seq(func(yield func(int, error) bool) {
		for _, age := range []int{41, -1, 7} {
			if !yield(age, nil) {
				return
			}
		}
	})
	checked := operators.Tap(ages, func(age int) error {
		if age < 0 {
			return errors.New("an age below 0")
		}
		return nil
	})
	good, err := checked.Collect(context.Background(), rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(path))))
	fmt.Println(good, err)

	for letter, err := range deadletter.Read[int](path) {
		fmt.Println(letter.Row, letter.Stage, letter.Error, err)
	}
	// Output:
	// [41 7] <nil>
	// -1 Tap an age below 0 <nil>
}
