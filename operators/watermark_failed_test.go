package operators_test

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
	"github.com/rxcql/rxcql/operators"
)

func TestWhatIsSaidBehindRowsThatFailGoesOn(t *testing.T) {
	fails := func(e timed) (timed, error) {
		if e.at == 4 {
			return e, errors.New("bad")
		}
		return e, nil
	}
	late := func(_ context.Context, e timed) (timed, error) {
		if e.at == 4 {
			time.Sleep(time.Second) // until nothing else is at work
		}
		return fails(e)
	}
	for name, put := range map[string]func(rxcql.Stream[timed]) rxcql.Stream[timed]{
		"Map": func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.Map(in, fails) },
		"Tap": func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.Tap(in, func(e timed) error { _, err := fails(e); return err })
		},
		"FlatMap": func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.FlatMap(in, func(e timed, emit func(timed) bool) error {
				emit(e)
				_, err := fails(e)
				return err
			})
		},
		"MapConcurrent": func(in rxcql.Stream[timed]) rxcql.Stream[timed] { return operators.MapConcurrent(in, 2, late) },
		"MapConcurrent unordered": func(in rxcql.Stream[timed]) rxcql.Stream[timed] {
			return operators.MapConcurrent(in, 2, late, operators.Unordered())
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHeard()
				rep := hear(t, put(script("A",
					happening{part: 0, at: []int{3}, mark: 3},
					happening{part: 0, at: []int{4, 4}, mark: 10, last: true},
				)), &listening{heard: h}, rxcql.WithRowErrors(rxcql.SkipRows(2)))
				require.EqualValues(t, 2, rep.Skipped)
				require.NoError(t, h.broken)
				require.Equal(t, map[partName]flow.Watermark{{"A", 0}: markAt(10)}, h.marks)
				require.True(t, h.ended[partName{"A", 0}])
			})
		})
	}
}
