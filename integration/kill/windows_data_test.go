package kill_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/source"
)

const (
	measuredPartitions = 300
	measuredRows       = 20 // in each
	measuredKeys       = 5
)

// measuredFrom is when the rows begin to happen, apart from those that are too late.
var measuredFrom = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

// place is a primary key.
type place struct {
	P int64 `cql:"p"`
	C int   `cql:"c"`
}

// fillMeasured writes the table whose rows are counted. It first finds out in which order the rows
// of each token range come, since event time is to go on in all ranges alike.
func fillMeasured(t *testing.T, session *gocql.Session, table string) (rows []measured) {
	t.Helper()
	require.NoError(t, session.Query("CREATE TABLE "+table+" (p bigint, c int, id bigint, k int, at timestamp, delay int, PRIMARY KEY (p, c))").Exec())
	all := make([]measured, 0, measuredPartitions*measuredRows)
	for p := range int64(measuredPartitions) {
		for c := range measuredRows {
			all = append(all, measured{P: p, C: c, At: measuredFrom})
		}
	}
	writeMeasured(t, session, table, all)

	ranges := map[int][]place{}
	_, err := pagesOf(source.Table[place](session, table, source.Splits(1)), func(p *flow.Page[place]) {
		ranges[p.Range] = append(ranges[p.Range], p.Rows...)
	}).Count(t.Context())
	require.NoError(t, err)
	for _, places := range ranges {
		for i, at := range places {
			rows = append(rows, measuredAt(int64(len(rows)), at, i, len(places)))
		}
	}
	require.Len(t, rows, measuredPartitions*measuredRows)
	slices.SortFunc(rows, func(a, b measured) int { return int(a.P - b.P) })
	writeMeasured(t, session, table, rows)
	return rows
}

// measuredAt is row i of n of a token range. Of each key rows happen for half a minute, and for
// twenty seconds none does; keys are behind each other.
func measuredAt(id int64, at place, i, n int) measured {
	m := measured{P: at.P, C: at.C, ID: id, K: int(id*7) % measuredKeys, Delay: int(id*11) % lateness}
	ms := int64(i) * 600_000 / int64(n)
	ms = ms/30_000*50_000 + ms%30_000 + int64(m.K)*7000 - id*131%5000
	m.At = measuredFrom.Add(time.Duration(ms) * time.Millisecond)
	if i >= n*9/10 && i%10 == 3 { // too late, and in windows of its own
		m.At, m.Delay = measuredFrom.Add(-24*time.Hour-time.Duration(id)*5*time.Minute), 0
	}
	return m
}

func (m measured) isTooLate() bool { return m.At.Before(measuredFrom.Add(-time.Hour)) }

// writeMeasured writes rows that are in the order of their partitions.
func writeMeasured(t *testing.T, session *gocql.Session, table string, rows []measured) {
	t.Helper()
	for some := range slices.Chunk(rows, measuredRows) {
		b := session.NewBatch(gocql.UnloggedBatch)
		for _, m := range some {
			b.Query("INSERT INTO "+table+" (p, c, id, k, at, delay) VALUES (?, ?, ?, ?, ?, ?)", m.P, m.C, m.ID, m.K, m.At, m.Delay)
		}
		require.NoError(t, session.ExecuteBatch(b))
	}
}

// pagesOf calls look with each page.
func pagesOf[T any](in rxcql.Stream[T], look func(p *flow.Page[T])) rxcql.Stream[T] {
	return rxcql.Lift(in, rxcql.StageInfo{Name: "Looking", OneToOne: true}, func(_ *rxcql.Stage, out flow.Observer[T]) flow.Observer[T] {
		return &looking[T]{out, look}
	})
}

type looking[T any] struct {
	flow.Observer[T]
	look func(p *flow.Page[T])
}

func (l *looking[T]) Next(ctx context.Context, p *flow.Page[T]) error {
	l.look(p)
	return l.Observer.Next(ctx, p)
}

// windowKey is the primary key of a result.
type windowKey struct {
	k     int
	start time.Time
}

// windowsByHand are the windows of rows, by looking at all of them.
func windowsByHand(kind string, rows []measured) map[windowKey]counted {
	all := map[windowKey]counted{}
	add := func(m measured, start, end time.Time) {
		key := windowKey{m.K, start}
		all[key] = counted{m.K, start, end, all[key].N + 1, all[key].Sum + m.ID}
	}
	if kind == "Session" {
		const gap = sessionGap * time.Second
		rows = slices.SortedFunc(slices.Values(rows), func(a, b measured) int { return a.At.Compare(b.At) })
		for k := range measuredKeys {
			of := slices.DeleteFunc(slices.Clone(rows), func(m measured) bool { return m.K != k })
			for i := 0; i < len(of); {
				end := i + 1
				for end < len(of) && of[end].At.Sub(of[end-1].At) < gap {
					end++
				}
				for _, m := range of[i:end] {
					add(m, of[i].At, of[end-1].At.Add(gap))
				}
				i = end
			}
		}
		return all
	}
	for _, m := range rows {
		for _, start := range startsByHand(kind, m.in(kind)) {
			add(m, start, start.Add(sizeByHand(kind)))
		}
	}
	return all
}

func sizeByHand(kind string) time.Duration {
	if kind == "Hopping" {
		return hoppingSize * time.Second
	}
	return windowSize * time.Second
}

// startsByHand are the starts of the windows that a time is in.
func startsByHand(kind string, at time.Time) (all []time.Time) {
	if kind == "Session" {
		return []time.Time{at}
	}
	every := windowSize * time.Second
	if kind == "Hopping" {
		every = hoppingStep * time.Second
	}
	for start := at.Truncate(every); at.Sub(start) < sizeByHand(kind); start = start.Add(-every) {
		all = append(all, start)
	}
	return all
}

// resultsIn reads a table of results with the driver alone.
func resultsIn(t *testing.T, session *gocql.Session, table string) map[windowKey]counted {
	t.Helper()
	all := map[windowKey]counted{}
	iter := session.Query("SELECT k, start, ends, n, sum FROM " + table).Iter()
	for c := (counted{}); iter.Scan(&c.K, &c.Start, &c.End, &c.N, &c.Sum); {
		c.Start, c.End = c.Start.UTC(), c.End.UTC()
		all[windowKey{c.K, c.Start}] = c
	}
	require.NoError(t, iter.Close())
	return all
}

// lateIn reads a table of late rows.
func lateIn(t *testing.T, session *gocql.Session, table string) map[int64]bool {
	t.Helper()
	all := map[int64]bool{}
	iter := session.Query("SELECT id FROM " + table).Iter()
	for id := int64(0); iter.Scan(&id); {
		all[id] = true
	}
	require.NoError(t, iter.Close())
	return all
}

func (k windowKey) String() string { return fmt.Sprint("key ", k.k, " from ", k.start) }
