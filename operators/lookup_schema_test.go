package operators_test

import (
	"sync/atomic"
	"testing"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/droptest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

func TestATableThatIsDroppedOrMadeAgainEndsTheRun(t *testing.T) {
	for name, statements := range map[string][]string{
		"dropped":    {"DROP TABLE shop.customers"},
		"made again": {"DROP TABLE shop.customers", "CREATE TABLE shop.customers (id int PRIMARY KEY, name text)"},
		"altered":    {"DROP TABLE shop.customers", "CREATE TABLE shop.customers (id bigint PRIMARY KEY, name text)"},
	} {
		inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
			in := operators.Tap(numbersOf(upTo(100)), func(n int) error {
				if n == 90 {
					time.Sleep(time.Minute) // until those before have been looked up
					server.Exec(statements...)
				}
				return nil
			})
			_, err := names(in, session, operators.LookupInFlight(4)).Count(t.Context(), rxcql.WithRowErrors(rxcql.SkipRows(1<<40)))
			require.ErrorIs(t, err, rxcql.ErrSchema, name)
			failedIn(t, "Lookup", err)
		})
	}
}

func TestALookupThatFailsByAnExceptionSinceItsTableIsGoneIsAnErrorOfTheSchema(t *testing.T) {
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		var asked atomic.Int64
		server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if !r.Reads("shop.customers") || asked.Add(1) < 10 {
				return nil
			}
			if asked.Load() == 10 {
				server.Exec("DROP TABLE shop.customers")
			}
			return cqlfake.Fail(&message.ServerError{ErrorMessage: "java.lang.IllegalArgumentException: Unknown CF"})
		})
		_, err := names(numbersOf(upTo(100)), session, operators.LookupInFlight(1)).Count(t.Context(), rxcql.WithRowErrors(rxcql.SkipRows(1<<40)))
		require.ErrorIs(t, err, rxcql.ErrSchema)
		require.ErrorContains(t, err, "was dropped while it was read")
		failedIn(t, "Lookup", err)
	})
}

func TestAColumnThatIsDroppedEndsARunThatLooksItUp(t *testing.T) {
	for cql, reads := range map[string]bool{
		"SELECT name FROM shop.customers WHERE id = ?":      true,
		"SELECT * FROM shop.customers WHERE id = ?":         true,
		"SELECT name AS x FROM shop.customers WHERE id = ?": true,
		"SELECT id FROM shop.customers WHERE id = ?":        false,
	} {
		inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
			var gone atomic.Bool
			droptest.Column(t, server, "customers", "name", func(r *cqlfake.Request) bool {
				return gone.Load() || r.Reads("shop.customers") && gone.Swap(true)
			})
			looked := operators.Lookup(numbersOf(upTo(10)), session, cql, func(n int) ([]any, error) { return []any{n}, nil },
				func(n int, _ operators.Found[rxcql.Row]) (int, error) { return n, nil })
			_, err := looked.Count(t.Context())
			if !reads {
				require.NoError(t, err, cql)
				return
			}
			require.ErrorIs(t, err, rxcql.ErrSchema, cql)
			require.ErrorContains(t, err, `column "name" of table "shop"."customers" was dropped while it was read`)
			failedIn(t, "Lookup", err)
		})
	}
}
