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
	rows := operators.Map(source.NDJSON[int](path), func(n int) (int, error) { return n + 1_000_000, nil })
	p, err := rxcql.New(rows, sink.NDJSON[int](path, sink.Overwrite()))
	require.NoError(t, err)
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
	defer cancel()
	rep, err := p.Run(ctx)
	require.ErrorContains(t, err, path+": another run writes this file")
	require.Zero(t, rep.ReadRows)
	require.Equal(t, b.String(), content(t, path))
}
