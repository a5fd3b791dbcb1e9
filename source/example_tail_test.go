package source_test

import (
	"context"
	"fmt"
	"log"
	"time"

	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

// Visit is a row of the example.
type Visit struct {
	Who string `cql:"who"`
}

func ExampleTail() {
	t := &exampleTB{}
	defer t.end()
	server := cqlfake.New(t)
	server.Keyspace("shop", "visits (day date, shard int, arrived timestamp, who text, PRIMARY KEY ((day, shard), arrived, who))")
	session := server.Session("")
	arrive := func(shard int, who string) {
		now := time.Now().UTC()
		server.Exec(fmt.Sprintf("INSERT INTO shop.visits (day, shard, arrived, who) VALUES ('%s', %d, '%s', '%s')",
			now.Format(time.DateOnly), shard, now.Format("2006-01-02T15:04:05.000Z"), who))
	}
	begin := time.Now()
	arrive(0, "Anna")

	visits := source.Tail[Visit](session, "shop.visits", source.Buckets{
		Columns: []string{"day"}, Size: 24 * time.Hour, Shard: "shard", Shards: 2, Arrived: "arrived",
	}, source.TailFrom(begin), source.PollEvery(10*time.Millisecond))
	_, err := operators.Take(visits, 2).ForEach(context.Background(), func(v Visit) error {
		fmt.Println(v.Who)
		if v.Who == "Anna" {
			arrive(1, "Bert")
		}
		return nil
	})
	if err != nil {
		log.Fatal(err)
	}
	// Output:
	// Anna
	// Bert
}
