package driver_test

import (
	"context"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/frame"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
)

func column(name string, typ datatype.DataType) *message.ColumnMetadata {
	return &message.ColumnMetadata{Keyspace: "ks", Table: "t", Name: name, Type: typ}
}

var one = []*message.ColumnMetadata{column("v", datatype.Varchar)}

const selectV = "SELECT v FROM ks.t"

func values(t *testing.T, p *driver.Page) (all []string) {
	t.Helper()
	cells := make([][]byte, len(p.Columns()))
	for p.Scan(cells) {
		all = append(all, string(cells[0]))
	}
	require.NoError(t, p.Err())
	return all
}

func TestEmptyPagesInTheMiddleAreNotTheEnd(t *testing.T) {
	s := serve(t, &script{results: one, execute: func(e *message.Execute) message.Message {
		switch string(e.Options.PagingState) {
		case "":
			return rows(one, []byte("second"), message.Row{[]byte("a")})
		case "second":
			return rows(one, []byte("third"))
		default:
			return rows(one, nil, message.Row{[]byte("b")})
		}
	}})
	var got []string
	var state []byte
	for range 3 {
		p, err := s.Fetch(t.Context(), driver.Statement{CQL: selectV}, 10, state)
		require.NoError(t, err)
		got = append(got, values(t, p)...)
		state = p.Next()
	}
	require.Nil(t, state)
	require.Equal(t, []string{"a", "b"}, got)
}

func TestAPageStateOfNoLengthIsTheEnd(t *testing.T) {
	s := serve(t, &script{results: one, execute: func(*message.Execute) message.Message {
		return rows(one, []byte{}, message.Row{[]byte("a")})
	}})
	p, err := s.Fetch(t.Context(), driver.Statement{CQL: selectV}, 10, nil)
	require.NoError(t, err)
	require.Nil(t, p.Next())
}

func TestEachPageAsksForItsSizeAndMetadata(t *testing.T) {
	var options shared[*message.QueryOptions]
	s := serve(t, &script{results: one, execute: func(e *message.Execute) message.Message {
		options.set(e.Options)
		return rows(one, nil)
	}})
	_, err := s.Fetch(t.Context(), driver.Statement{CQL: selectV}, 123, []byte("state"))
	require.NoError(t, err)
	asked := options.get()
	require.Equal(t, int32(123), asked.PageSize)
	require.Equal(t, "state", string(asked.PagingState))
	require.False(t, asked.SkipMetadata)

	_, err = s.Fetch(t.Context(), driver.Statement{CQL: selectV}, 0, nil)
	require.ErrorIs(t, err, driver.ErrPageSize)
}

func TestNullIsToldFromEmptyAndCellsStayApart(t *testing.T) {
	two := []*message.ColumnMetadata{column("a", datatype.Varchar), column("b", datatype.Blob)}
	s := serve(t, &script{results: two, execute: func(*message.Execute) message.Message {
		return rows(two, nil, message.Row{nil, []byte{}}, message.Row{[]byte("xy"), []byte("z")})
	}})
	p, err := s.Fetch(t.Context(), driver.Statement{CQL: selectV}, 10, nil)
	require.NoError(t, err)
	require.Equal(t, 2, p.Rows())

	first, second := make([][]byte, 2), make([][]byte, 2)
	require.True(t, p.Scan(first))
	require.Nil(t, first[0])
	require.NotNil(t, first[1])
	require.Empty(t, first[1])
	require.True(t, p.Scan(second))
	_ = append(second[0], "overwritten?"...)
	require.Equal(t, "z", string(second[1]))
	require.Equal(t, 3, p.Bytes())
	require.GreaterOrEqual(t, p.Held(), p.Bytes())
	require.False(t, p.Scan(first))
	require.NoError(t, p.Err())
}

func TestCellsOfTheWrongCountAreRefused(t *testing.T) {
	s := serve(t, &script{results: one, execute: func(*message.Execute) message.Message {
		return rows(one, nil, message.Row{[]byte("a")})
	}})
	p, err := s.Fetch(t.Context(), driver.Statement{CQL: selectV}, 10, nil)
	require.NoError(t, err)
	require.False(t, p.Scan(make([][]byte, 2)))
	require.ErrorContains(t, p.Err(), "a row has 1 cells, not 2")
}

func TestColumnsStayTheSameSliceUntilTheServerDescribesThemAnew(t *testing.T) {
	tuple := datatype.NewTuple(datatype.Int, datatype.NewList(datatype.Varchar))
	var answer shared[[]*message.ColumnMetadata]
	answer.set([]*message.ColumnMetadata{column("v", tuple)})
	s := serve(t, &script{results: one, execute: func(*message.Execute) message.Message { return rows(answer.get(), nil) }})
	columns := func() []codec.Column {
		p, err := s.Fetch(t.Context(), driver.Statement{CQL: selectV}, 10, nil)
		require.NoError(t, err)
		return p.Columns()
	}
	before := columns()
	require.Same(t, &before[0], &columns()[0])
	require.Equal(t, codec.Tuple, before[0].Type.Kind)

	answer.set([]*message.ColumnMetadata{column("v", tuple), column("added", datatype.Int)})
	after := columns()
	require.Len(t, after, 2)
	require.Same(t, &after[0], &columns()[0])
}

func TestAFrameCutShortIsAnErrorAndNoCrash(t *testing.T) {
	var less shared[int]
	s := serve(t, &script{results: one, raw: func(in *frame.Frame) []byte {
		whole := encode(t, in, rows(one, nil, message.Row{[]byte("first")}, message.Row{[]byte("second")}))
		body := whole[9:max(9, len(whole)-less.get())]
		return append(header(in, primitive.OpCodeResult, len(body)), body...)
	}})
	for cut := range 50 {
		less.set(cut)
		p, err := s.Fetch(context.Background(), driver.Statement{CQL: selectV}, 10, nil)
		read := 0
		if err == nil {
			for cells := make([][]byte, 1); p.Scan(cells); {
				read++
			}
			err = p.Err()
		}
		if cut == 0 {
			require.NoError(t, err)
			require.Equal(t, 2, read)
		} else {
			require.Error(t, err, "cut by %d", cut)
			require.Less(t, read, 2)
		}
	}
}
