package rollup_test

import (
	"bufio"
	"context"
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/integration/cassandra"
)

// watch asks for events, and returns the data of each; "" at the end.
func (s *service) watch(t *testing.T) (next func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/events", nil)
	require.NoError(t, err)
	answer, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	t.Cleanup(func() { answer.Body.Close() })
	require.Equal(t, http.StatusOK, answer.StatusCode)
	lines := bufio.NewScanner(answer.Body)
	return func() string {
		for lines.Scan() {
			if data, found := strings.CutPrefix(lines.Text(), "data: "); found {
				return data
			}
		}
		return ""
	}
}

func TestRollupAClosedWindowIsInTheTableBeforeItIsPushed(t *testing.T) {
	_, keyspace := cassandra.Keyspace(t, cluster)
	s := start(t, build(t), keyspace, "--window", "1s", "--out-of-order", "1s", "--write-deadline", "1m")
	next := s.watch(t)
	begin := time.Now().Add(-time.Minute).UTC().Truncate(time.Second)
	post := func(lines string) {
		status, text, err := s.post(lines)
		require.NoError(t, err)
		require.Equal(t, http.StatusOK, status, text)
	}
	var one strings.Builder
	for i := range 4 {
		one.WriteString(reading("a", begin.Add(time.Duration(i)*100*time.Millisecond), float64(i)))
	}
	one.WriteString(reading("b", begin.Add(500*time.Millisecond), -1))
	post(one.String())
	post(one.String()) // its client has not heard that it was written
	post(reading("a", begin.Add(10*time.Second), 7))

	var got rolled
	seen := map[string]bool{}
	for len(seen) < 2 {
		data := next()
		require.NotEmpty(t, data)
		_, table := s.get(t, "/rollups")
		require.Contains(t, table, data+"\n", "a window was pushed that is not in the table")
		require.NoError(t, json.Unmarshal([]byte(data), &got))
		require.Equal(t, begin, got.Since)
		require.Equal(t, begin.Add(time.Second), got.Until)
		seen[got.Device] = true
		if got.Device == "a" {
			require.Equal(t, []float64{4, 4, 1.5, 0, 3}, []float64{float64(got.Readings), float64(got.Repeated), got.Mean, got.Min, got.Max})
		}
	}
}

// The newest reading is at the border, so only the clock can close its window.
func TestRollupTheLastWindowOfAQuietStreamCloses(t *testing.T) {
	_, keyspace := cassandra.Keyspace(t, cluster)
	s := start(t, build(t), keyspace, "--window", "1s", "--idle-after", "200ms")
	next := s.watch(t)
	status, text, err := s.post(reading("quiet", time.Now(), 1))
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, status, text)
	require.Contains(t, next(), `"quiet"`)
}
