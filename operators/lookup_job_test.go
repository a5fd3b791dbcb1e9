package operators_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strconv"
	"testing"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
)

// lookedUp is what a look-up of the row n is to give: its key is n modulo 120, some rows have none,
// and some fail in bind or in join.
func lookedUp(n int) (want string, bad bool) {
	switch {
	case n%17 == 5, n%19 == 3:
		return "", true
	case n%13 == 1:
		return fmt.Sprint(n, ": missing"), false
	}
	return fmt.Sprint(n, " of ", wantNames([]int{n % 120})[0]), false
}

// lookUpAmong is the look-up of lookedUp.
func lookUpAmong(in rxcql.Stream[int], session *gocql.Session, opts ...operators.LookupOption) rxcql.Stream[string] {
	bad := errors.New("a bad row")
	return operators.Lookup(in, session, nameOfCustomer, func(n int) ([]any, error) {
		switch {
		case n%17 == 5:
			return nil, bad
		case n%13 == 1 && n%19 != 3:
			return nil, operators.ErrNoKey
		}
		return []any{n % 120}, nil
	}, func(n int, found operators.Found[*string]) (string, error) {
		switch {
		case n%19 == 3:
			return "", bad
		case n%13 == 1:
			return fmt.Sprint(n, ": missing"), nil
		case !found.OK:
			return fmt.Sprint(n, " of ", n%120, ": missing"), nil
		case found.Row == nil:
			return fmt.Sprint(n, " of ", n%120, ": null"), nil
		}
		return fmt.Sprint(n, " of ", n%120, ": ", *found.Row), nil
	}, opts...)
}

// amiss has some of the requests take long, fail, or answered by pages without rows.
func amiss(server *cqlfake.Server, seed uint64) {
	random := rand.New(rand.NewPCG(seed, 7))
	server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
		if !r.Reads("shop.customers") {
			return nil
		}
		reply := cqlfake.Tables()
		switch random.IntN(16) {
		case 0:
			reply = cqlfake.Fail(&message.Overloaded{ErrorMessage: "busy"})
		case 1:
			reply = cqlfake.Fail(&message.ReadTimeout{ErrorMessage: "late", Consistency: primitive.ConsistencyLevelQuorum})
		case 2:
			reply = cqlfake.EmptyPage()
		case 3:
			if random.IntN(8) == 0 {
				reply = cqlfake.Drop()
			}
		}
		return reply.After(time.Duration(random.IntN(20)) * time.Millisecond)
	})
}

// Rows of three parts, some of them bad, are looked up with failures of all kinds in jobs that are
// broken off anywhere: each row is joined with what there is for its key, and none is lost.
func TestAJobWithALookupJoinsEachRowWhateverHappens(t *testing.T) {
	for seed := range uint64(30) {
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			inShop(t, func(t *testing.T, server *cqlfake.Server, session *gocql.Session) {
				random := rand.New(rand.NewPCG(seed, 8))
				parts, total := &jobtest.Parts[int]{PageRows: 1 + random.IntN(30), Seed: seed, Empty: random.IntN(2) == 0}, 0
				want, bad := map[string]bool{}, map[string]bool{}
				for range 3 {
					var rows []int
					for range random.IntN(150) {
						if text, fails := lookedUp(total); fails {
							bad[strconv.Itoa(total)] = true
						} else {
							want[text] = true
						}
						rows, total = append(rows, total), total+1
					}
					parts.Rows = append(parts.Rows, rows)
				}
				amiss(server, seed)
				opts := []operators.LookupOption{operators.LookupInFlight(1 + random.IntN(20))}
				if random.IntN(2) == 0 {
					opts = append(opts, operators.Unordered())
				}
				if random.IntN(2) == 0 {
					opts = append(opts, operators.LookupCache(int64(1)<<(9+random.IntN(8)), time.Duration(1+random.IntN(100))*time.Millisecond))
				}
				store, letters, broken, given := &jobtest.Store{}, &jobtest.Letters{}, errors.New("broken off"), map[string]bool{}
				for run := 0; ; run++ {
					how, left := random.IntN(4), 1+random.IntN(1+total)
					if run == 5 {
						how = 3
					}
					ctx, cancel := context.WithCancelCause(t.Context())
					var p *rxcql.Pipeline
					p, err := rxcql.New(lookUpAmong(parts.Stream(), session, opts...), sink.Each(func(_ context.Context, text string) error {
						require.True(t, want[text], text)
						given[text] = true
						if left--; left > 0 {
							return nil
						}
						switch how {
						case 0:
							p.Stop()
						case 1:
							cancel(broken)
						case 2:
							return fmt.Errorf("%w: %w", broken, rxcql.ErrConfig) // no row's own
						}
						return nil
					}, sink.Idempotent()), rxcql.WithCheckpoint(store, "job", rxcql.CheckpointInterval(20*time.Millisecond)),
						rxcql.WithRowErrors(rxcql.DeadLetter(letters)), rxcql.WithRetry(time.Hour, 0), rxcql.WithBudget(rxcql.MinBudgetPerInput))
					require.NoError(t, err)
					report, err := p.Run(ctx)
					cancel(nil)
					if err != nil {
						require.ErrorIs(t, err, broken)
					}
					require.Zero(t, report.BytesInFlight)
					if report.Complete {
						require.EqualValues(t, total, report.ReadRows+report.ResumedRows)
						break
					}
					require.Less(t, run, 5)
				}
				require.Equal(t, want, given)
				lost := map[string]bool{}
				for _, l := range letters.All {
					lost[string(l.Row)] = true
				}
				require.Equal(t, bad, lost)
			})
		})
	}
}
