package show_test

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/fleet"
	"github.com/rxcql/rxcql/cmd/rxcql/internal/show"
)

// paper is what was shown. Bars are drawn by a goroutine of their own.
type paper struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (p *paper) Write(b []byte) (int, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.Write(b)
}

func (p *paper) String() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.text.String()
}

// running is a run of two tables, of 1,000 rows a second each, of which the first takes 100 s. The
// second says nothing of how far it is.
func running() show.View {
	start := time.Now()
	return show.View{
		Progress: func() ([]fleet.Live, int, int) {
			took := time.Since(start)
			rows := int64(took.Seconds()) * 1000
			first := rxcql.Report{ReadRows: rows, ResumedRows: 500, Retried: 1234, Skipped: 2, DeadLettered: 1}
			first.Estimate = rxcql.Estimate{Known: true, Fraction: took.Seconds() / 100, LeftKnown: true, Left: 100*time.Second - took}
			return []fleet.Live{{Table: "shop.orders", Now: first, At: time.Now()}, {Table: "shop.stock", Now: rxcql.Report{ReadRows: rows}, At: time.Now()}}, 3, 5
		},
		Run: func() string { return "7 requests in flight" },
	}
}

// shown is what a run of so long shows.
func shown(t *testing.T, kind string, long time.Duration) (text string) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		out := &paper{}
		screen := show.New(out, kind)
		screen.Show(t.Context(), running(), func() {
			time.Sleep(long)
			screen.Ended("shop.done: done", true)
			screen.Ended("shop.bad: failed: no answer", false)
		})
		text = out.String()
	})
	return text
}

func TestElsewhereThanOnATerminalThereIsALineForEachTableEveryFiveSeconds(t *testing.T) {
	for _, kind := range []string{show.Lines, show.Auto} { // a buffer is no terminal
		require.Equal(t, strings.Join([]string{
			"shop.orders    5 %  5,500 rows, 1m35s left, 1,234 retries, 3 bad rows",
			"shop.stock    ? %  5,000 rows; 3 of 5 tables, 7 requests in flight",
			"shop.orders   10 %  10,500 rows, 1,000/s, 1m30s left, 1,234 retries, 3 bad rows",
			"shop.stock    ? %  10,000 rows, 1,000/s; 3 of 5 tables, 7 requests in flight",
			"shop.done: done",
			"shop.bad: failed: no answer",
			"",
		}, "\n"), shown(t, kind, 12*time.Second), kind)
	}
}

func TestAPipeAndAFileGetNoEscapeCodes(t *testing.T) {
	require.NotContains(t, shown(t, show.Auto, time.Minute), "\x1b")
	require.NotContains(t, shown(t, show.Auto, time.Minute), "\r")
	out, err := os.Create(filepath.Join(t.TempDir(), "log"))
	require.NoError(t, err)
	screen := show.New(out, show.Auto)
	screen.Show(t.Context(), running(), func() { screen.Printf("%s\n", "stopping") })
	require.NoError(t, out.Close())
	text, err := os.ReadFile(out.Name())
	require.NoError(t, err)
	require.Equal(t, "stopping\n", string(text))
}

func TestWithNoneNothingIsShown(t *testing.T) {
	require.Empty(t, shown(t, show.None, time.Minute))
}

func TestBarsShowTheTablesThatRunAndTheRunBelow(t *testing.T) {
	text := shown(t, show.Bars, 50*time.Second)
	for _, part := range []string{"shop.orders", "50 %", "1,000/s", "50s left", "1,234 retries", "shop.stock", "3 of 5 tables, 7 requests in flight", "===="} {
		require.Contains(t, text, part)
	}
	require.Contains(t, text, "shop.bad: failed: no answer", "what somebody must look at stays above the bars")
	require.NotContains(t, text, "shop.done: done", "the report has it")
	require.True(t, strings.HasSuffix(strings.TrimRight(text, "\r\n"), "\x1b[J") || !strings.HasSuffix(text, "]"), "no bar is left at the end")
}

func TestTheRateIsThatOfTheLastFewLooksAndNeverBelowZero(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		out := &paper{}
		start := time.Now()
		view := show.View{
			Progress: func() ([]fleet.Live, int, int) { // 100 rows a second for a minute, then none, then the next step of the job
				took := int64(time.Since(start).Seconds())
				rows := min(took, 60) * 100
				if took > 150 {
					rows = 0
				}
				return []fleet.Live{{Table: "t", Now: rxcql.Report{ReadRows: rows}, At: time.Now()}}, 0, 1
			},
			Run: func() string { return "" },
		}
		show.New(out, show.Lines).Show(t.Context(), view, func() { time.Sleep(3 * time.Minute) })
		lines := strings.Split(out.String(), "\n")
		require.Contains(t, lines[10], " rows, 100/s")
		require.Contains(t, lines[25], "6,000 rows, 0/s")
		require.Contains(t, lines[31], " 0 rows, 0/s")
	})
}

func TestThousands(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", 1234567: "1,234,567", -1000: "-1,000", -999: "-999"} {
		require.Equal(t, want, show.Thousands(n))
	}
}
