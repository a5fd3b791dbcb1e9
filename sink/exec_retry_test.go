package sink_test

import (
	"context"
	"errors"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
	"github.com/rxcql/rxcql/sink"
)

func TestWhatExecRunsAgain(t *testing.T) {
	const (
		plain       = "UPDATE ks.t SET n = n + ? WHERE p = ?"
		conditional = "INSERT INTO ks.t (p) VALUES (?) if not exists"
		batch       = " begin BATCH UPDATE ks.t SET n = n + ? WHERE p = ?; APPLY BATCH"
	)
	// Which statements may run again after the failure if they are not idempotent.
	for _, each := range []struct {
		name    string
		err     error
		again   []string
		passing bool
	}{
		{"unavailable", unavailable, []string{plain}, true},
		{"bootstrapping", bootstrapping, []string{plain, conditional, batch}, true},
		{"no hosts", gocql.ErrNoConnections, []string{plain, conditional, batch}, true},
		{"no streams", gocql.ErrNoStreams, []string{plain, conditional, batch}, true},
		{"unprepared", driver.ErrUnpreparedLoop, []string{plain, conditional, batch}, true},
		{"overloaded", overloaded, nil, true},
		{"write timeout", writeTimeout, nil, true},
		{"a conditional write of unknown outcome", casUnknown, nil, true},
		{"write failure", writeFailure{}, nil, true},
		{"server error", serverError, nil, true},
		{"client timeout", gocql.ErrTimeoutNoResponse, nil, true},
		{"connection lost", gocql.ErrConnectionClosed, nil, true},
		{"read timeout", readTimeout, nil, true},
		{"invalid", invalid{}, nil, false},
		{"something else", errors.New("other"), nil, false},
		{"cancelled", context.Canceled, nil, false},
	} {
		for _, cql := range []string{plain, conditional, batch} {
			again, unsure := sink.ExecMayRetry(cql, false, each.err)
			want := false
			for _, may := range each.again {
				want = want || may == cql
			}
			require.Equal(t, want, again, "%s: %s", each.name, cql)
			if each.passing {
				require.Equal(t, !want, unsure, "%s: %s", each.name, cql)
			}
			again, _ = sink.ExecMayRetry(cql, true, each.err)
			require.Equal(t, each.passing, again, "idempotent, %s: %s", each.name, cql)
		}
	}
}
