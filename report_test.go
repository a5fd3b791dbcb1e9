package rxcql_test

import (
	"context"
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/flow"
)

var sample = rxcql.Report{
	Ranges: 64, RangesDone: 63, Pages: 130, EmptyPages: 4, PagesSettled: 129,
	ReadRows: 1000, ReadBytes: 3 << 20, Written: 900, Filtered: 100, Retried: 2,
	Budget: 64 << 20, PeakBytes: 5<<20 + 1<<19, LargestPage: 1 << 20, PeakFetches: 4, BytesInFlight: 0,
	Stages: []rxcql.StageReport{
		{Name: "Table", Out: 1000},
		{Name: "Filter", In: 1000, Out: 900, Dropped: 100},
		{Name: "Table", In: 900, Out: 900},
	},
	Started: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC), Duration: 1234567 * time.Microsecond,
}

func TestAReportReadsWell(t *testing.T) {
	const rest = ` in 1.235s: 1000 rows read, 900 written, 100 filtered, 2 retried
ranges 63 of 64, pages 130 (4 empty, 129 settled), 3.0 MiB read
at most 5.5 MiB of 64.0 MiB in flight, pages fetched at once: 4, largest page: 1.0 MiB
  Table                    in            0  out         1000  dropped 0
  Filter                   in         1000  out          900  dropped 100
  Table                    in          900  out          900  dropped 0
`
	rep := sample
	require.Equal(t, "not complete"+rest, rep.String())
	rep.EndedBy = "Take"
	require.Equal(t, "ended by Take"+rest, rep.String())
	rep.EndedBy, rep.Complete = "", true
	require.Equal(t, "complete"+rest, rep.String())
	rep.Resumed = true // by a run before that had settled nothing
	require.Equal(t, "complete"+rest, rep.String())
	rep.ResumedRows = 7
	require.Contains(t, rep.String(), "\nwent on after 7 rows of earlier runs\n")
}

func TestAReportsKeysInJSONDoNotChange(t *testing.T) {
	got, err := json.Marshal(sample)
	require.NoError(t, err)
	require.Equal(t, `{"ranges":64,"ranges_done":63,"pages":130,"empty_pages":4,"pages_settled":129,`+
		`"read_rows":1000,"read_bytes":3145728,"written_rows":900,"filtered_rows":100,"retried":2,"unknown_rows":0,`+
		`"skipped_rows":0,"dead_lettered_rows":0,"budget_bytes":67108864,"peak_bytes":5767168,"largest_page_bytes":1048576,"peak_fetches":4,"bytes_in_flight":0,`+
		`"stages":[{"name":"Table","in":0,"out":1000,"dropped":0,"skipped_rows":0,"dead_lettered_rows":0},`+
		`{"name":"Filter","in":1000,"out":900,"dropped":100,"skipped_rows":0,"dead_lettered_rows":0},`+
		`{"name":"Table","in":900,"out":900,"dropped":0,"skipped_rows":0,"dead_lettered_rows":0}],`+
		`"resumed":false,"resumed_rows":0,"saves":0,"started":"2026-01-02T03:04:05Z","duration_ns":1234567000,"complete":false}`, string(got))
	rep := sample
	rep.EndedBy = "Take"
	got, err = json.Marshal(rep)
	require.NoError(t, err)
	require.Contains(t, string(got), `"complete":false,"ended_by":"Take"}`)
}

func TestAReportSaysHowManyRowsWereLate(t *testing.T) {
	rep := sample
	rep.LateRows = 7
	require.Contains(t, rep.String(), "\n7 rows came too late for windows\n")
	got, err := json.Marshal(rep)
	require.NoError(t, err)
	require.Contains(t, string(got), `"unknown_rows":0,"late_rows":7,`)
}

func TestAReportIsTheCallersOwn(t *testing.T) {
	p := pipeline(t, seq(10), &memory[int]{})
	rep, err := p.Run(context.Background())
	require.NoError(t, err)
	rep.Stages[0].Name = "changed"
	p.Progress().Stages[0].Name = "changed"
	require.Equal(t, "Seq", p.Progress().Stages[0].Name)
}

func TestRowsDroppedAreCountedByStage(t *testing.T) {
	none := rxcql.Lift(seq(30), rxcql.StageInfo{Name: "None", Drops: true}, func(_ *rxcql.Stage, out flow.Observer[int]) flow.Observer[int] {
		return op[int, int]{done: out.Done, next: func(ctx context.Context, p *flow.Page[int]) error {
			return out.Next(ctx, flow.Derive(p, p.Rows[:0]))
		}}
	})
	rep, err := pipeline(t, none, &memory[int]{}).Run(context.Background())
	require.NoError(t, err)
	require.EqualValues(t, 30, rep.Filtered)
	require.Equal(t, rep.ReadRows, rep.Written+rep.Filtered)
	require.Equal(t, rxcql.StageReport{Name: "None", In: 30, Dropped: 30}, rep.Stages[1])
}
