//go:build unix

package docs_test

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// untilInterrupted runs a pipeline. The first Ctrl-C ends the reading, and lets what has been
// read be written; a second one ends the process.
func untilInterrupted(ctx context.Context, p *rxcql.Pipeline) (rxcql.Report, error) {
	interrupted, restore := signal.NotifyContext(ctx, os.Interrupt)
	defer restore()
	defer context.AfterFunc(interrupted, func() {
		restore() // the next Ctrl-C has its usual effect
		p.Stop()
	})()
	return p.Run(ctx)
}

func TestASignalStopsAPipeline(t *testing.T) {
	endless := source.Seq(func(yield func(int, error) bool) {
		for i := 0; yield(i, nil); i++ {
		}
	})
	interrupt := operators.Tap(endless, func(i int) error {
		if i != 1000 {
			return nil
		}
		return syscall.Kill(os.Getpid(), syscall.SIGINT)
	})
	p, err := rxcql.New(interrupt, sink.Each(func(context.Context, int) error { return nil }))
	require.NoError(t, err)
	report, err := untilInterrupted(t.Context(), p)
	require.NoError(t, err)
	require.Equal(t, rxcql.EndedByStop, report.EndedBy)
	require.Equal(t, report.Pages, report.PagesSettled)
}
