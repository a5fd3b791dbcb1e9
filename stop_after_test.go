package rxcql_test

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
)

func TestAStopAfterARunDoesNothingToTheNext(t *testing.T) {
	all := func(t *testing.T, p *rxcql.Pipeline) {
		rep, err := p.Run(t.Context())
		require.NoError(t, err)
		require.True(t, rep.Complete)
		require.Empty(t, rep.EndedBy)
		require.EqualValues(t, 100, rep.ReadRows)
	}
	alone(t, "when that one read all", func(t *testing.T) {
		p := pipeline(t, seq(100), &memory[int]{})
		for range 3 {
			all(t, p)
			p.Stop()
			p.Stop()
		}
	})
	alone(t, "when that one failed", func(t *testing.T) {
		to := &memory[int]{flush: func(context.Context) error { return errTest }}
		p := pipeline(t, seq(100), to)
		_, err := p.Run(t.Context())
		require.ErrorIs(t, err, errTest)
		p.Stop()
		to.flush = nil
		all(t, p)
	})
	alone(t, "when that one was stopped", func(t *testing.T) {
		p := pipeline(t, seq(100), &memory[int]{})
		p.Stop()
		rep, err := p.Run(t.Context())
		require.NoError(t, err)
		require.Equal(t, rxcql.EndedByStop, rep.EndedBy)
		p.Stop()
		all(t, p)
	})
}
