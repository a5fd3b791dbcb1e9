package operators_test

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

var seeds = flag.Int("operators.seeds", 12, "seeds of the tests that run many; with -short a third of them are tried")

// someSeeds are the seeds of a test that runs many.
func someSeeds() uint64 {
	if testing.Short() {
		return uint64(max(1, *seeds/3))
	}
	return uint64(*seeds)
}

func TestPairsOfTablesReadInStepWithAnotherStreamNeverHangAndAreNeverTakenForStuck(t *testing.T) {
	for seed := range someSeeds() {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBesides(t, seed)
				pairs := b.pairs
				if b.small { // else a batch alone may be more than there is room for
					pairs = b.holding(pairs)
				}
				other, n := b.other()
				s, zips := b.inStep(pairs, other)
				if b.random.IntN(3) == 0 {
					s = b.slowly(s)
				}
				all := &met{rows: map[int]int{}}
				report, err := rxcql.Run(t.Context(), s, sink.Each(all.take), leastFor(s)...)
				require.NoError(t, err)
				require.Zero(t, report.BytesInFlight)
				require.Equal(t, report.Pages, report.PagesSettled)
				if !zips {
					require.True(t, report.Complete)
					b.look(t, all.rows, n)
					return
				}
				come := 0
				for _, times := range all.rows {
					come += times
				}
				require.Equal(t, min(n, len(b.numbers)), come)
			})
		})
	}
}

// Both sides are pairs of tables, each of them read by eight workers.
func TestTwoPairsOfTablesAreReadInStep(t *testing.T) {
	for seed := range (someSeeds() + 2) / 3 {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				one, two := newBesides(t, 2*seed+1000), newBesides(t, 2*seed+1001)
				moved := operators.Map(two.pairs, func(w weighty) (weighty, error) { w.n += firstOther; return w, nil })
				s, zips := one.inStep(one.pairs, moved)
				all := &met{rows: map[int]int{}}
				report, err := rxcql.Run(t.Context(), s, sink.Each(all.take), leastFor(s)...)
				require.NoError(t, err)
				require.Zero(t, report.BytesInFlight)
				if zips {
					require.EqualValues(t, min(len(one.numbers), len(two.numbers)), report.Written)
					return
				}
				require.Len(t, all.rows, len(one.numbers)+len(two.numbers))
				for n := range one.numbers {
					require.Equal(t, 1, all.rows[n])
				}
				for n := range two.numbers {
					require.Equal(t, 1, all.rows[firstOther+n])
				}
			})
		})
	}
}

// One side has a partition in its order, and the other side the numbers of its rows: each finds its
// partner.
func TestThePairsOfAPartitionAreJoinedByTheirClusteringKey(t *testing.T) {
	for seed := range (someSeeds() + 2) / 3 {
		synctest.Test(t, func(t *testing.T) {
			random := rand.New(rand.NewPCG(seed, 14))
			b := &besides{random: random}
			b.server = cqlfake.New(t)
			b.server.Keyspace("ks", "l (p int, c int, n int, pad blob, PRIMARY KEY (p, c))", "r (p int, c int, n int, pad blob, PRIMARY KEY (p, c))")
			there := map[int]bool{}
			for n := range 150 {
				if random.IntN(4) == 0 {
					continue
				}
				there[n] = true
				b.server.Exec(fmt.Sprintf("INSERT INTO ks.%s (p, c, n, pad) VALUES (1, %d, %d, 0x%x)", []string{"l", "r"}[random.IntN(2)], n, n, make([]byte, random.IntN(5000))))
			}
			b.trouble()
			session := b.server.Session("")
			pairs := operators.Map(source.TablePair[pairRow, pairRow](session, "ks.l", session, "ks.r", source.PageRows(1+random.IntN(20))),
				func(p rxcql.Pair[pairRow, pairRow]) (int, error) { return max(p.Left.N, p.Right.N), nil })
			others := b.holdingInOrder(weighties(100))
			s := operators.MergeJoin(pairs, others, itself[int], number, cmp.Compare[int])
			got, err := s.Collect(t.Context(), leastFor(s)...)
			require.NoError(t, err)
			at := 0
			for n := range 150 {
				if !there[n] && n >= 100 {
					continue
				}
				p := got[at]
				at++
				require.Equal(t, there[n], p.HasLeft, "row %d", n)
				require.Equal(t, n < 100, p.HasRight, "row %d", n)
				require.True(t, !p.HasLeft || p.Left == n)
				require.True(t, !p.HasRight || p.Right.n == n)
			}
			require.Len(t, got, at)
		})
	}
}

var errCut = errors.New("cut off")

// Jobs of such streams, broken off anywhere: no row is lost.
func TestJobsOfPairsInStepThatAreBrokenOffLoseNothing(t *testing.T) {
	for seed := range someSeeds() {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				b := newBesides(t, seed+2000)
				parts := &jobtest.Parts[weighty]{PageRows: 1 + b.random.IntN(9), Seed: seed}
				n := 0
				for range 1 + b.random.IntN(4) {
					rows := []weighty{}
					for range b.random.IntN(40) {
						rows = append(rows, weighty{firstOther + n, thousand})
						n++
					}
					parts.Rows = append(parts.Rows, rows)
				}
				s := operators.Merge(b.pairs, b.holding(parts.Stream()))
				if b.random.IntN(2) == 0 {
					s = operators.MergeSorted(allEqual, b.pairs, parts.Stream())
				}
				b.breakOff(t, s, n)
			})
		})
	}
}

// breakOff runs a job that is broken off again and again until it is complete.
func (b *besides) breakOff(t *testing.T, s rxcql.Stream[weighty], others int) {
	t.Helper()
	store := &jobtest.Store{}
	all := &met{rows: map[int]int{}}
	for run := 0; ; run++ {
		require.Less(t, run, 7)
		ctx, cancel := context.WithCancelCause(t.Context())
		var p *rxcql.Pipeline
		how, left := b.random.IntN(3), 1+b.random.IntN(len(b.numbers)+others)
		all.at = func() error {
			if left--; left != 0 || run == 6 {
				return nil
			}
			switch how {
			case 0:
				p.Stop()
			case 1:
				cancel(errCut)
			default:
				return errCut
			}
			return nil
		}
		p, err := rxcql.New(s, sink.Each(all.take, sink.Idempotent()),
			append(leastFor(s), rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(10*time.Millisecond)))...)
		require.NoError(t, err)
		report, err := p.Run(ctx)
		cancel(nil)
		if err != nil {
			require.ErrorIs(t, err, errCut)
		}
		require.Zero(t, report.BytesInFlight)
		if report.Complete {
			break
		}
	}
	require.Len(t, all.rows, len(b.numbers)+others)
}
