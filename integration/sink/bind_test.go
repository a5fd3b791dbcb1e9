package sink_test

import (
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
)

func TestAWrongNumberOfBoundValuesIsTheRowsOwnErrorWhereverTheKeyStands(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t (id bigint PRIMARY KEY, v int)")
	for _, cql := range []string{
		"UPDATE " + ks + ".t SET v = ? WHERE id = ?", // the key is bound last
		"INSERT INTO " + ks + ".t (id, v) VALUES (?, ?)",
		"BEGIN BATCH UPDATE " + ks + ".t SET v = ? WHERE id = ?; APPLY BATCH",
	} {
		for _, got := range []int{0, 1, 3} {
			bind := func(p pair) ([]any, error) {
				if p.ID%2 == 0 {
					return make([]any, got), nil
				}
				return []any{int32(p.ID), int32(p.ID)}, nil
			}
			if cql[0] == 'U' || cql[0] == 'B' {
				good := bind
				bind = func(p pair) ([]any, error) {
					args, err := good(p)
					if len(args) == 2 {
						args = []any{int32(p.ID), p.ID}
					}
					return args, err
				}
			}
			create(t, session, "TRUNCATE t")
			p, err := rxcql.New(rows(pairs(20)...), sink.Exec(session, cql, bind), rxcql.WithRowErrors(rxcql.SkipRows(100)))
			require.NoError(t, err)
			rep, err := p.Run(t.Context())
			require.NoError(t, err, "%s, %d", cql, got)
			require.EqualValues(t, []int64{10, 10, 0}, []int64{rep.Skipped, rep.Written, rep.Unknown})
			require.Equal(t, 10, count(t, session, "t"))

			p, err = rxcql.New(rows(pairs(1)...), sink.Exec(session, cql, bind))
			require.NoError(t, err)
			rep, err = p.Run(t.Context())
			var row *rxcql.RowError
			require.ErrorAs(t, err, &row)
			require.NotErrorIs(t, err, rxcql.ErrUnknownOutcome)
			require.ErrorContains(t, err, "the statement takes 2 bound values, not "+string(rune('0'+got)))
			require.Zero(t, rep.Unknown)
		}
	}
}

type panics struct{}

func (panics) MarshalCQL(gocql.TypeInfo) ([]byte, error) { panic("4111111111111111") }

func TestAPanicInMarshalCQLEndsTheRunAndLeavesNothingOpen(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t (id bigint PRIMARY KEY, v int)")
	for _, args := range [][]any{{panics{}, int64(1)}, {int32(1), panics{}}} { // next to the key, and as the key
		bind := func(pair) ([]any, error) { return args, nil }
		p, err := rxcql.New(rows(pairs(1)...), sink.Exec(session, "UPDATE "+ks+".t SET v = ? WHERE id = ?", bind),
			rxcql.WithRowErrors(rxcql.SkipRows(100)))
		require.NoError(t, err)
		rep, err := p.Run(t.Context())
		require.ErrorIs(t, err, rxcql.ErrPanic)
		require.NotErrorIs(t, err, rxcql.ErrUnknownOutcome)
		require.NotContains(t, err.Error(), "4111")
		require.Zero(t, rep.Unknown)
		var stage *rxcql.StageError
		require.ErrorAs(t, err, &stage)
		require.Equal(t, "Exec", stage.Stage)
		require.Contains(t, string(stage.Stack), "panics.MarshalCQL")
	}
	require.Zero(t, count(t, session, "t"))
}
