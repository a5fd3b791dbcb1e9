package stopping_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/leak"
	"github.com/rxcql/rxcql/internal/stopping"
)

func TestMain(m *testing.M) { leak.Main(m) }

func TestTheContextEndsWhenTheRunIsToStop(t *testing.T) {
	stop := make(chan struct{})
	ctx, end := stopping.Context(t.Context(), stop)
	require.NoError(t, ctx.Err())
	close(stop)
	<-ctx.Done()
	require.ErrorIs(t, context.Cause(ctx), stopping.Err)
	require.NoError(t, t.Context().Err())
	end()
}

func TestTheContextEndsWithTheOneThatItIsMadeOf(t *testing.T) {
	why := errors.New("time is up")
	parent, cancel := context.WithCancelCause(t.Context())
	ctx, end := stopping.Context(parent, make(chan struct{}))
	cancel(why)
	<-ctx.Done()
	require.ErrorIs(t, context.Cause(ctx), why)
	end()
}

func TestTheContextEndsWhenNobodyNeedsIt(t *testing.T) {
	ctx, end := stopping.Context(t.Context(), nil)
	end()
	require.ErrorIs(t, ctx.Err(), context.Canceled)
}
