package operators_test

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/source"
)

// besides is a random pair of tables that is read along with another stream, on the least budget,
// with eight workers, by a server that fails now and then and takes its time.
type besides struct {
	random  *rand.Rand
	server  *cqlfake.Server
	pairs   rxcql.Stream[weighty] // one row for each pair, by its number
	numbers map[int]bool          // of the pairs
	small   bool                  // rows are
}

// pairRow is a row of one of the tables.
type pairRow struct {
	N   int    `cql:"n"`
	Pad []byte `cql:"pad"`
}

const firstOther = 1_000_000 // the number of the first row of the other stream

func newBesides(t *testing.T, seed uint64) *besides {
	t.Helper()
	random := rand.New(rand.NewPCG(seed, 12))
	b := &besides{random: random, numbers: map[int]bool{}, small: random.IntN(3) == 0}
	b.server = cqlfake.New(t)
	b.server.Keyspace("ks", "l (p int, c int, n int, pad blob, PRIMARY KEY (p, c))", "r (p int, c int, n int, pad blob, PRIMARY KEY (p, c))")
	for p := range 1 + random.IntN(20) {
		tables := [][]string{{"l", "r"}, {"l", "r"}, {"l"}, {"r"}}[random.IntN(4)]
		for c := range 1 + random.IntN(30) {
			n := 100*p + c
			b.numbers[n] = true
			size := random.IntN(900)
			if !b.small && random.IntN(3) == 0 {
				size = random.IntN(9000)
			}
			for _, table := range tables {
				b.server.Exec(fmt.Sprintf("INSERT INTO ks.%s (p, c, n, pad) VALUES (%d, %d, %d, 0x%x)", table, p, c, n, bytes.Repeat([]byte{byte(n)}, size)))
			}
		}
	}
	sizes := []int{1, 3, 10, 1000}
	session := b.server.Session("")
	pairs := source.TablePair[pairRow, pairRow](session, "ks.l", session, "ks.r", source.Splits(1+random.IntN(30)),
		source.PageRows(sizes[random.IntN(len(sizes))]), source.Right(source.PageRows(sizes[random.IntN(len(sizes))])))
	b.pairs = operators.Map(pairs, func(p rxcql.Pair[pairRow, pairRow]) (weighty, error) {
		return weighty{n: max(p.Left.N, p.Right.N), text: string(p.Left.Pad) + string(p.Right.Pad)}, nil
	})
	if random.IntN(2) == 0 {
		b.trouble()
	}
	return b
}

// trouble has some of the requests fail or take long, or be answered by a page without rows.
func (b *besides) trouble() {
	random := rand.New(rand.NewPCG(b.random.Uint64(), 13)) // control functions are called one at a time
	b.server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if !r.Reads("ks.l") && !r.Reads("ks.r") {
			return nil
		}
		reply := cqlfake.Tables()
		switch random.IntN(20) {
		case 0:
			reply = cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
		case 1, 2:
			reply = cqlfake.EmptyPage()
		case 3:
			if random.IntN(5) == 0 {
				reply = cqlfake.Drop()
			}
		}
		return reply.After(time.Duration(random.IntN(10)) * time.Millisecond)
	})
}

// slowly is a stream whose rows take a time now and then.
func (b *besides) slowly(in rxcql.Stream[weighty]) rxcql.Stream[weighty] {
	every := 1 + b.random.IntN(30)
	return operators.Tap(in, func(w weighty) error {
		if w.n%every == 0 {
			time.Sleep(time.Millisecond)
		}
		return nil
	})
}

// holding puts an operator behind a stream that holds rows for a while, and no more of them than
// the least budget has room for.
func (b *besides) holding(in rxcql.Stream[weighty]) rxcql.Stream[weighty] {
	if b.random.IntN(8) == 0 {
		return operators.MapConcurrent(in, 1+b.random.IntN(16), sleepy, operators.Unordered())
	}
	return b.holdingInOrder(in)
}

func sleepy(_ context.Context, w weighty) (weighty, error) {
	time.Sleep(time.Duration(w.n%5) * time.Millisecond)
	return w, nil
}

// holdingInOrder is holding, and keeps the order of the rows.
func (b *besides) holdingInOrder(in rxcql.Stream[weighty]) rxcql.Stream[weighty] {
	calls := 1 + b.random.IntN(16)
	switch b.random.IntN(7) {
	case 0, 1:
		return operators.MapConcurrent(in, calls, sleepy)
	case 2:
		return inBatchesOf(in, operators.BatchRows(1+b.random.IntN(10)))
	case 3:
		return inBatchesOf(in, operators.BatchRows(1+b.random.IntN(40)), operators.BatchLinger(5*time.Millisecond))
	case 4:
		return operators.Buffer(in, calls, rxcql.OverflowBlock)
	case 5:
		return b.slowly(in)
	case 6:
		return operators.Merge(in)
	}
	return in
}

// other is the other stream, and how many rows it has.
func (b *besides) other() (rxcql.Stream[weighty], int) {
	n := b.random.IntN(150)
	rows := operators.Map(weighties(n), func(w weighty) (weighty, error) { w.n += firstOther; return w, nil })
	return b.holding(rows), n
}

// met are the rows that have come. A sink may be called by several goroutines.
type met struct {
	mu   sync.Mutex
	rows map[int]int
	at   func() error // called with each row; may be nil
}

func (m *met) take(_ context.Context, w weighty) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.rows[w.n]++
	if m.at != nil {
		return m.at()
	}
	return nil
}

// look requires that each pair and each of the other rows has come once.
func (b *besides) look(t *testing.T, rows map[int]int, others int) {
	t.Helper()
	require.Len(t, rows, len(b.numbers)+others)
	for n, times := range rows {
		require.Equal(t, 1, times, "row %d", n)
		require.True(t, b.numbers[n] || n >= firstOther && n < firstOther+others, "row %d", n)
	}
}

// options are the least budget for a stream, and eight workers.
func leastFor[T any](s rxcql.Stream[T]) []rxcql.Option {
	return []rxcql.Option{rxcql.WithBudget(sourcesOf(s) * rxcql.MinBudgetPerInput), rxcql.WithWorkers(8)}
}

// inStep joins the pairs with the other stream, by chance on either side.
func (b *besides) inStep(pairs, other rxcql.Stream[weighty]) (s rxcql.Stream[weighty], zips bool) {
	one, two := pairs, other
	if b.random.IntN(2) == 0 {
		one, two = two, one
	}
	switch b.random.IntN(5) {
	case 0:
		return operators.Merge(one, two), false
	case 1:
		return operators.MergeSorted(allEqual, one, two), false
	case 2:
		return zip(one, two), true
	}
	// Rows of one side only, in any order of the ranges: first all of one side, then all others.
	first := b.random.IntN(2)
	joined := operators.MergeJoin(one, two, func(weighty) int { return first }, func(weighty) int { return 1 - first }, cmp.Compare[int])
	return operators.Map(joined, func(p rxcql.Pair[weighty, weighty]) (weighty, error) {
		if p.HasLeft {
			return p.Left, nil
		}
		return p.Right, nil
	}), false
}
