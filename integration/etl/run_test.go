package etl_test

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
)

// report is what --json prints.
type report struct {
	ExitCode int `json:"exit_code"`
	Error    string
	File     string
	Load     *rxcql.Report
	Run      *rxcql.Report
	// The names are the columns'.
	Worst []struct {
		Origin, Destination string
		Flights             int64
		DelaySum            int64   `json:"delay_sum"`
		DelayMean           float64 `json:"delay_mean"`
	}
}

func parsed(t *testing.T, stdout string) report {
	t.Helper()
	var r report
	dec := json.NewDecoder(strings.NewReader(stdout))
	require.NoError(t, dec.Decode(&r), stdout)
	require.False(t, dec.More(), "one JSON value and no more")
	return r
}

func unixSeconds(t *testing.T, text string) int64 {
	t.Helper()
	date, err := time.Parse(time.RFC3339, text)
	require.NoError(t, err)
	return date.Unix()
}

func TestTheTablesHoldWhatTheFileSaysHoweverOftenItRuns(t *testing.T) {
	want := figuresOfEmbedded(t)
	require.EqualValues(t, 200_000, want.flights)
	etl := build(t, "etl")
	session, keyspace := cassandra.Keyspace(t, cluster)

	got := runETL(t, etl, keyspace)
	require.Zero(t, got.code, got.stderr)
	require.Empty(t, got.stderr)
	require.Contains(t, got.stdout, "200,000 flights")
	require.NotContains(t, got.stdout, "\x1b", "no colors and no cursor away from a terminal")
	requireTables(t, session, want)

	got = runETL(t, etl, keyspace, "--json")
	require.Zero(t, got.code, got.stderr)
	require.Empty(t, got.stderr)
	requireTables(t, session, want)
	requireReport(t, want, parsed(t, got.stdout))
}

// requireReport checks that the counts are right and reconcile.
func requireReport(t *testing.T, want *figures, got report) {
	t.Helper()
	routes := int64(len(want.routes))
	require.True(t, got.Load.Complete)
	require.Equal(t, want.flights, got.Load.ReadRows)
	require.Equal(t, want.flights, got.Load.Written)
	require.Equal(t, got.Load.Pages, got.Load.PagesSettled)

	run := got.Run
	require.True(t, run.Complete)
	require.Equal(t, run.Ranges, run.RangesDone)
	require.Equal(t, run.Pages, run.PagesSettled)
	require.Equal(t, want.flights, run.ReadRows)
	require.Equal(t, want.dropped, run.Filtered)
	require.Equal(t, routes, run.Written)
	fold := stage(t, run, "GroupAdjacent")
	require.Equal(t, run.ReadRows, fold.In+run.Filtered, "what is read is folded or dropped")
	require.Equal(t, run.Written, fold.Out, "what is folded is written")
	require.LessOrEqual(t, run.PeakBytes, run.Budget+int64(run.PeakFetches)*run.LargestPage)

	var worst []pair
	for key, r := range want.routes {
		if r.flights >= 50 {
			worst = append(worst, key)
		}
	}
	slices.SortFunc(worst, func(a, b pair) int {
		x, y := want.routes[a], want.routes[b]
		return cmp.Or(cmp.Compare(y.delayMean, x.delayMean), cmp.Compare(y.flights, x.flights),
			strings.Compare(a.origin, b.origin), strings.Compare(a.destination, b.destination))
	})
	worst = worst[:min(10, len(worst))]
	require.Len(t, got.Worst, len(worst))
	for i, key := range worst {
		require.Equal(t, key, pair{got.Worst[i].Origin, got.Worst[i].Destination})
		require.Equal(t, want.routes[key].delaySum, got.Worst[i].DelaySum)
		require.Equal(t, want.routes[key].delayMean, got.Worst[i].DelayMean)
	}
}

func stage(t *testing.T, r *rxcql.Report, name string) rxcql.StageReport {
	t.Helper()
	i := slices.IndexFunc(r.Stages, func(s rxcql.StageReport) bool { return s.Name == name })
	require.GreaterOrEqual(t, i, 0, "no stage %s in %v", name, r.Stages)
	return r.Stages[i]
}
