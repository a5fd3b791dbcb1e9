package operators_test

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

// inShop gives, in a bubble, a server with the customers 0 to 99. Those that 3 divides are not
// there, and those that 5 divides have no name. Customer n below 10 has n visits.
func inShop(t *testing.T, fn func(t *testing.T, server *cqlfake.Server, session *gocql.Session), opts ...cqlfake.Option) {
	t.Helper()
	inShopWithin(t, 0, fn, opts...)
}

// inShopWithin is inShop with a timeout for requests.
func inShopWithin(t *testing.T, timeout time.Duration, fn func(t *testing.T, server *cqlfake.Server, session *gocql.Session), opts ...cqlfake.Option) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		server := cqlfake.New(t, opts...)
		server.Keyspace("shop", "customers (id int PRIMARY KEY, name text)", "visits (id int, n int, note text, PRIMARY KEY (id, n))",
			"weights (weight double PRIMARY KEY, name text)")
		for id := range 100 {
			switch {
			case id%3 == 0:
			case id%5 == 0:
				server.Exec(fmt.Sprintf("INSERT INTO shop.customers (id) VALUES (%d)", id))
			default:
				server.Exec(fmt.Sprintf("INSERT INTO shop.customers (id, name) VALUES (%d, 'customer %d')", id, id))
			}
		}
		for id := range 10 {
			for n := range id {
				server.Exec(fmt.Sprintf("INSERT INTO shop.visits (id, n, note) VALUES (%d, %d, 'visit %d')", id, n, n))
			}
		}
		config := server.Cluster()
		config.Keyspace, config.NumConns, config.Timeout = "shop", 2, timeout
		session, err := config.CreateSession()
		require.NoError(t, err)
		defer cqlfake.CloseSession(session)
		fn(t, server, session)
	})
}

func byID(n int) ([]any, error) { return []any{n}, nil }

// named says what was found for a number.
func named(n int, found operators.Found[sql.Null[string]]) (string, error) {
	switch {
	case !found.OK:
		return fmt.Sprint(n, ": missing"), nil
	case !found.Row.Valid:
		return fmt.Sprint(n, ": null"), nil
	}
	return fmt.Sprint(n, ": ", found.Row.V), nil
}

func names(in rxcql.Stream[int], session *gocql.Session, opts ...operators.LookupOption) rxcql.Stream[string] {
	return operators.Lookup(in, session, nameOfCustomer, byID, named, opts...)
}

// wantNames are what names gives for numbers.
func wantNames(numbers []int) (want []string) {
	for _, n := range numbers {
		switch {
		case n >= 100 || n%3 == 0:
			want = append(want, fmt.Sprint(n, ": missing"))
		case n%5 == 0:
			want = append(want, fmt.Sprint(n, ": null"))
		default:
			want = append(want, fmt.Sprint(n, ": customer ", n))
		}
	}
	return want
}

// asked is how many look-ups the server has got.
func asked(server *cqlfake.Server) int { return server.Requests(cqlfake.Execute, "shop.customers") }

// hold keeps answers to look-ups back until release is called.
func hold(server *cqlfake.Server, table string) (release func()) {
	held := make(chan struct{})
	stop := server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if r.Reads(table) {
			return cqlfake.Tables().When(held)
		}
		return nil
	})
	return func() { stop(); close(held) }
}

// repeated are the numbers up to keys, again and again.
func repeated(rows, keys int) []int {
	all := make([]int, rows)
	for i := range all {
		all[i] = i % keys
	}
	return all
}

func numbersOf(all []int) rxcql.Stream[int] {
	return source.Seq(func(yield func(int, error) bool) {
		for _, n := range all {
			if !yield(n, nil) {
				return
			}
		}
	})
}

func TestALookupJoinsEachRowAndTellsMissingFromNull(t *testing.T) {
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		server.Control(func(r *cqlfake.Request) *cqlfake.Reply { // answers come in another order than requests
			if r.Reads("shop.customers") {
				return cqlfake.Tables().After(time.Duration(int(r.Statements[0].Values[0].Bytes[3])*7919%97) * time.Millisecond)
			}
			return nil
		})
		for _, n := range []int{0, 1, 120} {
			require.Equal(t, wantNames(upTo(n)), collect(t, names(count(n, 7), session)))
			got := collect(t, names(count(n, 7), session, operators.Unordered()))
			require.ElementsMatch(t, wantNames(upTo(n)), got)
			require.Equal(t, n < 100, slices.Equal(wantNames(upTo(n)), got), "those that are there first go on first")
		}
	})
}

func TestAsManyLookupsAreInFlightAsWereAskedForAndNoMore(t *testing.T) {
	for _, opts := range [][]operators.LookupOption{nil, {operators.Unordered()}} {
		// The race detector bears 8,000 goroutines, and the server needs as many as there are look-ups.
		for most, n := range map[int]int{operators.DefaultLookupInFlight: 0, 1: 1, 100: 100, 1000: 1000} {
			inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
				opts := slices.Clone(opts)
				if n > 0 {
					opts = append(opts, operators.LookupInFlight(n))
				}
				release := hold(server, "shop.customers")
				done := make(chan int64)
				go func() {
					rows, err := names(count(10_000, 1000), session, opts...).Count(context.Background())
					if err != nil {
						rows = -1
					}
					done <- rows
				}()
				synctest.Wait()
				require.Equal(t, most, server.InFlight())
				release()
				require.EqualValues(t, 10_000, <-done)
				require.Equal(t, most, server.MaxInFlight())
			})
		}
	}
}

func TestARowWithoutAKeyIsNotLookedUp(t *testing.T) {
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		s := operators.Lookup(count(100, 10), session, nameOfCustomer, func(n int) ([]any, error) {
			if n%2 == 0 {
				return nil, fmt.Errorf("row %d: %w", n, operators.ErrNoKey)
			}
			return byID(n)
		}, func(n int, found operators.Found[sql.Null[string]]) (string, error) {
			if n%2 == 0 {
				require.Zero(t, found)
			}
			return named(n, found)
		})
		want := wantNames(upTo(100))
		for n := 0; n < 100; n += 2 {
			want[n] = fmt.Sprint(n, ": missing")
		}
		require.Equal(t, want, collect(t, s))
		require.Equal(t, 50, asked(server))
	})
}

func TestALimitFromDownstreamHoldsForLookups(t *testing.T) {
	for _, opts := range [][]operators.LookupOption{nil, {operators.Unordered()}} {
		inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
			got := collect(t, operators.Take(names(count(1<<40, 1000), session, opts...), 5))
			require.ElementsMatch(t, wantNames(upTo(5)), got)
			require.Equal(t, 5, asked(server))
		})
	}
}

func TestAStopFinishesTheLookupsThatAreOut(t *testing.T) {
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		var p *rxcql.Pipeline
		var read atomic.Int64
		in := operators.Tap(count(1<<40, 10), func(n int) error {
			if read.Add(1) == 95 {
				p.Stop()
			}
			return nil
		})
		sink := &gather[string]{}
		p, err := rxcql.New(names(in, session, operators.LookupInFlight(8)), sink)
		require.NoError(t, err)
		rep, err := p.Run(context.Background())
		require.NoError(t, err)
		require.Equal(t, "Stop", rep.EndedBy)
		require.Equal(t, wantNames(upTo(len(sink.rows()))), sink.rows())
		require.Equal(t, rep.ReadRows, rep.Written)
		require.Equal(t, rep.Pages, rep.PagesSettled)
	}, cqlfake.Latency(time.Second))
}

func TestACancelEndsLookupsThatAreOut(t *testing.T) {
	for _, opts := range [][]operators.LookupOption{nil, {operators.Unordered()}} {
		inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
			why := errors.New("why")
			ctx, cancel := context.WithCancelCause(t.Context())
			release := hold(server, "shop.customers")
			defer release()
			ended := make(chan error)
			go func() {
				_, err := names(numbersOf(repeated(1000, 300)), session, opts...).Count(ctx)
				ended <- err
			}()
			synctest.Wait()
			cancel(why)
			require.ErrorIs(t, <-ended, why)
		})
	}
}

func TestALookupGivesStructsAndUndecodedRows(t *testing.T) {
	type customer struct {
		ID   int     `cql:"id"`
		Name *string `cql:"name"`
	}
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		const cql = "SELECT id, name FROM shop.customers WHERE id = ?"
		structs := operators.Lookup(count(20, 3), session, cql, byID, func(n int, found operators.Found[customer]) (string, error) {
			if found.OK && found.Row.ID != n {
				return "", errors.New("of another")
			}
			return named(n, operators.Found[sql.Null[string]]{OK: found.OK, Row: nullable(found.Row.Name)})
		}, operators.LookupCache(1<<20, time.Hour))
		require.Equal(t, wantNames(upTo(20)), collect(t, structs))
		raw := operators.Lookup(numbersOf(repeated(60, 20)), session, cql, byID, func(n int, found operators.Found[rxcql.Row]) (string, error) {
			var name *string
			if found.OK {
				var err error
				if name, err = rxcql.Value[*string](found.Row, "name"); err != nil {
					return "", err
				}
			}
			return named(n, operators.Found[sql.Null[string]]{OK: found.OK, Row: nullable(name)})
		}, operators.LookupCache(1<<20, time.Hour))
		require.Equal(t, wantNames(repeated(60, 20)), collect(t, raw))
	})
}

func nullable(text *string) (n sql.Null[string]) {
	if text != nil {
		n.V, n.Valid = *text, true
	}
	return n
}
