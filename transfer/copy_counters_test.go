package transfer_test

import (
	"fmt"
	"testing"
	"testing/synctest"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/datastax/go-cassandra-native-protocol/primitive"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/transfer"
)

// One write of a counter fails in a way that leaves open whether it was applied. It is not sent
// again, and the run says that it is in doubt.
func TestACopyOfCountersDoesNotRepeatAWriteThatMayHaveBeenApplied(t *testing.T) {
	for name, failure := range map[string]func() *cqlfake.Reply{
		"timeout of a counter": func() *cqlfake.Reply {
			return cqlfake.Fail(&message.WriteTimeout{BlockFor: 1, WriteType: primitive.WriteTypeCounter})
		},
		"timeout of a write": func() *cqlfake.Reply {
			return cqlfake.Fail(&message.WriteTimeout{BlockFor: 1, WriteType: primitive.WriteTypeSimple})
		},
		"failure":             func() *cqlfake.Reply { return cqlfake.Fail(&message.WriteFailure{BlockFor: 1, NumFailures: 1}) },
		"server error":        func() *cqlfake.Reply { return cqlfake.Fail(&message.ServerError{}) },
		"a broken connection": cqlfake.Drop,
	} {
		for _, applied := range []bool{false, true} {
			t.Run(fmt.Sprint(name, ", applied: ", applied), func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					server := cqlfake.New(t)
					server.Keyspace("ks", "t (p int PRIMARY KEY, n counter)", "u (p int PRIMARY KEY, n counter)")
					for range 5 {
						server.Exec("UPDATE ks.t SET n = n + 7 WHERE p = 1", "UPDATE ks.t SET n = n + 7 WHERE p = 2", "UPDATE ks.t SET n = n + 7 WHERE p = 3")
					}
					var doubtful []byte // the key of the row that fails
					sent := map[string]int{}
					server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
						if !r.Writes("ks.u") {
							return nil
						}
						key := r.Statements[0].Values[1].Bytes
						if sent[string(key)]++; doubtful != nil {
							return nil
						}
						doubtful = key
						if applied {
							return failure().Applied()
						}
						return failure()
					})
					session := server.Session("ks")
					job, err := transfer.Copy(transfer.Table{Session: session, Name: "ks.t"}, transfer.Table{Session: session, Name: "ks.u"}, transfer.Counters())
					require.NoError(t, err)
					report, err := job.Run(t.Context())
					require.ErrorIs(t, err, rxcql.ErrUnknownOutcome)
					require.ErrorContains(t, err, "copying again would count twice: empty it (TRUNCATE")
					require.False(t, report.Complete)
					require.Positive(t, report.Unknown, report.Report.String())
					require.Equal(t, 1, sent[string(doubtful)], "it is not sent again")
					for _, times := range sent {
						require.Equal(t, 1, times)
					}
					require.LessOrEqual(t, report.Written+report.Unknown, int64(3))
				})
			})
		}
	}
}
