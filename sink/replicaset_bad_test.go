package sink_test

import (
	"context"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
)

// badFor refuses requests with a row of which the value is "bad".
func badFor(s sink.Sent) error {
	for _, r := range s.Rows {
		if string(r.Values[2].([]byte)) == "bad" {
			return invalid{}
		}
	}
	return nil
}

func TestBadRowsOfManyPartitionsBeforeGoodOnesCostThemselvesOnly(t *testing.T) {
	rows := scattered(100, 1)
	for i := range 80 {
		rows[i].V = "bad"
	}
	server := &recorder{refuse: badFor}
	rep, err := run(t, sequence(rows...), sink.TableOn[event](server.send, events(), sink.BatchByReplicaSet(100, 48<<10), sink.InFlight(1)),
		rxcql.WithRowErrors(rxcql.SkipRows(1000)))
	require.NoError(t, err)
	require.EqualValues(t, 20, rep.Written)
	require.EqualValues(t, 80, rep.Skipped)
	require.Equal(t, rep.Pages, rep.PagesSettled)
}

func TestATableThatIsGoneIsFoundOutSoonWithManyPartitionsToo(t *testing.T) {
	calls, asked := 0, 0
	server := sink.Altered{
		Server: func(context.Context, sink.Sent) error {
			calls++
			return invalid{}
		},
		Prepares: func(cql string) error {
			asked++
			require.Contains(t, cql, "/*", "as it is sent: the driver may still know the bare text from before")
			return invalid{}
		},
	}
	_, err := run(t, sequence(scattered(1000, 1)...), sink.TableOnAltered[event](server, events(),
		sink.BatchByReplicaSet(1000, 1<<20), sink.BatchRows(1000), sink.InFlight(1)), rxcql.WithRowErrors(rxcql.SkipRows(10_000)))
	require.ErrorIs(t, err, rxcql.ErrSchema)
	require.Less(t, calls, 60)
	require.LessOrEqual(t, asked, 2)
}

func TestSixteenBadRowsOfOnePartitionAreAsHopelessAsWithout(t *testing.T) {
	server := &recorder{refuse: func(sink.Sent) error { return invalid{} }}
	_, err := run(t, sequence(partitions(1, 100)...), sink.TableOn[event](server.send, events(), sink.BatchByReplicaSet(0, 0), sink.InFlight(1)),
		rxcql.WithRowErrors(rxcql.SkipRows(1000)))
	require.ErrorContains(t, err, "not tried")
}

func TestABatchThatIsTooLargeIsHalvedDownToOnePartition(t *testing.T) {
	for name, refusal := range map[string]error{
		"the server's limit": answerOf(0x2200, "Batch too large"), "a mutation's": answerOf(0x0000, "Mutation of 9 bytes is too large for the maximum size of 8"),
	} {
		t.Run(name, func(t *testing.T) {
			server := &recorder{}
			server.refuse = func(s sink.Sent) error {
				if len(keysOf(s)) > 1 {
					return refusal
				}
				return nil
			}
			rep, err := run(t, sequence(scattered(95, 1)...), sink.TableOn[event](server.send, events(), sink.BatchByReplicaSet(100, 48<<10)))
			require.NoError(t, err)
			require.EqualValues(t, 95, rep.Written)
			require.Len(t, server.sent, 95)
			require.Zero(t, rep.Retried)
		})
	}
}

func TestALargeBatchThatReplicasFailAtIsHalved(t *testing.T) {
	rows := scattered(8, 1)
	for i := range rows {
		rows[i].V = strings.Repeat("x", 300<<10)
	}
	server := &recorder{}
	server.refuse = func(s sink.Sent) error {
		if len(s.Rows) > 2 {
			return writeFailure{}
		}
		return nil
	}
	rep, err := run(t, sequence(rows...), sink.TableOn[event](server.send, events(), sink.BatchByReplicaSet(100, 4<<20)))
	require.NoError(t, err)
	require.EqualValues(t, 8, rep.Written)
	require.Equal(t, 4, len(server.sent)) //nolint:testifylint // Len would print the values
}
