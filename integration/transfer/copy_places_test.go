package transfer_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

func TestTransferCopyLeavesOutPartitionsForWhichTheTargetHasNoPlaceAndSaysSo(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	run(t, session, "CREATE TABLE t (p int, c int, s text STATIC, other int STATIC, v int, PRIMARY KEY (p, c))",
		"INSERT INTO t (p, s) VALUES (1, 'alone')", "INSERT INTO t (p, other) VALUES (2, 2)", "INSERT INTO t (p, c, s, v) VALUES (3, 1, 'x', 3)",
		"CREATE TABLE flat (p int, c int, s text, other int, v int, PRIMARY KEY (p, c))")
	for i, tc := range []struct {
		target  string
		opts    []transfer.CopyOption
		left    int64
		arrived []string
	}{
		{"none", []transfer.CopyOption{transfer.Drop("s", "other")}, 2, []string{`{"p": 3, "c": 1, "v": 3}`}},
		{"one", []transfer.CopyOption{transfer.Drop("other")}, 1, []string{`{"p": 1, "c": null, "s": "alone", "v": null}`, `{"p": 3, "c": 1, "s": "x", "v": 3}`}},
		{"flat", nil, 2, []string{`{"p": 3, "c": 1, "other": null, "s": "x", "v": 3}`}},
		{"both", nil, 0, []string{`{"p": 1, "c": null, "other": null, "s": "alone", "v": null}`, `{"p": 2, "c": null, "other": 2, "s": null, "v": null}`,
			`{"p": 3, "c": 1, "other": null, "s": "x", "v": 3}`}},
	} {
		for name, opts := range map[string][]transfer.CopyOption{"": nil, "_times": {transfer.WithTimes()}} {
			target := tc.target + name
			if target == "flat_times" {
				target = "flat"
			}
			rep := copied(t, session, session, ks+".t", ks+"."+target, append(append(opts, tc.opts...), transfer.Create(), transfer.WithSplits(4))...)
			require.Equal(t, tc.left, rep.StaticsOnly, "%d %s", i, target)
			require.Equal(t, tc.left > 0, len(rep.Lossy) > 0, "%d %s", i, target)
			require.Equal(t, tc.arrived, asJSON(t, session, target))
		}
	}
}

func TestTransferCopyOfStaticCountersLeavesOutPartitionsWithoutRows(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	run(t, session, "CREATE TABLE t (p int, c int, total counter STATIC, n counter, PRIMARY KEY (p, c))",
		"UPDATE t SET total = total + 5 WHERE p = 1", "UPDATE t SET total = total + 7 WHERE p = 2", "UPDATE t SET n = n + 1 WHERE p = 2 AND c = 3",
		"CREATE TABLE u (p int, c int, k int, total counter STATIC, n counter, PRIMARY KEY ((p, c), k))")
	rep := copied(t, session, session, ks+".t", ks+".u", transfer.Counters(), transfer.Constant("k", "", 1))
	require.EqualValues(t, 1, rep.StaticsOnly)
	require.Equal(t, []string{`{"p": 2, "c": 3, "k": 1, "total": 7, "n": 1}`}, asJSON(t, session, "u"))
}

func TestTransferCopyWithoutTimesLosesToWhatIsWrittenToTheTargetMeanwhile(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	run(t, session, "CREATE TABLE t (p int PRIMARY KEY, v text, l list<int>)", "CREATE TABLE u (p int PRIMARY KEY, v text, l list<int>)")
	for p := range 20 {
		run(t, session, fmt.Sprintf("INSERT INTO t (p, v, l) VALUES (%d, 'source', [1, 2])", p),
			fmt.Sprintf("INSERT INTO u (p, v, l) VALUES (%d, 'before', [0])", p))
	}
	var once sync.Once
	hooks := rxcql.Hooks{PageRead: func(_ context.Context, e rxcql.PageEvent) {
		if e.Rows > 0 {
			once.Do(func() { // the rows were read, and none has been written
				for p := range 20 {
					run(t, session, fmt.Sprintf("INSERT INTO u (p, v, l) VALUES (%d, 'meanwhile', [9])", p))
				}
			})
		}
	}}
	rep := copied(t, session, session, ks+".t", ks+".u", transfer.WithRun(rxcql.WithHooks(hooks)), transfer.WithSplits(1), transfer.WithWorkers(1))
	require.EqualValues(t, 20, rep.Written)
	for _, row := range asJSON(t, session, "u") {
		require.Contains(t, row, `"l": [9], "v": "meanwhile"`)
	}
	require.Contains(t, fmt.Sprint(rep.Notes), "it replaces what the target had before")
}
