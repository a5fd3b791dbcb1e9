// Command quickstart copies the flights that came over an hour late into a
// table of their own, with the delay in hours. It needs a keyspace air with the
// tables
//
//	CREATE TABLE air.flights (id bigint PRIMARY KEY, route text, delay int);
//	CREATE TABLE air.late    (id bigint PRIMARY KEY, route text, delay int);
//
// on the server that CASSANDRA_HOSTS names, by default 127.0.0.1.
package main

import (
	"cmp"
	"context"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

type Flight struct {
	ID    int64  `cql:"id"`
	Route string `cql:"route"`
	Delay int    `cql:"delay"`
}

func main() {
	cluster := gocql.NewCluster(strings.Split(cmp.Or(os.Getenv("CASSANDRA_HOSTS"), "127.0.0.1"), ",")...)
	check(rxcql.Configure(cluster, ""))
	session, err := cluster.CreateSession()
	check(err)
	defer session.Close()

	flights := source.Table[Flight](session, "air.flights")
	late := operators.Filter(flights, func(f Flight) bool { return f.Delay > 60 })
	hours := operators.Map(late, func(f Flight) (Flight, error) { f.Delay /= 60; return f, nil })

	report, err := rxcql.Run(context.Background(), hours, sink.Table[Flight](session, "air.late"))
	fmt.Print(report)
	check(err)
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
