package driver_test

import (
	"context"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/driver"
)

const readTuples = "SELECT k, pair, after FROM tuples WHERE k IN (1, 2, 3)"

func TestANullTupleIsToldFromATupleOfNulls(t *testing.T) {
	session, s, _ := open(t)
	run(t, session,
		"CREATE TABLE tuples (k int PRIMARY KEY, pair tuple<int, text>, after text)",
		"INSERT INTO tuples (k, pair, after) VALUES (1, null, 'a')",
		"INSERT INTO tuples (k, pair, after) VALUES (2, (null, null), 'b')",
		"INSERT INTO tuples (k, pair, after) VALUES (3, (7, 'x'), 'c')")
	want := map[string][]byte{
		"a": nil,
		"b": {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
		"c": {0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 1, 'x'},
	}

	// Others read the same statement on the same session meanwhile, in the
	// driver's own way: tuples spread, metadata from its cache.
	var others sync.WaitGroup
	for range 4 {
		others.Go(func() {
			for range 50 {
				var k int
				var number *int
				var text *string
				var after string
				iter := session.Query(readTuples).Iter()
				seen := 0
				for iter.Scan(&k, &number, &text, &after) {
					seen++
					if after == "c" && (number == nil || *number != 7 || *text != "x") {
						t.Errorf("another reader's tuple was spoilt")
					}
				}
				if err := iter.Close(); err != nil || seen != 3 {
					t.Errorf("another reader saw %d rows: %v", seen, err)
				}
			}
		})
	}
	for range 50 {
		p, err := s.Fetch(context.Background(), driver.Statement{CQL: readTuples}, 2, nil)
		require.NoError(t, err)
		got := make(map[string][]byte)
		for {
			require.Equal(t, codec.Tuple, p.Columns()[1].Type.Kind)
			for cells := make([][]byte, 3); p.Scan(cells); {
				got[string(cells[2])] = cells[1]
			}
			require.NoError(t, p.Err())
			if p.Next() == nil {
				break
			}
			p, err = s.Fetch(context.Background(), driver.Statement{CQL: readTuples}, 2, p.Next())
			require.NoError(t, err)
		}
		require.Equal(t, want, got)
		require.Nil(t, got["a"])
	}
	others.Wait()
}

func TestANullTupleAndANestedOneCanBeWrittenEncoded(t *testing.T) {
	session, s, _ := open(t)
	run(t, session, "CREATE TABLE nested (k int PRIMARY KEY, v tuple<int, frozen<tuple<int, text>>>)")
	const insert, read = "INSERT INTO nested (k, v) VALUES (?, ?)", "SELECT v FROM nested WHERE k = ?"
	for k, bytes := range [][]byte{
		nil,
		{0, 0, 0, 4, 0, 0, 0, 9, 0, 0, 0, 13, 0, 0, 0, 4, 0, 0, 0, 7, 0, 0, 0, 1, 'x'},
	} {
		value := driver.Value{Bytes: bytes}
		if bytes == nil {
			value.State = driver.Null
		}
		require.NoError(t, s.Exec(t.Context(), driver.Statement{CQL: insert, Args: []any{k, &value}}))
		p, err := s.Fetch(t.Context(), driver.Statement{CQL: read, Args: []any{k}}, 10, nil)
		require.NoError(t, err)
		cells := make([][]byte, 1)
		require.True(t, p.Scan(cells))
		require.Equal(t, bytes, cells[0])
	}
}
