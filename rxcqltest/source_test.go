package rxcqltest_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest"
)

func TestTheBookPassesTheSuite(t *testing.T) {
	rxcqltest.TestSource(t, bookPlace(nil))
	require.Empty(t, rxcqltest.SourceRules[[]int]().BrokenInBubble(t, bookPlace(nil), ""))
}

func TestAScriptPassesTheSuite(t *testing.T) {
	of := func(rows int) *rxcqltest.Script[int] {
		script := rxcqltest.NewScript[int]()
		for n := range rows {
			script.Part(n / 20).Page(n)
		}
		return script
	}
	waits := func(ctx context.Context) error {
		<-ctx.Done()
		return context.Cause(ctx)
	}
	rxcqltest.TestSource(t, func(testing.TB) rxcqltest.SourcePlace[int] {
		return rxcqltest.SourcePlace[int]{
			Stream: func(rows int) rxcql.Stream[int] { return of(rows).Stream() },
			Number: func(row int) int { return row },
			Fails:  func(rows int) (rxcql.Stream[int], error) { return of(rows).Fail(errLost).Stream(), errLost },
			Stalls: func(rows int) rxcql.Stream[int] { return of(rows).Do(waits).Stream() },
		}
	})
}
