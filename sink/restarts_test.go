package sink_test

import (
	"context"
	"errors"
	"math"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

// timekeeper is a server that looks at the timestamps of a run.
type timekeeper struct {
	mu             sync.Mutex
	ahead          time.Duration // of the time when the row was sent, at most
	lowest, newest int64
}

func (s *timekeeper) send(_ context.Context, sent sink.Sent) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range sent.Rows {
		s.ahead = max(s.ahead, time.Until(time.UnixMicro(row.Timestamp)))
		s.lowest, s.newest = min(s.lowest, row.Timestamp), max(s.newest, row.Timestamp)
	}
	return nil
}

func TestAJobRestartedAgainAndAgainDoesNotRunAwayFromTheTime(t *testing.T) {
	const lead, paced, page = 250 * time.Millisecond, 1024, 1500
	for typ, step := range map[string]time.Duration{
		"list<text>":         sink.AttemptsPerRow * time.Microsecond,
		"frozen<list<text>>": time.Microsecond,
	} {
		t.Run(typ, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				store := &jobtest.Store{}
				parts := &jobtest.Parts[listed]{PageRows: page, Rows: [][]listed{listedRows(40 * page)}}
				before := int64(0) // the newest timestamp so far
				attempt := func(fails int, lasts time.Duration) (rxcql.Report, error) {
					server, n := &timekeeper{lowest: math.MaxInt64}, 0
					rows := operators.Tap(parts.Stream(), func(listed) error {
						if n++; n == fails {
							return errBroken
						}
						return nil
					})
					p, err := rxcql.New(rows, sink.TableOn[listed](server.send, lists(typ)), rxcql.WithCheckpoint(store, "job"))
					require.NoError(t, err)
					ctx, cancel := context.WithTimeout(context.Background(), lasts)
					defer cancel()
					rep, err := p.Run(ctx)
					require.LessOrEqual(t, server.ahead, lead+(paced+1)*step)
					require.Greater(t, server.lowest, before, "rows of an earlier run would win")
					before = max(before, server.newest)
					return rep, err
				}
				for i := range 30 {
					lasts := 5 * time.Millisecond // too short for a run that has to wait
					if i%2 == 0 {
						lasts = time.Minute
					}
					_, err := attempt(page+page/2, lasts)
					require.True(t, errors.Is(err, errBroken) || errors.Is(err, context.DeadlineExceeded), "restart %d: %v", i, err)
				}
				rep, err := attempt(0, time.Minute)
				require.NoError(t, err)
				require.True(t, rep.Complete)
				require.Positive(t, rep.ReadRows)
				require.Positive(t, rep.ResumedRows)
			})
		})
	}
}
