package driver_test

import (
	"strings"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
)

func TestATextOfASessionsOwnIsThatOfNoOther(t *testing.T) {
	a, b := serve(t, &script{}), serve(t, &script{})
	again, err := driver.Wrap(a.Unwrap())
	require.NoError(t, err)
	require.Equal(t, a.Own(selectByKey), again.Own(selectByKey), "gocql keeps what it prepared by session")
	require.NotEqual(t, a.Own(selectByKey), b.Own(selectByKey))
	require.True(t, strings.HasPrefix(a.Own(selectByKey), "SELECT /* session "))
	require.True(t, strings.HasSuffix(a.Own(selectByKey), "*/ v FROM ks.t WHERE k = ?"))
}

func TestAStatementKeepsItsColumnsIfNothingInItCanGrow(t *testing.T) {
	pair := datatype.NewTuple(datatype.Int, datatype.Int)
	place, err := datatype.NewUserDefined("ks", "place", []string{"x"}, []datatype.DataType{datatype.Int})
	require.NoError(t, err)
	for _, c := range []struct {
		cql   string
		of    []datatype.DataType
		keeps bool
	}{
		{"SELECT v FROM ks.t WHERE k = ?", []datatype.DataType{datatype.Varchar}, true},
		{"SELECT v, w FROM ks.t WHERE k = ?", []datatype.DataType{datatype.Varchar, datatype.NewMap(datatype.Int, datatype.Blob)}, true},
		{"SELECT * FROM ks.t WHERE k = ?", []datatype.DataType{datatype.Varchar}, false},
		{"SELECT v, w FROM ks.t WHERE k = ?", []datatype.DataType{datatype.Varchar, pair}, false},
		{"SELECT v FROM ks.t WHERE k = ?", []datatype.DataType{datatype.NewList(pair)}, false},
		{"SELECT v FROM ks.t WHERE k = ?", []datatype.DataType{place}, false},
		{"SELECT v FROM ks.t WHERE k = ?", []datatype.DataType{datatype.NewMap(datatype.Int, datatype.NewList(place))}, false},
	} {
		var results []*message.ColumnMetadata
		for i, typ := range c.of {
			results = append(results, column(string(rune('v'+i)), typ))
		}
		about, err := serve(t, &script{params: params[:1], results: results, keys: []uint16{0}}).Describe(t.Context(), c.cql)
		require.NoError(t, err)
		require.Equal(t, c.keeps, about.KeepsColumns(c.cql), "%s of %v", c.cql, c.of)
	}
}

// schemaOf is what a server says of the results of a statement, and whether it still knows that.
type schemaOf struct {
	columns   []*message.ColumnMetadata
	forgotten bool
}

func TestColumnsThatAnAnswerDoesNotNameAreThoseOfTheLastPrepare(t *testing.T) {
	two := append(one[:1:1], column("w", datatype.Int))
	tuple := append(one[:1:1], column("w", datatype.NewTuple(datatype.Int)))
	var now shared[schemaOf]
	now.set(schemaOf{columns: one})
	s := serve(t, &script{
		prepare: func(m *message.Prepare) message.Message {
			columns := now.get().columns
			now.set(schemaOf{columns: columns})
			return &message.PreparedResult{
				PreparedQueryId:   []byte(m.Query),
				VariablesMetadata: &message.VariablesMetadata{Columns: params[:1], PkIndices: []uint16{0}},
				ResultMetadata:    &message.RowsMetadata{ColumnCount: int32(len(columns)), Columns: columns},
			}
		},
		execute: func(e *message.Execute) message.Message {
			at := now.get()
			if at.forgotten {
				return &message.Unprepared{ErrorMessage: "forgotten", Id: e.QueryId}
			}
			answer := rows(at.columns, nil, make(message.Row, len(at.columns)))
			if e.Options.SkipMetadata {
				answer.Metadata.Columns = nil
			}
			return answer
		},
	})
	var r driver.Repeated
	fetch := func(known bool) ([]codec.Column, error) {
		st := driver.Statement{CQL: selectByKey, Args: driver.Bind(nil, []driver.Value{{Bytes: []byte{0, 0, 0, 1}}}), ColumnsKnown: known}
		p, err := r.Fetch(t.Context(), s, &st, 2, nil)
		if err != nil {
			return nil, err
		}
		return p.Columns(), nil
	}
	first, err := fetch(true)
	require.NoError(t, err)
	require.Len(t, first, 1)
	again, err := fetch(true)
	require.NoError(t, err)
	require.Same(t, &first[0], &again[0])
	named, err := fetch(false)
	require.NoError(t, err)
	require.Equal(t, first, named)

	now.set(schemaOf{columns: two, forgotten: true})
	for range 2 {
		after, err := fetch(true)
		require.NoError(t, err)
		require.Len(t, after, 2, "it was prepared anew")
		require.Equal(t, "w", after[1].Name)
	}

	now.set(schemaOf{columns: tuple, forgotten: true})
	_, err = fetch(true)
	require.ErrorIs(t, err, driver.ErrSchema)
	require.ErrorContains(t, err, "column w is a tuple")
}
