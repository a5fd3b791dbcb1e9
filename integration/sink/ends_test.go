package sink_test

import (
	"context"
	"errors"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func TestASessionClosedDuringTheRunIsAnError(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+eventColumns)
	n := 0
	stream := source.Seq(func(yield func(event, error) bool) {
		for yield(event{int64(n), 1, text("v")}, nil) {
			if n++; n == 20_000 {
				session.Close()
			}
		}
	})
	p, err := rxcql.New(stream, sink.Table[event](session, ks+".t"))
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.ErrorContains(t, err, "closed")
	require.Less(t, rep.PagesSettled, rep.Pages)
	require.Zero(t, rep.BytesInFlight)
}

func TestAfterACancelWritesInFlightAreFinishedAndSettled(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+eventColumns)
	ctx, cancel := context.WithCancelCause(context.Background())
	cause := errors.New("enough")
	n := 0
	stream := source.Seq(func(yield func(event, error) bool) {
		for yield(event{int64(n / 100), int32(n % 100), text("v")}, nil) {
			if n++; n == 50_000 {
				cancel(cause)
			}
		}
	})
	p, err := rxcql.New(stream, sink.Table[event](session, ks+".t"))
	require.NoError(t, err)
	rep, err := p.Run(ctx)
	require.ErrorIs(t, err, cause)
	require.Positive(t, rep.Written)
	require.Zero(t, rep.BytesInFlight)
	found, err := source.Table[event](session, ks+".t").Count(context.Background())
	require.NoError(t, err)
	require.Equal(t, rep.Written, found, "what is there was reported, and what was reported is there")
}

func TestStopWritesAndSettlesAllThatWasRead(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+eventColumns)
	n := 0
	var p *rxcql.Pipeline
	stream := source.Seq(func(yield func(event, error) bool) {
		for yield(event{int64(n / 100), int32(n % 100), text("v")}, nil) {
			if n++; n == 20_000 {
				p.Stop()
			}
		}
	})
	p, err := rxcql.New(stream, sink.Table[event](session, ks+".t"))
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, "Stop", rep.EndedBy)
	require.Equal(t, rep.ReadRows, rep.Written)
	require.Equal(t, rep.Pages, rep.PagesSettled)
}
