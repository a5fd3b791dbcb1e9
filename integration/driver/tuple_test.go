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

func TestAWholeTupleCannotBeBoundAndTheErrorSaysWhatCan(t *testing.T) {
	session, s, _ := open(t)
	run(t, session, "CREATE TABLE nested (k int PRIMARY KEY, v tuple<int, frozen<tuple<int, text>>>)")
	whole := driver.Value{Bytes: []byte{0, 0, 0, 4, 0, 0, 0, 9, 0xff, 0xff, 0xff, 0xff}}
	const insert = "INSERT INTO nested (k, v) VALUES (?, ?)"
	err := s.Exec(t.Context(), driver.Statement{CQL: insert, Args: []any{1, &whole}})
	require.ErrorIs(t, err, driver.ErrTupleParam)
	require.ErrorContains(t, err, "v ")
	require.Equal(t, driver.Invalid, driver.Classify(err))
	var b driver.Batch
	b.AddEntry(insert, []any{1, &whole}, nil)
	b.AddEntry(insert, []any{2, &whole}, nil)
	require.Equal(t, driver.Invalid, driver.Classify(s.ExecBatch(t.Context(), &b)))

	require.NoError(t, s.Exec(t.Context(), driver.Statement{
		CQL: "INSERT INTO nested (k, v) VALUES (?, (?, (?, ?)))", Args: []any{1, 9, &driver.Value{State: driver.Null}, "x"},
	}))
	require.NoError(t, s.Exec(t.Context(), driver.Statement{
		CQL: "INSERT INTO nested (k, v) VALUES (?, (?, null))", Args: []any{2, 9},
	}))
	got := make(map[byte][]byte)
	require.NoError(t, s.Each(t.Context(), driver.Statement{CQL: "SELECT k, v FROM nested"}, func(_ string, cells [][]byte) error {
		got[cells[0][3]] = cells[1]
		return nil
	}))
	require.Equal(t, map[byte][]byte{
		1: {0, 0, 0, 4, 0, 0, 0, 9, 0, 0, 0, 9, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 1, 'x'},
		2: whole.Bytes,
	}, got)
}
