package source_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

func TestAPageThatFailsSinceItsTableIsGoneIsAnErrorOfTheSchema(t *testing.T) {
	count := func(s rxcql.Stream[rxcql.Row], t *testing.T) error { _, err := s.Count(t.Context()); return err }
	for name, read := range map[string]func(*testing.T, *gocql.Session) error{
		"Table": func(t *testing.T, s *gocql.Session) error {
			return count(source.Table[rxcql.Row](s, "ks.t", source.PageRows(5), source.Splits(1)), t)
		},
		"AdaptiveSplits": func(t *testing.T, s *gocql.Session) error {
			return count(source.Table[rxcql.Row](s, "ks.t", source.PageRows(5), source.Splits(1), source.AdaptiveSplits()), t)
		},
		"Query": func(t *testing.T, s *gocql.Session) error {
			return count(source.Query[rxcql.Row](s, "SELECT p FROM ks.t", source.PageRows(5)), t)
		},
		"TablePair": func(t *testing.T, s *gocql.Session) error {
			_, err := source.TablePair[rxcql.Row, rxcql.Row](s, "ks.other", s, "ks.t", source.PageRows(5), source.Splits(1)).Count(t.Context())
			return err
		},
	} {
		for how, says := range map[string]*cqlfake.Reply{
			"invalid": nil, "an exception": cqlfake.Fail(&message.ServerError{ErrorMessage: "java.lang.IllegalArgumentException: Unknown CF"}),
		} {
			t.Run(name+", "+how, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server := cqlfake.New(t)
					server.Keyspace("ks", "t (p int PRIMARY KEY)", "other (p int PRIMARY KEY)")
					for p := range 50 {
						server.Exec(fmt.Sprintf("INSERT INTO ks.t (p) VALUES (%d)", p), fmt.Sprintf("INSERT INTO ks.other (p) VALUES (%d)", p))
					}
					var pages atomic.Int64
					server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
						if r.Kind == cqlfake.Prepare && pages.Load() >= 3 && strings.Contains(r.Statements[0].CQL, `"t"`) {
							return says // the driver prepares anew what has failed
						}
						if !r.Reads("ks.t") {
							return nil
						}
						n := pages.Add(1)
						if n == 3 {
							server.Exec("DROP TABLE ks.t")
						}
						if n >= 3 {
							return says
						}
						return nil
					})
					session, err := server.Cluster().CreateSession()
					require.NoError(t, err)
					defer cqlfake.CloseSession(session)
					err = read(t, session)
					require.ErrorIs(t, err, rxcql.ErrSchema)
					require.ErrorContains(t, err, `table "ks"."t" was dropped while it was read`)
				})
			})
		}
	}
}
