package sink_test

import (
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/sink"
)

// answered is an answer of the server with a message.
type answered struct {
	code    int
	message string
}

func answerOf(code int, message string) error { return answered{code, message} }

func (a answered) Code() int       { return a.code }
func (a answered) Message() string { return a.message }
func (a answered) Error() string   { return a.message }

func TestABatchByReplicaSetIsSentAgainWithItsTimestamps(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var mu sync.Mutex
		var refused []sink.Sent
		server := &recorder{}
		server.refuse = func(s sink.Sent) error {
			mu.Lock()
			defer mu.Unlock()
			if len(refused) < 5 {
				refused = append(refused, s)
				return writeTimeout
			}
			return nil
		}
		rep, err := run(t, sequence(scattered(10, 1)...), sink.TableOn[event](server.send, events(), sink.BatchByReplicaSet(0, 0)),
			rxcql.WithRetry(time.Hour, 0))
		require.NoError(t, err)
		require.Len(t, server.sent, 1)
		for _, s := range refused {
			require.Equal(t, server.sent[0].Rows, s.Rows)
		}
		require.EqualValues(t, 10, rep.Written)
		require.Zero(t, rep.Unknown)
	})
}

func TestWhatIsKnownOfABatchThatFailsIsSaidByRow(t *testing.T) {
	for name, each := range map[string]struct {
		rows    []event
		failure error
		unknown int64
	}{
		"a timeout":                             {scattered(10, 1), writeTimeout, 10},
		"unavailable, of several partitions":    {scattered(10, 1), unavailable, 10}, // a later partition may have been the one
		"unavailable, of one partition":         {partitions(1, 10), unavailable, 0},
		"unauthorized, of several partitions":   {scattered(10, 1), answer(0x2100), 0},
		"bootstrapping, with several of one":    {partitions(1, 10), bootstrapping, 0},
		"bootstrapping, of several partitions":  {scattered(10, 1), bootstrapping, 0},
		"unavailable, of one row of its own":    {scattered(1, 1), unavailable, 0},
		"a connection that was lost in between": {scattered(10, 1), serverError, 10},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				server := &recorder{refuse: func(sink.Sent) error { return each.failure }}
				rep, err := run(t, sequence(each.rows...), sink.TableOn[event](server.send, events(), sink.BatchByReplicaSet(0, 0)))
				require.ErrorIs(t, err, each.failure)
				require.Equal(t, each.unknown, rep.Unknown)
				require.Zero(t, rep.Written)
				require.Zero(t, rep.PagesSettled)
				require.Zero(t, rep.BytesInFlight)
			})
		})
	}
}

func TestListsOfSeveralPartitionsAreSentAgainALittleLater(t *testing.T) {
	about := tableOf(column("p", schema.PartitionKey, "bigint"), column("v", schema.Regular, "list<text>"))
	type row struct {
		P int64    `cql:"p"`
		V []string `cql:"v"`
	}
	for name, failure := range map[string]error{"a timeout": writeTimeout, "unavailable": unavailable} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var mu sync.Mutex
				var first []sink.SentRow
				server := &recorder{}
				server.refuse = func(s sink.Sent) error {
					mu.Lock()
					defer mu.Unlock()
					if first == nil {
						first = s.Rows
						return failure
					}
					return nil
				}
				_, err := run(t, sequence(row{P: 1, V: []string{"a"}}, row{P: 2, V: []string{"b"}}),
					sink.TableOn[row](server.send, about, sink.BatchByReplicaSet(0, 0)))
				require.NoError(t, err)
				for i, r := range server.rows() {
					require.Equal(t, first[i].Timestamp+1, r.Timestamp)
				}
				require.Len(t, server.sent, 1)
				require.EqualValues(t, sink.AttemptsPerRow, first[1].Timestamp-first[0].Timestamp)
			})
		})
	}
}
