package sink_test

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestAFileThatIsReadIsNotOverwritten(t *testing.T) {
	path := outPath(t)
	var b strings.Builder
	for i := range 100_000 {
		fmt.Fprintln(&b, i)
	}
	require.NoError(t, os.WriteFile(path, []byte(b.String()), 0o600))
	numbers := source.NDJSON[int](path)
	for name, opts := range map[string][]rxcql.Option{
		"a run": nil,
		"a job": {rxcql.WithCheckpoint(&jobtest.Store{}, "job")},
	} {
		rows := operators.Map(numbers, func(n int) (int, error) { return n + 1_000_000, nil })
		p, err := rxcql.New(rows, sink.NDJSON[int](path, sink.Overwrite()), opts...)
		require.NoError(t, err)
		ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
		rep, err := p.Run(ctx)
		cancel()
		require.ErrorContains(t, err, path, name)
		require.ErrorContains(t, err, "is read by this run", name)
		require.Zero(t, rep.ReadRows, name)
		require.Equal(t, b.String(), content(t, path), name)
	}
}
