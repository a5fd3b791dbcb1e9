package driver_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
)

func TestWhatAFailureLeavesOfAWrite(t *testing.T) {
	var answer shared[message.Message]
	s := serve(t, &script{execute: func(*message.Execute) message.Message { return answer.get() }})
	applied := func(m message.Message) bool {
		answer.set(m)
		err := s.Exec(t.Context(), driver.Statement{CQL: selectV})
		require.Error(t, err)
		return driver.MayBeApplied(fmt.Errorf("wrapped: %w", err))
	}
	for _, kind := range []primitive.WriteType{
		primitive.WriteTypeSimple, primitive.WriteTypeBatch, primitive.WriteTypeUnloggedBatch, primitive.WriteTypeCounter,
		primitive.WriteTypeBatchLog, primitive.WriteTypeCas, primitive.WriteTypeView, primitive.WriteTypeCdc,
	} {
		require.True(t, applied(&message.WriteTimeout{WriteType: kind}), "timeout, %v", kind)
		require.True(t, applied(&message.WriteFailure{WriteType: kind}), "failure, %v", kind)
	}
	require.True(t, applied(&message.Overloaded{}))
	require.True(t, applied(&message.ServerError{}))
	require.False(t, applied(&message.Unavailable{}))
	require.False(t, applied(&message.IsBootstrapping{}))
	require.False(t, applied(&message.Invalid{}))

	require.False(t, driver.MayBeApplied(gocql.ErrNoStreams))
	require.False(t, driver.MayBeApplied(gocql.ErrNoConnections))
	require.False(t, driver.MayBeApplied(driver.ErrUnpreparedLoop))
	require.True(t, driver.MayBeApplied(gocql.ErrTimeoutNoResponse))
	require.True(t, driver.MayBeApplied(gocql.ErrConnectionClosed))
	require.True(t, driver.MayBeApplied(context.Canceled))
	require.True(t, driver.MayBeApplied(errors.New("anything else")))
}

func TestTheEndOfAConnectionDoesNotLookLikeACancelByTheCaller(t *testing.T) {
	err := driver.Translate(t.Context(), context.Canceled)
	require.Equal(t, driver.ConnectionLost, driver.Classify(err), "%v", err)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	require.Equal(t, driver.Cancelled, driver.Classify(driver.Translate(ctx, context.Canceled)))
}
