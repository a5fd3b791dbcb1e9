package main

import (
	"bufio"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// watched serves events of a table in the process of the test.
type watched struct {
	*events
	url string
}

func serveEvents(t *testing.T, cfg config) watched {
	t.Helper()
	server := cqlfake.New(t)
	columns, _, _ := strings.Cut(tables["rollups"], " WITH ")
	server.Keyspace("rollup", "rollups "+columns)
	reader := &rollups{
		cfg: cfg, session: server.Session("rollup"), keyspace: "rollup",
		places: &places{most: cfg.limits.readers, quick: cfg.limits.held}, metrics: newMetrics(),
	}
	e := &events{
		hub: newHub(cfg.limits.behind), rollups: reader, elsewhere: func() bool { return false }, places: &places{most: cfg.limits.watchers, quick: cfg.limits.held},
		patience: time.Minute, metrics: reader.metrics,
	}
	mux := http.NewServeMux()
	mux.Handle("/events", e)
	mux.Handle("/rollups", reader)
	web := httptest.NewServer(mux)
	t.Cleanup(func() {
		e.hub.close()
		web.Close()
		http.DefaultClient.CloseIdleConnections()
	})
	return watched{e, web.URL}
}

// write writes windows into the table.
func (e watched) write(t *testing.T, rows ...Rollup) {
	t.Helper()
	all := source.Seq(func(yield func(Rollup, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
	})
	_, err := rxcql.Run(t.Context(), all, sink.Table[Rollup](e.rollups.session, "rollup.rollups"))
	require.NoError(t, err)
}

// ask asks for events from an id on.
func (e watched) ask(t *testing.T, id string) (lines *bufio.Scanner, leave func()) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute) // ends a hang
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url+"/events", nil)
	require.NoError(t, err)
	if id != "" {
		req.Header.Set("Last-Event-ID", id)
	}
	answer, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, "text/event-stream", answer.Header.Get("Content-Type"))
	leave = func() {
		cancel()
		answer.Body.Close()
	}
	t.Cleanup(leave)
	return bufio.NewScanner(answer.Body), leave
}

// next is the id of the next event, or its name if that is another than message; "" at the end.
func next(lines *bufio.Scanner) string {
	for lines.Scan() {
		for _, field := range []string{"id: ", "event: "} {
			if value, found := strings.CutPrefix(lines.Text(), field); found && value != "live" {
				return value
			}
		}
	}
	return ""
}

// windowAt is a window that ended so long ago.
func windowAt(ago time.Duration) Rollup {
	until := time.Now().Add(-ago).UTC().Truncate(time.Millisecond)
	return Rollup{Hour: until.Truncate(hour), Until: until, Since: until.Add(-time.Second), Device: "a", Readings: 1}
}

func idOf(r Rollup) string { return fmt.Sprint(r.Until.UnixMilli()) }

func TestAWatcherGetsTheRecentPastAndThenWhatComes(t *testing.T) {
	e := serveEvents(t, configured(t))
	old, first, second := windowAt(past+time.Minute), windowAt(time.Minute), windowAt(time.Second)
	e.write(t, old, first, second)
	lines, _ := e.ask(t, "")
	require.Equal(t, idOf(first), next(lines))
	require.Equal(t, idOf(second), next(lines))
	live := windowAt(0)
	e.hub.announce([]Rollup{live})()
	require.Equal(t, idOf(live), next(lines))
}

func TestAWatcherGoesOnWithTheIDOfItsLastEvent(t *testing.T) {
	e := serveEvents(t, configured(t))
	all := []Rollup{windowAt(3 * time.Minute), windowAt(2 * time.Minute), windowAt(time.Minute)}
	e.write(t, all...)
	lines, _ := e.ask(t, idOf(all[1]))
	require.Equal(t, idOf(all[1]), next(lines), "others of the same end may be missing")
	require.Equal(t, idOf(all[2]), next(lines))
}

func TestAWatcherWhoseIDIsTooOldIsToldOfTheGap(t *testing.T) {
	e := serveEvents(t, configured(t))
	old, recent := windowAt(furthest+time.Minute), windowAt(furthest-time.Minute)
	e.write(t, old, recent)
	lines, _ := e.ask(t, idOf(old))
	require.Equal(t, "gap", next(lines))
	require.Equal(t, idOf(recent), next(lines))
}

func TestAWatcherThatWasTooSlowIsToldOfTheGapAndFindsTheRestInTheTable(t *testing.T) {
	cfg := configured(t)
	cfg.limits.behind = 1
	e := serveEvents(t, cfg)
	lines, _ := e.ask(t, "")
	var all []Rollup
	for i := range 2000 {
		all = append(all, windowAt(time.Minute-time.Duration(i)*time.Millisecond))
	}
	e.write(t, all...)
	for _, row := range all { // faster than they can be sent
		e.hub.announce([]Rollup{row})()
	}
	last := idOf(all[0])
	for {
		event := next(lines)
		require.NotEmpty(t, event, "the connection has ended without a word")
		if event == "gap" {
			break
		}
		last = event
	}
	require.Empty(t, next(lines), "the connection ends, so that the browser makes another one")
	again, _ := e.ask(t, last)
	for id := ""; id != idOf(all[len(all)-1]); {
		id = next(again)
		require.NotEmpty(t, id)
		require.NotEqual(t, "gap", id)
	}
}

func TestMoreWatchersThanTheLimitAreSentAway(t *testing.T) {
	cfg := configured(t)
	cfg.limits.watchers, cfg.limits.held = 1, time.Hour
	e := serveEvents(t, cfg)
	_, leave := e.ask(t, "")
	answer, err := http.Get(e.url + "/events")
	require.NoError(t, err)
	answer.Body.Close()
	require.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
	require.Equal(t, "5", answer.Header.Get("Retry-After"))
	leave()
	for status := 0; status != http.StatusOK; { // when the server has seen that the first has gone
		answer, err := http.Get(e.url + "/events")
		require.NoError(t, err)
		answer.Body.Close()
		status = answer.StatusCode
	}
}

// Else watchers who stay for ever would keep all others out.
func TestAWatcherThatHasStayedForAWhileGivesItsPlaceToOneThatComes(t *testing.T) {
	cfg := configured(t)
	cfg.limits.watchers, cfg.limits.held = 1, 0
	e := serveEvents(t, cfg)
	row := windowAt(time.Minute)
	e.write(t, row)
	first, _ := e.ask(t, "")
	require.Equal(t, idOf(row), next(first))
	second, _ := e.ask(t, "")
	require.Empty(t, next(first), "the connection ends, and a browser makes another one, from its last event on")
	require.Equal(t, idOf(row), next(second))
	live := windowAt(0)
	e.hub.announce([]Rollup{live})()
	require.Equal(t, idOf(live), next(second))
}

// Its page would look as if nothing happened any more.
func TestAWatcherOfAnInstanceWithoutTheJobIsToldOfThat(t *testing.T) {
	e := serveEvents(t, configured(t))
	e.elsewhere = func() bool { return true }
	row := windowAt(time.Minute)
	e.write(t, row)
	lines, _ := e.ask(t, "")
	require.Equal(t, idOf(row), next(lines), "what is in the table is sent all the same")
	require.Equal(t, "elsewhere", next(lines))
	e.hub.announce([]Rollup{row})() // it goes on with the job
	require.Equal(t, idOf(row), next(lines))
}

func TestAnIDThatIsNoneOfOursIsRefused(t *testing.T) {
	e := serveEvents(t, configured(t))
	gone, leave := context.WithCancel(t.Context())
	leave() // so that an answer ends
	for query, want := range map[string]string{
		"after=yesterday": "is none of ours", "aftr=1": `"aftr" is no parameter here: give after`, "after=1&after=2": "after is given 2 times",
		"after=": "is none of ours",
	} {
		w := httptest.NewRecorder()
		e.ServeHTTP(w, httptest.NewRequestWithContext(gone, http.MethodGet, "/events?"+query, nil))
		require.Equal(t, http.StatusBadRequest, w.Code, query)
		require.Contains(t, w.Body.String(), want)
	}
}

func TestRangesOfRollupsAreLinesInTheOrderOfTime(t *testing.T) {
	e := serveEvents(t, configured(t))
	all := []Rollup{windowAt(3 * time.Hour), windowAt(90 * time.Minute), windowAt(time.Minute)}
	e.write(t, all...)
	query := "/rollups?from=" + all[0].Until.Format(time.RFC3339) + "&until=" + time.Now().UTC().Format(time.RFC3339)
	answer, err := http.Get(e.url + query)
	require.NoError(t, err)
	defer answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	var ends []string
	for lines := bufio.NewScanner(answer.Body); lines.Scan(); {
		_, end, _ := strings.Cut(lines.Text(), `"until":"`)
		ends = append(ends, strings.SplitN(end, `"`, 2)[0])
	}
	for i, end := range ends {
		require.Equal(t, all[i].Until.Format(time.RFC3339Nano), end)
	}
	require.Len(t, ends, 3)
}

func TestARangeThatIsNoneIsRefused(t *testing.T) {
	e := serveEvents(t, configured(t))
	for query, want := range map[string]string{
		"from=yesterday":                  "from: give a time",
		"from=yesterday&until=tomorrow":   "until: give a time",
		"form=2026-11-26T14:00:00Z":       `"form" is no parameter here: give from and until`,
		"until=2026-11-26T14:00:00Z&To=x": `"To" is no parameter here`,
		"=1":                              `"" is no parameter here`,
		"a=1&b=2":                         `"b" is no parameter here`,
		"from=2026-11-26T14:00:00Z&from=2026-11-26T13:00:00Z": "from is given 2 times",
		"until=&until=":                  "until is given 2 times",
		"from=":                          "from: give a time",
		"until":                          "until: give a time",
		"from=2026-11-26T14:00:00+01:00": "with %2B for +",
		"from=%zz":                       "cannot be read",
		"from=a;until=b":                 "cannot be read",
		"from=2026-11-26T14:00:00Z&until=2026-11-26T13:00:00Z": "from is not before until",
		"from=1970-01-01T00:00:00Z&until=2026-11-26T13:00:00Z": "longer than",
		"from=0001-01-01T00:00:00Z&until=0001-01-01T01:00:00Z": "before 1970",
	} {
		w := httptest.NewRecorder()
		e.rollups.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/rollups?"+query, nil))
		require.Equal(t, http.StatusBadRequest, w.Code)
		require.Contains(t, w.Body.String(), want)
	}
}

func TestARequestForTheHeaderReadsNothing(t *testing.T) {
	e := serveEvents(t, configured(t))
	require.NoError(t, e.rollups.session.Query("DROP TABLE rollup.rollups").Exec())
	answer, err := http.Head(e.url + "/rollups")
	require.NoError(t, err)
	answer.Body.Close()
	require.Equal(t, http.StatusOK, answer.StatusCode)
	require.Equal(t, "application/x-ndjson", answer.Header.Get("Content-Type"))
}

func TestRollupsThatCannotBeReadAreAnErrorAndNoEmptyAnswer(t *testing.T) {
	e := serveEvents(t, configured(t))
	require.NoError(t, e.rollups.session.Query("DROP TABLE rollup.rollups").Exec())
	answer, err := http.Get(e.url + "/rollups")
	require.NoError(t, err)
	answer.Body.Close()
	require.Equal(t, http.StatusServiceUnavailable, answer.StatusCode)
}
