package source_test

import (
	"sync/atomic"
	"testing"
	"testing/synctest"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/droptest"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

func TestAColumnThatIsDroppedEndsARunThatReadsItThoughTheServerGivesRows(t *testing.T) {
	type keys struct {
		P int `cql:"p"`
	}
	count := func(s rxcql.Stream[rxcql.Row]) func(*testing.T) error {
		return func(t *testing.T) error { _, err := s.Count(t.Context()); return err }
	}
	query := func(cql string) func(*gocql.Session) func(*testing.T) error {
		return func(s *gocql.Session) func(*testing.T) error {
			return count(source.Query[rxcql.Row](s, cql, source.PageRows(1)))
		}
	}
	for name, tc := range map[string]struct {
		run   func(*gocql.Session) func(*testing.T) error
		reads bool
	}{
		"Table": {func(s *gocql.Session) func(*testing.T) error { return count(source.Table[rxcql.Row](s, "ks.t")) }, true},
		"Table, others": {func(s *gocql.Session) func(*testing.T) error {
			return count(source.Table[rxcql.Row](s, "ks.t", source.Columns("p", "w")))
		}, false},
		"Table, a struct": {func(s *gocql.Session) func(*testing.T) error {
			return func(t *testing.T) error { _, err := source.Table[keys](s, "ks.t").Count(t.Context()); return err }
		}, false},
		"AdaptiveSplits": {func(s *gocql.Session) func(*testing.T) error {
			return count(source.Table[rxcql.Row](s, "ks.t", source.AdaptiveSplits()))
		}, true},
		"TablePair": {func(s *gocql.Session) func(*testing.T) error {
			return func(t *testing.T) error {
				_, err := source.TablePair[rxcql.Row, rxcql.Row](s, "ks.other", s, "ks.t").Count(t.Context())
				return err
			}
		}, true},
		"Query":                  {query("SELECT * FROM ks.t"), true},
		"Query, a column":        {query("SELECT p, v FROM ks.t"), true},
		"Query, another name":    {query("SELECT p, V AS x FROM ks.t"), true},
		"Query, a function":      {query("SELECT p, writetime(v) AS x FROM ks.t"), true},
		"Query, others":          {query("SELECT p, w FROM ks.t"), false},
		"Query, several columns": {query("SELECT w, p AS key FROM ks.t"), false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := cqlfake.New(t)
				server.Keyspace("ks", "t (p int PRIMARY KEY, v text, w text)", "other (p int PRIMARY KEY, v text, w text)")
				server.Exec("INSERT INTO ks.t (p, v, w) VALUES (1, 'v', 'w')", "INSERT INTO ks.t (p, v, w) VALUES (2, 'v', 'w')", "INSERT INTO ks.other (p, v, w) VALUES (1, 'v', 'w')")
				var gone atomic.Bool
				droptest.Column(t, server, "t", "v", func(r *cqlfake.Request) bool {
					return gone.Load() || r.Reads("ks.t") && gone.Swap(true)
				})
				session, err := server.Cluster().CreateSession()
				require.NoError(t, err)
				defer cqlfake.CloseSession(session)
				err = tc.run(session)(t)
				if !tc.reads {
					require.NoError(t, err)
					return
				}
				require.ErrorIs(t, err, rxcql.ErrSchema)
				require.ErrorContains(t, err, `column "v" of table "ks"."t" was dropped while it was read`)
			})
		})
	}
}
