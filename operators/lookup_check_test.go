package operators_test

import (
	"context"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

func TestEverythingWrongWithALookupIsReportedTogetherAndNothingIsAsked(t *testing.T) {
	type twice struct {
		A int `cql:"a"`
		B int `cql:"a"`
	}
	s := operators.Lookup[int, twice, int](count(10, 3), nil, " ", nil, nil,
		operators.LookupInFlight(0), operators.LookupConsistency(77), operators.LookupAll(0), operators.LookupCache(0, time.Hour),
		operators.LookupCache(1<<20, 0), nil)
	_, err := s.Collect(t.Context())
	require.ErrorIs(t, err, rxcql.ErrConfig)
	for _, text := range []string{
		"Lookup: ", "no Cassandra session", "the function that binds is nil", "the function that joins is nil", "the statement is empty", "B",
		"LookupInFlight(0): must be from 1 to 1048576", "LookupConsistency(77): no such level", "LookupAll(0): must be at least 1 byte",
		"LookupCache(0, 1h0m0s)", "LookupCache(1048576, 0s)", "an option is nil",
	} {
		require.ErrorContains(t, err, text)
	}
}

func TestCheckComparesALookupWithTheSchema(t *testing.T) {
	type customer struct {
		ID    int   `cql:"id"`
		Names []int `cql:"name"`
		Age   int   `cql:"age"`
	}
	inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
		check := func(cql string) error {
			s := operators.Lookup(count(10, 3), session, cql, byID, func(n int, _ operators.Found[customer]) (int, error) { return n, nil })
			p, err := rxcql.New(s, &gather[int]{})
			require.NoError(t, err)
			err = p.Check(t.Context())
			require.ErrorIs(t, err, rxcql.ErrSchema, cql)
			require.ErrorContains(t, err, "Lookup: ", cql)
			_, runErr := s.Collect(t.Context())
			require.ErrorIs(t, runErr, rxcql.ErrSchema, cql)
			return err
		}
		require.ErrorContains(t, check("SELECT id, name, id AS age FROM shop.customers WHERE id = ?"), "name")
		require.ErrorContains(t, check("SELECT id, nam FROM shop.customers WHERE id = ?"), "nam")
		require.ErrorContains(t, check("SELECT id FROM shop.custom WHERE id = ?"), "the statement was refused")
		err := check("SELECT id, name FROM shop.customers WHERE id = 1")
		for _, text := range []string{"no bind markers", "age"} {
			require.ErrorContains(t, err, text)
		}
		require.ErrorContains(t, check("UPDATE shop.customers SET name = 'x' WHERE id = ?"), "gives no rows; Lookup takes a SELECT")
		require.Zero(t, server.Requests(cqlfake.Execute, "shop.customers"))

		twice := operators.Lookup(count(10, 3), session, "SELECT id, id FROM shop.customers WHERE id = ?", byID,
			func(n int, _ operators.Found[rxcql.Row]) (int, error) { return n, nil })
		require.ErrorContains(t, twice.Check(t.Context()), "two columns are named")
		require.NoError(t, names(count(10, 3), session).Check(context.Background()))
	})
}

func TestWithUnorderedNoGroupAdjacentMayFollow(t *testing.T) {
	inShop(t, func(t *testing.T, _ *cqlfake.Server, session *gocql.Session) {
		group := func(in rxcql.Stream[string]) error {
			groups := operators.GroupAdjacent(in, itself[string], zero, func(n int, _ string) (int, error) { return n + 1, nil })
			_, err := groups.Count(t.Context())
			return err
		}
		require.NoError(t, group(names(count(10, 3), session)))
		require.ErrorContains(t, group(names(count(10, 3), session, operators.Unordered())), "mixes")
	})
}
