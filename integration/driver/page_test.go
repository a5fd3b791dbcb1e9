package driver_test

import (
	"context"
	"encoding/binary"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
)

func bigint(n int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(n)) }

func TestPagesGoOnWhereTheLastOneEnded(t *testing.T) {
	session, s, _ := open(t)
	run(t, session, "CREATE TABLE pages (k bigint, c bigint, v blob, PRIMARY KEY (k, c))")
	const rows = 2500
	for from := 0; from < rows; from += 100 {
		var b driver.Batch
		for c := from; c < from+100; c++ {
			values := []driver.Value{{Bytes: bigint(1)}, {Bytes: bigint(int64(c))}, {Bytes: make([]byte, 100)}}
			b.AddEntry("INSERT INTO pages (k, c, v) VALUES (?, ?, ?)", driver.Bind(nil, values), nil)
		}
		require.NoError(t, s.ExecBatch(t.Context(), &b))
	}
	read := driver.Statement{CQL: "SELECT c, v FROM pages WHERE k = ?", Args: []any{int64(1)}}
	var state []byte
	next := int64(0)
	for size := 100; ; size += 50 { // the size may change from page to page
		p, err := s.Fetch(t.Context(), read, size, state)
		require.NoError(t, err)
		require.LessOrEqual(t, p.Rows(), size)
		for cells := make([][]byte, 2); p.Scan(cells); next++ {
			require.Equal(t, bigint(next), cells[0])
		}
		require.NoError(t, p.Err())
		require.Equal(t, p.Rows()*108, p.Bytes())
		require.NotEmpty(t, p.Host())
		if state = p.Next(); state == nil {
			break
		}
	}
	require.Equal(t, int64(rows), next)
}

func TestAColumnAddedUnderAStarIsSeenAtOnce(t *testing.T) {
	session, s, _ := open(t)
	run(t, session, "CREATE TABLE star (k int PRIMARY KEY, a text)", "INSERT INTO star (k, a) VALUES (1, 'x')")
	columns := func() int {
		p, err := s.Fetch(t.Context(), driver.Statement{CQL: "SELECT * FROM star"}, 10, nil)
		require.NoError(t, err)
		cells := make([][]byte, len(p.Columns()))
		require.True(t, p.Scan(cells))
		return len(cells)
	}
	require.Equal(t, 2, columns())
	run(t, session, "ALTER TABLE star ADD b int")
	require.Equal(t, 3, columns())
}

func TestDescribeTellsWhatTheServerThinks(t *testing.T) {
	session, s, _ := open(t)
	run(t, session, "CREATE TABLE described (a int, b text, v list<int>, PRIMARY KEY ((a, b)))")
	d, err := s.Describe(t.Context(), "SELECT v, writetime(v) FROM described WHERE b = ? AND a = ?")
	require.NoError(t, err)
	require.Equal(t, []int{1, 0}, d.PartitionKey)
	require.Equal(t, "b", d.Params[0].Name)
	require.Equal(t, "list<int>", d.Results[0].Type.String())

	d, err = s.Describe(t.Context(), "INSERT INTO described (a, b, v) VALUES (?, ?, ?) USING TIMESTAMP ? AND TTL ?")
	require.NoError(t, err)
	require.Len(t, d.Params, 5)
	require.Equal(t, "[timestamp]", d.Params[3].Name)
	require.Empty(t, d.Results)
	var n int
	require.NoError(t, session.Query("SELECT count(*) FROM described").Scan(&n))
	require.Zero(t, n)

	_, err = s.Describe(t.Context(), "SELECT nope FROM described")
	require.Equal(t, driver.Invalid, driver.Classify(err))
	_, err = s.Describe(t.Context(), "SELECT FROM")
	require.Equal(t, driver.Syntax, driver.Classify(err))
}

func TestUnsetLeavesAndNullDeletes(t *testing.T) {
	session, s, _ := open(t)
	run(t, session, "CREATE TABLE states (k int PRIMARY KEY, a text, b text)", "INSERT INTO states (k, a, b) VALUES (1, 'a', 'b')")
	values := []driver.Value{{Bytes: []byte{0, 0, 0, 1}}, {State: driver.Unset}, {State: driver.Null}}
	require.NoError(t, s.Exec(t.Context(), driver.Statement{
		CQL: "INSERT INTO states (k, a, b) VALUES (?, ?, ?)", Args: driver.Bind(nil, values),
	}))
	p, err := s.Fetch(t.Context(), driver.Statement{CQL: "SELECT a, b FROM states"}, 10, nil)
	require.NoError(t, err)
	cells := make([][]byte, 2)
	require.True(t, p.Scan(cells))
	require.Equal(t, "a", string(cells[0]))
	require.Nil(t, cells[1])
}

func TestAFrozenServerIsLeftWhenTheContextEnds(t *testing.T) {
	session, s, _ := open(t)
	run(t, session, "CREATE TABLE held (k int PRIMARY KEY)")
	read := driver.Statement{CQL: "SELECT k FROM held"}
	_, err := s.Fetch(t.Context(), read, 10, nil)
	require.NoError(t, err)

	node := cluster.Nodes()[0]
	require.NoError(t, node.Pause())
	defer func() { require.NoError(t, node.Resume()) }()
	why := errors.New("time is up")
	for range 50 { // until all threads of the server have stopped
		ctx, cancel := context.WithTimeoutCause(context.Background(), 300*time.Millisecond, why)
		_, err = s.Fetch(ctx, read, 10, nil)
		cancel()
		if err != nil {
			break
		}
	}
	require.ErrorIs(t, err, why)
	require.ErrorIs(t, err, context.DeadlineExceeded)
}
