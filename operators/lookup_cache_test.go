package operators_test

import (
	"context"
	"io"
	"math"
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

func TestEqualKeysInFlightAreAskedOnce(t *testing.T) {
	for _, opts := range [][]operators.LookupOption{nil, {operators.Unordered()}} {
		inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
			release := hold(server, "shop.customers")
			rows := repeated(400, 10)
			done := make(chan []string)
			go func() {
				got, err := names(numbersOf(rows), session, append(opts, operators.LookupInFlight(100))...).Collect(context.Background())
				if err != nil {
					got = []string{err.Error()}
				}
				done <- got
			}()
			synctest.Wait()
			require.Equal(t, 10, asked(server))
			release()
			got := <-done
			require.ElementsMatch(t, wantNames(rows), got)
			if len(opts) == 0 {
				require.Equal(t, wantNames(rows), got)
			}
		})
	}
}

func TestKeysAreEqualIfTheServerGetsTheSameBytes(t *testing.T) {
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		server.Exec("INSERT INTO shop.weights (weight, name) VALUES (0.0, 'zero')")
		release := hold(server, "shop.weights")
		weights := []float64{0, math.Copysign(0, -1), 0, math.NaN(), math.NaN()}
		s := operators.Lookup(numbersOf(upTo(len(weights))), session, "SELECT name FROM shop.weights WHERE weight = ?",
			func(n int) ([]any, error) { return []any{weights[n]}, nil },
			func(n int, found operators.Found[string]) (bool, error) { return found.OK, nil })
		done := make(chan []bool)
		go func() {
			got, _ := s.Collect(context.Background())
			done <- got
		}()
		synctest.Wait()
		require.Equal(t, 3, server.Requests(cqlfake.Execute, "shop.weights"), "0 and -0 are two keys, a NaN is one")
		release()
		require.Equal(t, []bool{true, false, true, false, false}, <-done)
	})
}

func TestALookupThatIsOverIsMadeAgainWithoutACache(t *testing.T) {
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		rows := repeated(40, 10)
		require.Equal(t, wantNames(rows), collect(t, names(oneByOne(rows, time.Second), session)))
		require.Equal(t, 40, asked(server))
	})
}

// oneByOne gives one row each time, so that each is looked up before the next comes.
func oneByOne(rows []int, each time.Duration) rxcql.Stream[int] {
	i := 0
	return source.Pages(func(context.Context) ([]int, error) {
		time.Sleep(each)
		if i == len(rows) {
			return nil, io.EOF
		}
		i++
		return rows[i-1 : i], nil
	})
}

func TestACacheKeepsWhatWasFoundForItsTimeAndNothingFoundToo(t *testing.T) {
	for _, opts := range [][]operators.LookupOption{nil, {operators.Unordered()}} {
		inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
			rows := repeated(40, 10)
			got := collect(t, names(oneByOne(rows, time.Second), session, append(opts, operators.LookupCache(1<<20, time.Hour))...))
			require.Equal(t, wantNames(rows), got)
			require.Equal(t, 10, asked(server))
			// Each key comes every 10 s, and that does not prolong its time.
			require.Equal(t, wantNames(rows), collect(t, names(oneByOne(rows, time.Second), session, append(opts, operators.LookupCache(1<<20, 15*time.Second))...)))
			require.Equal(t, 10+20, asked(server), "each key twice")
		})
	}
}

func TestACacheIsBoundedByItsBytes(t *testing.T) {
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		rows := repeated(400, 100)
		require.Equal(t, wantNames(rows), collect(t, names(oneByOne(rows, time.Second), session, operators.LookupCache(16<<10, time.Hour))))
		require.Equal(t, 400, asked(server), "what was used longest ago goes first, so each key has gone when it comes again")
		require.Equal(t, wantNames(rows), collect(t, names(oneByOne(rows, time.Second), session, operators.LookupCache(1, time.Hour))))
		require.Equal(t, 800, asked(server), "not even one has room")
		require.Equal(t, wantNames(rows), collect(t, names(oneByOne(rows, time.Second), session, operators.LookupCache(100<<10, time.Hour))))
		require.Equal(t, 900, asked(server), "all have room")
	})
}

func TestEachRunBeginsWithAnEmptyCache(t *testing.T) {
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		s := names(numbersOf(repeated(40, 10)), session, operators.LookupCache(1<<20, time.Hour))
		for runs := range 3 {
			collect(t, s)
			require.Equal(t, 10*(runs+1), asked(server))
		}
	})
}
