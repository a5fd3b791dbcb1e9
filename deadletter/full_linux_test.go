package deadletter_test

import (
	"context"
	"os"
	"syscall"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
)

func TestAFullDiskEndsTheRunAndSettlesNothing(t *testing.T) {
	path := file(t)
	require.NoError(t, os.Symlink("/dev/full", path))
	p, err := rxcql.New(failing(make([]int, 5000)...), nothing{}, rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(path))))
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.ErrorIs(t, err, syscall.ENOSPC)
	require.ErrorContains(t, err, "DeadLetter")
	require.Zero(t, rep.DeadLettered)
	require.Zero(t, rep.PagesSettled)
	require.False(t, rep.Complete)
}
