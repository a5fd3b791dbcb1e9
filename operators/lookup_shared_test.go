package operators_test

import (
	"slices"
	"strconv"
	"testing"
	"testing/synctest"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// words are bytes of a type of their own.
type words []byte

// ownBytes is a value that encodes itself into memory that it uses again.
type ownBytes struct{ memory *[]byte }

func (o ownBytes) MarshalCQL(gocql.TypeInfo) ([]byte, error) { return *o.memory, nil }

func TestBindMayUseItsMemoryAgainForTheNextRow(t *testing.T) {
	for name, value := range map[string]func(*[]byte) any{
		"bytes":           func(b *[]byte) any { return *b },
		"a type of bytes": func(b *[]byte) any { return words(*b) },
		"a Marshaler":     func(b *[]byte) any { return ownBytes{b} },
	} {
		for _, opts := range [][]operators.LookupOption{
			nil, {operators.Unordered()}, {operators.LookupCache(1<<20, time.Hour)}, {operators.LookupInFlight(1)},
		} {
			inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
				server.Exec("CREATE TABLE shop.words (word text PRIMARY KEY, n int)")
				for n := range 50 {
					server.Exec("INSERT INTO shop.words (word, n) VALUES ('" + strconv.Itoa(n) + "', " + strconv.Itoa(n) + ")")
				}
				memory, args := make([]byte, 0, 2), make([]any, 1)
				s := operators.Lookup(numbersOf(repeated(200, 50)), session, "SELECT n FROM shop.words WHERE word = ?", func(n int) ([]any, error) {
					memory = strconv.AppendInt(memory[:0], int64(n), 10)
					args[0] = value(&memory)
					return args, nil
				}, func(n int, found operators.Found[int]) ([2]int, error) { return [2]int{n, found.Row}, nil }, opts...)
				got := collect(t, s)
				require.Len(t, got, 200)
				for _, each := range got {
					require.Equal(t, each[0], each[1], name)
				}
			}, cqlfake.Latency(time.Millisecond))
		}
	}
}

func TestRowsThatShareAnAnswerMayEachAppendToIt(t *testing.T) {
	for _, opts := range [][]operators.LookupOption{nil, {operators.LookupCache(1<<20, time.Hour)}} {
		inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
			var keys []int
			for key := range 10 {
				keys = append(keys, key, key, key)
			}
			s := operators.Lookup(numbersOf(upTo(30)), session, "SELECT n FROM shop.visits WHERE id = ?",
				func(n int) ([]any, error) { return []any{keys[n]}, nil },
				func(n int, found operators.Found[int]) ([]int, error) { return append(found.Rows, -n), nil },
				append(opts, operators.LookupAll(1<<20))...)
			for n, got := range collect(t, s) {
				require.Equal(t, append(upTo(keys[n]), -n), got)
			}
		}, cqlfake.Latency(time.Millisecond))
	}
}

func TestALookupThatCannotBePagedIsMadeWholeAlsoWhenItIsRepeated(t *testing.T) {
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		whole := 0
		server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			switch {
			case !r.Reads("shop.customers"):
				return nil
			case r.PageSize == 0:
				whole++
				return nil
			case whole == 0 && asked(server)%2 == 1:
				return cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
			}
			return cqlfake.Fail(&message.Invalid{ErrorMessage: "Cannot page queries with both ORDER BY and a IN restriction on the partition key"})
		})
		s := names(numbersOf(upTo(20)), session, operators.LookupInFlight(1))
		var got []string
		rep, err := s.ForEach(t.Context(), func(name string) error { got = append(got, name); return nil }, rxcql.WithRowErrors(rxcql.SkipRows(100)))
		require.NoError(t, err)
		require.Zero(t, rep.Skipped)
		require.Equal(t, wantNames(upTo(20)), got)
		require.EqualValues(t, 1, rep.Retried)
		require.Equal(t, 20, whole)
	})
}

func TestARefusalOfTheConsistencyIsNoRowsOwn(t *testing.T) {
	for _, said := range []string{
		"ANY ConsistencyLevel is only supported for writes",
		"Guardrail read_consistency_levels violated: Provided values [ONE] are not allowed for read_consistency_levels (disallowed values are: [ONE])",
	} {
		inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
			server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
				if r.Reads("shop.customers") {
					return cqlfake.Fail(&message.Invalid{ErrorMessage: said})
				}
				return nil
			})
			rep, err := names(numbersOf(upTo(20)), session).ForEach(t.Context(), func(string) error { return nil }, rxcql.WithRowErrors(rxcql.SkipRows(100)))
			require.ErrorContains(t, err, "onsistency")
			var stage *rxcql.StageError
			require.ErrorAs(t, err, &stage)
			require.Equal(t, "Lookup", stage.Stage)
			require.Zero(t, rep.Skipped)
		})
	}
}

// Cassandra reads what it folds in pages of the size that is asked for.
func TestAStatementThatMayFoldRowsIsNotAskedForInPagesOfTwo(t *testing.T) {
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		for cql, want := range map[string]int{
			nameOfCustomer: 2,
			"SELECT WRITETIME(name) FROM shop.customers WHERE id = ?": 1000,
		} {
			var sizes []int
			stop := server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
				if r.Reads("shop.customers") {
					sizes = append(sizes, r.PageSize)
				}
				return nil
			})
			s := operators.Lookup(numbersOf([]int{1}), session, cql, byID, func(n int, found operators.Found[rxcql.Row]) (bool, error) { return found.OK, nil })
			require.Equal(t, []bool{true}, collect(t, s))
			synctest.Wait()
			stop()
			require.Equal(t, []int{want}, slices.Compact(sizes), cql)
		}
	})
}

func TestAnAnswerThatIsLargerThanTheCacheDoesNotEmptyIt(t *testing.T) {
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		for n := range 450 {
			server.Exec("INSERT INTO shop.visits (id, n) VALUES (77, " + strconv.Itoa(n) + ")")
		}
		var keys []byte
		server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if r.Reads("shop.visits") && r.PageState == nil {
				keys = append(keys, r.Statements[0].Values[0].Bytes[3])
			}
			return nil
		})
		s := operators.Lookup(oneByOne([]int{1, 2, 3, 77, 1, 2, 3, 77}, time.Second), session, "SELECT n FROM shop.visits WHERE id = ?", byID,
			func(_ int, found operators.Found[int]) (int, error) { return len(found.Rows), nil },
			operators.LookupAll(1<<20), operators.LookupCache(3<<10, time.Hour))
		require.Equal(t, []int{1, 2, 3, 450, 1, 2, 3, 450}, collect(t, s))
		require.Equal(t, []byte{1, 2, 3, 77, 77}, keys)
	})
}
