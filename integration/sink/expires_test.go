package sink_test

import (
	"context"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/sink"
)

// The longest time to live ends after the last date that the server stores, as far as
// its files go to 2038 (and from 2086 on in any case).
func TestATimeToLiveThatEndsTooLateIsRefusedWithTheReason(t *testing.T) {
	const longest = 20 * 365 * 24 * time.Hour
	session, ks := cassandra.Keyspace(t, cluster)
	create(t, session, "CREATE TABLE t "+eventColumns)
	target := func(opt sink.TableOption) rxcql.Sink[event] { return sink.Table[event](session, ks+".t", opt) }
	_, err := rxcql.New(rows[event](), target(sink.TTL(longest+time.Second)))
	require.ErrorIs(t, err, rxcql.ErrConfig)
	require.ErrorContains(t, err, "20 years")

	p, err := rxcql.New(rows(event{1, 1, text("v")}, event{2, 1, text("v")}), target(sink.TTL(longest)),
		rxcql.WithRowErrors(rxcql.SkipRows(10)))
	require.NoError(t, err)
	rep, err := p.Run(context.Background())
	require.ErrorIs(t, err, rxcql.ErrConfig, "it is no row's fault")
	require.ErrorContains(t, err, "2038-01-19")
	require.ErrorContains(t, err, "give a shorter one")
	require.NotContains(t, err.Error(), "630720000")
	require.Zero(t, rep.Skipped)

	p, err = rxcql.New(rows(event{1, 1, text("v")}, event{2, 1, text("v")}), target(sink.TTLOf(func(e event) time.Duration {
		if e.P == 1 {
			return longest
		}
		return time.Hour
	})), rxcql.WithRowErrors(rxcql.SkipRows(10)))
	require.NoError(t, err)
	rep, err = p.Run(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, []int64{1, 1}, []int64{rep.Written, rep.Skipped})
	require.Contains(t, rep.RowErrors[0].Reason, "2038-01-19")
	require.NotContains(t, rep.RowErrors[0].Reason, "630720000")
}
