package operators_test

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

func TestWhatIsFoundAmissIsAnErrorOfEachRowThatWaitedForIt(t *testing.T) {
	const noteOf, notesOf = "SELECT note FROM shop.visits WHERE id = ?", "SELECT n, note FROM shop.visits WHERE id = ?"
	type visit struct {
		N    int    `cql:"n"`
		Note string `cql:"note"`
	}
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		rows := repeated(50, 10)
		one := operators.Lookup(numbersOf(rows), session, noteOf, byID, func(n int, found operators.Found[string]) (int, error) { return n, nil })
		all := operators.Lookup(numbersOf(rows), session, notesOf, byID, func(n int, found operators.Found[visit]) (int, error) {
			if len(found.Rows) != n {
				return 0, fmt.Errorf("%d notes", len(found.Rows))
			}
			return n, nil
		}, operators.LookupAll(300))
		for s, says := range map[*rxcql.Stream[int]]string{&one: "more than one row", &all: "more than the 300 bytes of LookupAll"} {
			_, err := s.Collect(t.Context())
			require.ErrorContains(t, err, says)
			var row *rxcql.RowError
			require.ErrorAs(t, err, &row)
			letters := &jobtest.Letters{}
			var got []int
			rep, err := s.ForEach(t.Context(), func(n int) error { got = append(got, n); return nil }, rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
			require.NoError(t, err)
			bad := map[bool]string{true: "those of several", false: "the large ones"}[s == &one]
			require.EqualValues(t, 50-len(got), rep.DeadLettered, bad)
			require.Zero(t, rep.DeadLettered%5, "each key comes five times")
			require.NotZero(t, rep.DeadLettered)
			require.Contains(t, rep.RowErrors[0].Reason, says)
			if s == &one {
				require.Equal(t, []int{0, 1}, got[:2])
				require.Len(t, got, 10)
			}
		}
	})
}

func TestAllRowsOfAPartitionAreFoundInTheirOrderPageByPage(t *testing.T) {
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		for n := range 450 {
			server.Exec(fmt.Sprintf("INSERT INTO shop.visits (id, n, note) VALUES (77, %d, 'note')", n))
		}
		for cql, want := range map[string]int{
			"SELECT n FROM shop.visits WHERE id = ?":           450,
			"SELECT n FROM shop.visits WHERE id = ? LIMIT 150": 150,
			"SELECT n FROM shop.visits WHERE id = ? LIMIT 3":   3,
		} {
			pages := server.Requests(cqlfake.Execute, "shop.visits")
			s := operators.Lookup(numbersOf([]int{77, 5000}), session, cql, byID, func(_ int, found operators.Found[int]) ([]int, error) {
				if found.OK && found.Row != found.Rows[0] {
					return nil, errors.New("the first is another")
				}
				return found.Rows, nil
			}, operators.LookupAll(1<<20))
			got := collect(t, s)
			require.Equal(t, upTo(want), got[0], cql)
			require.Nil(t, got[1])
			require.Greater(t, server.Requests(cqlfake.Execute, "shop.visits"), pages+1)
		}
		first := operators.Lookup(numbersOf([]int{77}), session, "SELECT n FROM shop.visits WHERE id = ? LIMIT 1", byID,
			func(_ int, found operators.Found[int]) (int, error) { return found.Row, nil })
		require.Equal(t, []int{0}, collect(t, first))
	})
}

func TestAnEmptyPageInAnAnswerIsNotItsEnd(t *testing.T) {
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		asked := 0
		server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if !r.Reads("shop.customers") {
				return nil
			}
			if asked++; asked%3 > 0 {
				return cqlfake.EmptyPage()
			}
			return nil
		})
		require.Equal(t, wantNames(upTo(60)), collect(t, names(count(60, 7), session, operators.LookupInFlight(1))))
	})
}

func TestRowsThatCannotBeLookedUpAreErrorsOfTheseRows(t *testing.T) {
	bad := errors.New("a bad row")
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if r.Reads("shop.customers") && string(r.Statements[0].Values[0].Bytes) == "\x00\x00\x00\x08" {
				return cqlfake.Fail(&message.Invalid{ErrorMessage: "no eights"})
			}
			return nil
		})
		s := operators.Lookup(count(20, 3), session, nameOfCustomer, func(n int) ([]any, error) {
			switch n {
			case 3:
				return nil, bad
			case 4:
				return []any{"four"}, nil
			case 5:
				return []any{5, 5}, nil
			case 6:
				return nil, nil
			case 7:
				return []any{int64(1) << 40}, nil
			}
			return byID(n)
		}, func(n int, found operators.Found[string]) (int, error) {
			if n == 9 {
				return 0, bad
			}
			return n, nil
		})
		letters := &jobtest.Letters{}
		var got []int
		rep, err := s.ForEach(t.Context(), func(n int) error { got = append(got, n); return nil }, rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
		require.NoError(t, err)
		require.Equal(t, append([]int{0, 1, 2}, upTo(20)[10:]...), got)
		require.EqualValues(t, 7, rep.DeadLettered)
		var rows []string
		for _, l := range letters.All {
			rows = append(rows, string(l.Row))
			require.NotContains(t, l.Error, "four", "no value")
		}
		require.ElementsMatch(t, strings.Fields("3 4 5 6 7 8 9"), rows)
		_, err = s.Collect(t.Context())
		require.ErrorContains(t, err, "stage Lookup")
	})
}
