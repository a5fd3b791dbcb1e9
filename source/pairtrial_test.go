package source_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/ringtest"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// wholeLeft is a row with its key, and valueRight one without.
type wholeLeft struct {
	K   []byte  `cql:"k"`
	C   float64 `cql:"c"`
	D   string  `cql:"d"`
	N   int     `cql:"n"`
	Pad []byte  `cql:"pad"`
}

type valueRight struct {
	N   int    `cql:"m"`
	Pad []byte `cql:"filler"`
}

// trial is a pair of random tables, and how they are read.
type trial struct {
	random      *rand.Rand
	server      [2]*cqlfake.Server
	session     [2]*gocql.Session
	left, right map[int]bool // the numbers of the rows that are there
	opts        []source.PairOption
	run         []rxcql.Option
}

// newTrial makes two tables. Rows of one key have one number on both sides; some partitions are
// large, and some have the tokens of others.
func newTrial(t *testing.T, seed uint64) *trial {
	random := rand.New(rand.NewPCG(seed, 5))
	tr := &trial{random: random, left: map[int]bool{}, right: map[int]bool{}}
	for i, table := range []string{
		"l (k blob, c double, d text, n int, pad blob, PRIMARY KEY (k, c, d)) WITH CLUSTERING ORDER BY (c DESC, d ASC)",
		"r (id blob, at double, word ascii, m int, filler blob, PRIMARY KEY (id, at, word)) WITH CLUSTERING ORDER BY (at DESC, word ASC)",
	} {
		tr.server[i] = cqlfake.New(t)
		tr.server[i].Keyspace("ks", table)
		tr.session[i] = tr.server[i].Session("")
	}
	partitions, most := 1+random.IntN(30), 1+random.IntN(12)
	n := 0
	for p := range partitions {
		k := ringtest.KeyOf(random.Int64(), uint64(p))
		switch random.IntN(4) {
		case 0:
			k = ringtest.KeyOf(int64(p/3)<<60, uint64(p)) // a token that others have too
		case 1:
			k = fmt.Append(nil, "key ", p)
		}
		rows := 1 + random.IntN(most)
		if random.IntN(8) == 0 {
			rows = 100
		}
		sides := random.IntN(5) // 0 and 1: the partition is in one table only
		for row := range rows {
			n++
			c, d := float64(row/3)-3, fmt.Sprint("d", row%3)
			pad := bytes.Repeat([]byte{byte(n)}, random.IntN(40))
			if random.IntN(40) == 0 {
				pad = bytes.Repeat([]byte{byte(n)}, random.IntN(60_000))
			}
			if both := random.IntN(3); sides != 1 && (sides == 0 || both > 0) {
				tr.server[0].Exec(fmt.Sprintf("INSERT INTO ks.l (k, c, d, n, pad) VALUES (0x%x, %f, '%s', %d, 0x%x)", k, c, d, n, pad))
				tr.left[n] = true
			}
			if both := random.IntN(3); sides != 0 && (sides == 1 || both > 0) {
				tr.server[1].Exec(fmt.Sprintf("INSERT INTO ks.r (id, at, word, m, filler) VALUES (0x%x, %f, '%s', %d, 0x%x)", k, c, d, n, pad))
				tr.right[n] = true
			}
		}
	}
	sizes := []int{1, 2, 3, 10, 100, 10_000}
	tr.opts = []source.PairOption{source.Splits(1 + random.IntN(20)), source.PageRows(sizes[random.IntN(len(sizes))]),
		source.Right(source.PageRows(sizes[random.IntN(len(sizes))]))}
	budget := rxcql.MinBudgetPerInput << random.IntN(3)
	if random.IntN(2) == 0 {
		budget = rxcql.MinBudgetPerInput
	}
	tr.run = []rxcql.Option{rxcql.WithWorkers([]int{1, 2, 8}[random.IntN(3)]), rxcql.WithBudget(budget)}
	return tr
}

// pairs is how many a full outer join has.
func (tr *trial) pairs() int {
	n := len(tr.left)
	for row := range tr.right {
		if !tr.left[row] {
			n++
		}
	}
	return n
}

// trouble has some of the requests take long, fail, or answered by pages without rows.
func (tr *trial) trouble() {
	for i, table := range []string{"ks.l", "ks.r"} {
		random := rand.New(rand.NewPCG(tr.random.Uint64(), 6)) // of one server: each calls its functions one at a time
		tr.server[i].Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if !r.Reads(table) {
				return nil
			}
			reply := cqlfake.Tables()
			switch random.IntN(20) {
			case 0:
				reply = cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
			case 1:
				reply = cqlfake.Fail(&message.ReadTimeout{ErrorMessage: "late", Consistency: primitive.ConsistencyLevelQuorum})
			case 2, 3, 4:
				reply = cqlfake.EmptyPage()
			case 5:
				if random.IntN(5) == 0 {
					reply = cqlfake.Drop()
				}
			}
			return reply.After(time.Duration(random.IntN(20)) * time.Millisecond)
		})
	}
}

// look fails the test if a pair is not one of the full outer join, and returns its number.
func (tr *trial) look(t require.TestingT, hasLeft, hasRight bool, left, right int) int {
	n := max(left, right)
	require.Equal(t, tr.left[n], hasLeft, "row %d, left", n)
	require.Equal(t, tr.right[n], hasRight, "row %d, right", n)
	if hasLeft && hasRight {
		require.Equal(t, left, right)
	}
	return n
}

// cutOff reads the pairs of structs in a job that is broken off again and again.
func (tr *trial) cutOff(t *testing.T) {
	store, broken := &jobtest.Store{}, errors.New("broken off")
	given := map[int]bool{}
	for run := 0; ; run++ {
		how, left := tr.random.IntN(4), 1+tr.random.IntN(tr.pairs())
		if run == 6 {
			how = 3
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		var p *rxcql.Pipeline
		pairs := source.TablePair[wholeLeft, valueRight](tr.session[0], "ks.l", tr.session[1], "ks.r", tr.opts...)
		p, err := rxcql.New(pairs, sink.Each(func(_ context.Context, row rxcql.Pair[wholeLeft, valueRight]) error {
			require.True(t, !row.Both() || bytes.Equal(row.Left.Pad, row.Right.Pad))
			given[tr.look(t, row.HasLeft, row.HasRight, row.Left.N, row.Right.N)] = true
			if left--; left > 0 {
				return nil
			}
			switch how {
			case 0:
				p.Stop()
			case 1:
				cancel(broken)
			case 2:
				return broken
			}
			return nil
		}, sink.Idempotent()), append(tr.run, rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(20*time.Millisecond)))...)
		require.NoError(t, err)
		report, err := p.Run(ctx)
		cancel(nil)
		if err != nil {
			require.ErrorIs(t, err, broken)
		}
		require.Zero(t, report.BytesInFlight)
		require.LessOrEqual(t, report.PeakBytes, report.Budget+int64(report.PeakFetches)*report.LargestPage)
		if report.Complete {
			require.EqualValues(t, tr.pairs(), report.ReadRows+report.ResumedRows, "each pair is settled once")
			break
		}
		require.Less(t, run, 6)
	}
	require.Len(t, given, tr.pairs())
}
