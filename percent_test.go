package rxcql_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestSkipPercentTakesExactlyAsManyAsItSays(t *testing.T) {
	for _, c := range []struct {
		percent float64
		bad, of int
	}{{0.57, 57, 10_000}, {1.13, 113, 10_000}, {2.01, 201, 10_000}, {0.29, 290, 100_000}} {
		t.Run(fmt.Sprint(c.percent), func(t *testing.T) {
			rows := source.Seq(func(yield func(int, error) bool) {
				for i := range c.of {
					if !yield(i, nil) {
						return
					}
				}
			})
			s := operators.Map(rows, func(n int) (int, error) {
				if n < c.bad {
					return 0, errors.New("bad")
				}
				return n, nil
			})
			p, err := rxcql.New(s, sink.Each(func(context.Context, int) error { return nil }),
				rxcql.WithRowErrors(rxcql.SkipPercent(c.percent, int64(c.of))))
			require.NoError(t, err)
			rep, err := p.Run(context.Background())
			require.EqualValues(t, c.of, rep.ReadRows)
			require.NoError(t, err, "%d of %d is %v per cent and no more", c.bad, c.of, c.percent)
		})
	}
}
