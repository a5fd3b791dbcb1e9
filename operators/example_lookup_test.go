package operators_test

import (
	"fmt"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

func ExampleLookup() {
	session, end := flightsOfExample()
	defer end()
	type Flight struct{ Number, From string }

	flights := from(Flight{"LX 14", "ZRH"}, Flight{"UA 1", "SFO"}, Flight{"LX 40", "ZRH"}, Flight{"XX 9", "???"}, Flight{"charter", ""})
	show(operators.Lookup(flights, session, "SELECT city FROM air.airports WHERE code = ?",
		func(f Flight) ([]any, error) {
			if f.From == "" {
				return nil, operators.ErrNoKey // it is not looked up
			}
			return []any{f.From}, nil
		},
		func(f Flight, found operators.Found[string]) (string, error) {
			if !found.OK {
				return f.Number + " from nowhere", nil
			}
			return f.Number + " from " + found.Row, nil
		},
		operators.LookupInFlight(1000), operators.LookupCache(16<<20, time.Minute)))
	// Output: [LX 14 from Zürich UA 1 from San Francisco LX 40 from Zürich XX 9 from nowhere charter from nowhere]
}

func ExampleLookupAll() {
	session, end := flightsOfExample()
	defer end()
	type Gate struct {
		Name string `cql:"name"`
		Open bool   `cql:"open"`
	}

	show(operators.Lookup(from("ZRH", "SFO"), session, "SELECT name, open FROM air.gates WHERE code = ?",
		func(code string) ([]any, error) { return []any{code}, nil },
		func(code string, found operators.Found[Gate]) (string, error) {
			open := 0
			for _, gate := range found.Rows {
				if gate.Open {
					open++
				}
			}
			return fmt.Sprintf("%s: %d of %d gates are open", code, open, len(found.Rows)), nil
		},
		operators.LookupAll(64<<10)))
	// Output: [ZRH: 1 of 2 gates are open SFO: 0 of 0 gates are open]
}

// flightsOfExample is a session on a server in this process; from a cluster it would be that of
// rxcql.Configure and CreateSession.
func flightsOfExample() (session *gocql.Session, end func()) {
	t := &lasting{}
	server := cqlfake.New(t)
	server.Keyspace("air", "airports (code text PRIMARY KEY, city text)", "gates (code text, name text, open boolean, PRIMARY KEY (code, name))")
	server.Exec(
		"INSERT INTO air.airports (code, city) VALUES ('ZRH', 'Zürich')", "INSERT INTO air.airports (code, city) VALUES ('SFO', 'San Francisco')",
		"INSERT INTO air.gates (code, name, open) VALUES ('ZRH', 'A51', true)", "INSERT INTO air.gates (code, name, open) VALUES ('ZRH', 'A52', false)")
	return server.Session("air"), t.end
}
