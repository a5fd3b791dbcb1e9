package driver_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"syscall"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
)

// gocql's error values cannot be made outside of it: the server sends them.
func TestAnswersOfTheServerAreClassified(t *testing.T) {
	var answer shared[message.Message]
	s := serve(t, &script{execute: func(*message.Execute) message.Message { return answer.get() }})
	cases := []struct {
		answer               message.Message
		class                driver.Class
		writeType            string
		transient, ambiguous bool
	}{
		{&message.Unavailable{}, driver.Unavailable, "", true, false},
		{&message.Overloaded{}, driver.Overloaded, "", true, true},
		{&message.IsBootstrapping{}, driver.Bootstrapping, "", true, false},
		{&message.ReadTimeout{}, driver.ReadTimeout, "", true, true},
		{&message.ReadFailure{}, driver.ReadFailure, "", true, true},
		{&message.ReadFailure{ErrorMessage: "1 failures: READ_TOO_MANY_TOMBSTONES from /127.0.0.1:7000"}, driver.TooManyTombstones, "", false, false},
		{&message.WriteTimeout{WriteType: primitive.WriteTypeUnloggedBatch}, driver.WriteTimeout, "UNLOGGED_BATCH", true, true},
		{&message.WriteFailure{WriteType: primitive.WriteTypeCounter}, driver.WriteFailure, "COUNTER", true, true},
		{&message.Invalid{ErrorMessage: "Undefined column"}, driver.Invalid, "", false, false},
		{&message.Invalid{ErrorMessage: "Batch too large"}, driver.TooLarge, "", false, false},
		{&message.ConfigError{}, driver.Invalid, "", false, false},
		{&message.SyntaxError{}, driver.Syntax, "", false, false},
		{&message.Unauthorized{}, driver.Unauthorized, "", false, false},
		{&message.AuthenticationError{}, driver.AuthFailed, "", false, false},
		{&message.ServerError{}, driver.Server, "", true, true},
		{&message.FunctionFailure{}, driver.Invalid, "", false, false},
	}
	for _, c := range cases {
		answer.set(c.answer)
		err := s.Exec(t.Context(), driver.Statement{CQL: selectV})
		require.Error(t, err)
		err = fmt.Errorf("wrapped: %w", err)
		require.Equal(t, c.class, driver.Classify(err), "%T", c.answer)
		require.Equal(t, c.writeType, driver.WriteType(err), "%T", c.answer)
		require.Equal(t, c.transient, c.class.Transient(), "%v transient", c.class)
		require.Equal(t, c.ambiguous, c.class.Ambiguous(), "%v ambiguous", c.class)
	}
}

func TestErrorsOfTheDriverAreClassified(t *testing.T) {
	for want, errs := range map[driver.Class][]error{
		driver.None:           {nil},
		driver.Cancelled:      {context.Canceled, context.DeadlineExceeded},
		driver.SessionClosed:  {gocql.ErrSessionClosed, driver.ErrSessionClosed},
		driver.NoHosts:        {gocql.ErrNoConnections, gocql.ErrNoConnectionsStarted, gocql.ErrNoHosts},
		driver.ConnectionLost: {gocql.ErrConnectionClosed, io.EOF, io.ErrUnexpectedEOF, net.ErrClosed, io.ErrClosedPipe, &net.OpError{Op: "read", Err: errors.New("x")}, gocql.ErrTooManyTimeouts, syscall.ECONNRESET, syscall.EPIPE},
		driver.ClientTimeout:  {gocql.ErrTimeoutNoResponse},
		driver.Overloaded:     {gocql.ErrNoStreams},
		driver.FrameTooBig:    {gocql.ErrFrameTooBig},
		driver.TooLarge:       {gocql.ErrTooManyStmts, driver.ErrBatchTooLong},
		driver.Invalid:        {driver.ErrNotPreparable, driver.ErrZeroTimestamp, driver.ErrPageSize, driver.ErrEmptyBatch},
		driver.Other:          {errors.New("something else"), driver.ErrDriverPanic, syscall.ENOENT, &fs.PathError{Op: "open", Err: syscall.ENOENT}},
	} {
		for _, err := range errs {
			require.Equal(t, want, driver.Classify(err), "%v", err)
			if err != nil {
				require.Equal(t, want, driver.Classify(fmt.Errorf("wrapped: %w", err)), "%v", err)
			}
		}
	}
}

func TestClassesHaveNames(t *testing.T) {
	seen := make(map[string]bool)
	for c := driver.None; c <= driver.Server; c++ {
		require.False(t, seen[c.String()], c.String())
		seen[c.String()] = true
	}
	require.Equal(t, "server error", driver.Server.String())
	require.Equal(t, "other", driver.Class(200).String())
}
