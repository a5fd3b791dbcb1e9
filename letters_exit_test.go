package rxcql_test

import (
	"context"
	"errors"
	"runtime"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// exitingLetters is a store of dead letters that ends the goroutine that writes.
type exitingLetters struct{ after time.Duration }

func (exitingLetters) Check(context.Context) error                            { return nil }
func (s exitingLetters) Open(context.Context) (rxcql.DeadLetterWriter, error) { return s, nil }
func (exitingLetters) Close() error                                           { return nil }

func (s exitingLetters) Write(context.Context, []rxcql.Letter) error {
	time.Sleep(s.after)
	runtime.Goexit()
	return nil
}

func TestAStoreOfLettersThatEndsItsGoroutineLeavesNoBytes(t *testing.T) {
	rows := source.Seq(func(yield func(int, error) bool) {
		for i := range 10_000 {
			if !yield(i, nil) {
				return
			}
		}
	})
	bad := operators.Map(rows, func(n int) (int, error) { return n, errors.New("bad") })
	nothing := sink.Each(func(context.Context, int) error { return nil })
	p, err := rxcql.New(bad, nothing, rxcql.WithRowErrors(rxcql.DeadLetter(exitingLetters{})))
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.ErrorContains(t, err, "Goexit")
	require.Zero(t, rep.BytesInFlight)
	require.Zero(t, rep.DeadLettered)
}

func TestALetterThatWaitsForRoomDoesNotWaitForAStoreThatHasEnded(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		rows := source.Seq(func(yield func(string, error) bool) {
			for _, row := range []string{"good", "a", "b", "c"} {
				if !yield(row, nil) {
					return
				}
			}
		})
		large := operators.Map(rows, func(row string) (string, error) {
			return row + strings.Repeat("x", 700_000), nil // two letters are more than may wait
		})
		some := operators.MapConcurrent(large, 4, func(_ context.Context, row string) (string, error) {
			if strings.HasPrefix(row, "good") {
				time.Sleep(time.Second) // the letters wait by then
				return row, nil
			}
			return row, errors.New("bad")
		}, operators.Unordered())
		nothing := sink.Each(func(context.Context, string) error { return nil })
		letters := exitingLetters{after: time.Minute} // when TakeWhile has long ended the stream
		p, err := rxcql.New(operators.TakeWhile(some, func(string) bool { return false }), nothing, rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
		require.NoError(t, err)
		rep, err := p.Run(context.Background())
		require.ErrorContains(t, err, "Goexit")
		require.Zero(t, rep.BytesInFlight)
	})
}
