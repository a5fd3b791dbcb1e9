package overflow_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"github.com/rxcql/rxcql/internal/leak"
	"github.com/rxcql/rxcql/internal/overflow"
)

func TestMain(m *testing.M) { leak.Main(m) }

// model is a queue, a row at a time, the way that a policy is told. A row is its own size.
type model struct {
	policy overflow.Policy
	rows   int
	bytes  int
	wait   []int
	gone   int
}

func (m *model) fits(row int) bool {
	sum := 0
	for _, n := range m.wait {
		sum += n
	}
	return len(m.wait) == 0 || len(m.wait) < m.rows && sum+row <= m.bytes
}

// put reports whether the row was taken.
func (m *model) put(row int) bool {
	if m.policy == overflow.Latest {
		m.gone += len(m.wait)
		m.wait = []int{row}
		return true
	}
	for !m.fits(row) {
		switch m.policy {
		case overflow.DropNewest:
			m.gone++
			return true
		case overflow.DropOldest:
			m.wait = m.wait[1:]
			m.gone++
		default:
			return false
		}
	}
	m.wait = append(m.wait, row)
	return true
}

func TestAQueueHoldsWhatItsPolicySays(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		policy := overflow.Policy(rapid.IntRange(0, int(overflow.Fail)).Draw(rt, "policy"))
		m := &model{policy: policy, rows: rapid.IntRange(1, 9).Draw(rt, "rows"), bytes: rapid.IntRange(1, 60).Draw(rt, "bytes")}
		q := overflow.New[int, int](policy, m.rows, int64(m.bytes))
		size, keep := func(n *int) int { return *n }, func(n int) int { return n }
		gone, next := 0, 0
		waits := map[int]int{} // rows of a chunk that wait
		for range rapid.IntRange(1, 40).Draw(rt, "steps") {
			if rapid.IntRange(0, 2).Draw(rt, "take") == 0 {
				c := q.Take()
				if c == nil {
					require.Empty(rt, m.wait)
					continue
				}
				require.Equal(rt, m.wait[:len(c.Rows)], c.Rows)
				require.Equal(rt, waits[c.Of], len(c.Rows))
				sum := 0
				for _, n := range c.Rows {
					sum += n
				}
				require.EqualValues(rt, sum, c.Bytes)
				m.wait = m.wait[len(c.Rows):]
				continue
			}
			rows := rapid.SliceOfN(rapid.IntRange(1, 30), 0, 12).Draw(rt, "put")
			before := slices.Clone(rows)
			next++
			c, taken, dropped := q.Put(next, rows, size, keep, func(c *overflow.Chunk[int, int], n int, _ int64) {
				gone += n
				waits[c.Of] -= n
				require.Equal(rt, waits[c.Of], len(c.Rows))
			})
			gone += dropped
			if c != nil {
				require.Equal(rt, next, c.Of)
				waits[next] = len(c.Rows)
			}
			want := 0
			for i, row := range rows {
				lost := m.gone
				if !m.put(row) {
					break
				}
				want++
				if policy == overflow.DropNewest && m.gone > lost { // the rest goes with it
					m.gone += len(rows) - i - 1
					want = len(rows)
					break
				}
			}
			require.Equal(rt, want, taken)
			require.Equal(rt, before, rows, "rows are the caller's")
			require.Equal(rt, m.gone, gone)
			n, held := q.Len()
			sum := 0
			for _, row := range m.wait {
				sum += row
			}
			require.Equal(rt, len(m.wait), n)
			require.EqualValues(rt, sum, held)
		}
	})
}

func TestRowsAreTakenByNumberAndBytesWhicheverChunksTheyAreOf(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		policy := overflow.Policy(rapid.IntRange(0, int(overflow.Fail)).Draw(rt, "policy"))
		m := &model{policy: policy, rows: rapid.IntRange(1, 30).Draw(rt, "rows"), bytes: rapid.IntRange(1, 200).Draw(rt, "bytes")}
		q := overflow.New[int, int](policy, m.rows, int64(m.bytes))
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			for _, row := range rapid.SliceOfN(rapid.IntRange(1, 30), 1, 5).Draw(rt, "put") {
				m.put(row)
				q.Put(0, []int{row}, func(n *int) int { return *n }, func(n int) int { return n }, func(*overflow.Chunk[int, int], int, int64) {})
			}
			before := rapid.SliceOfN(rapid.IntRange(1, 30), 0, 2).Draw(rt, "rows before")
			most, mostBytes := rapid.IntRange(0, 12).Draw(rt, "most"), rapid.IntRange(1, 100).Draw(rt, "most bytes")
			want, sum := slices.Clone(before), 0
			for len(want) < most && sum < mostBytes && len(m.wait) > 0 {
				want, sum, m.wait = append(want, m.wait[0]), sum+m.wait[0], m.wait[1:]
			}
			got, bytes := q.TakeRows(before, most, int64(mostBytes))
			require.Equal(rt, append([]int{}, want...), append([]int{}, got...))
			require.EqualValues(rt, sum, bytes)
			held := 0
			for _, row := range m.wait {
				held += row
			}
			n, isHeld := q.Len()
			require.Equal(rt, len(m.wait), n)
			require.EqualValues(rt, held, isHeld)
		}
	})
}
