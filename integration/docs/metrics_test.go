package docs_test

import (
	"context"
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/gocql/gocql"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// metrics are hooks that keep metrics of the runs that they are given to.
func metrics(registry prometheus.Registerer) rxcql.Hooks {
	auto := promauto.With(registry)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return auto.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	read := counter("rxcql_rows_read_total", "Rows that sources have handed on.", "stage")
	written := counter("rxcql_rows_written_total", "Rows that have become durable.", "stage")
	failed := counter("rxcql_rows_failed_total", "Rows that were skipped, or became dead letters.", "stage")
	waits := counter("rxcql_budget_wait_seconds_total", "Time that sources have waited for the budget.", "stage")
	retries := counter("rxcql_retries_total", "Requests that were repeated.", "stage", "error_type")
	runs := counter("rxcql_runs_total", "Runs that have ended.", "job", "error_type")
	requests := auto.NewHistogramVec(prometheus.HistogramOpts{
		Name: "rxcql_request_duration_seconds", Help: "Time from a request to its answer.",
		Buckets: prometheus.ExponentialBuckets(0.001, 2, 14), // 1 ms to 8 s
	}, []string{"stage", "operation", "error_type"})

	return rxcql.Hooks{
		PageRead: func(_ context.Context, e rxcql.PageEvent) {
			read.WithLabelValues(e.Stage).Add(float64(e.Rows))
		},
		RowsWritten: func(_ context.Context, e rxcql.WrittenEvent) {
			written.WithLabelValues(e.Stage).Add(float64(e.Rows))
		},
		RowFailed: func(_ context.Context, e rxcql.RowFailedEvent) {
			failed.WithLabelValues(e.Stage).Inc()
		},
		BudgetWait: func(_ context.Context, e rxcql.BudgetEvent) {
			waits.WithLabelValues(e.Stage).Add(e.Wait.Seconds())
		},
		Retry: func(_ context.Context, e rxcql.RetryEvent) {
			retries.WithLabelValues(e.Stage, e.ErrorType).Inc()
		},
		FetchEnd: func(_ context.Context, e rxcql.FetchEvent) {
			requests.WithLabelValues(e.Stage, "SELECT", e.ErrorType).Observe(e.Duration.Seconds())
		},
		WriteEnd: func(_ context.Context, e rxcql.WriteEvent) {
			requests.WithLabelValues(e.Stage, e.Operation, e.ErrorType).Observe(e.Duration.Seconds())
		},
		RunEnd: func(_ context.Context, e rxcql.RunEvent) {
			runs.WithLabelValues(e.Job, e.ErrorType).Inc()
		},
	}
}

func archiveMeasured(ctx context.Context, session *gocql.Session) (rxcql.Report, error) {
	hooks := metrics(prometheus.DefaultRegisterer) // once, for all runs of the program
	readings := operators.Tap(source.Table[Reading](session, weather+".readings"), look)
	report, err := rxcql.Run(ctx, readings, sink.Table[Reading](session, weather+".archive"),
		rxcql.WithRowErrors(rxcql.SkipRows(100)), rxcql.WithHooks(hooks))
	return report, err
}

// watch registers how far a pipeline is: from 0 to 1, which it is when all is done.
func watch(registry prometheus.Registerer, job string, p *rxcql.Pipeline) {
	promauto.With(registry).NewGaugeFunc(prometheus.GaugeOpts{
		Name: "rxcql_done_ratio", Help: "The part of all rows that has been read.",
		ConstLabels: prometheus.Labels{"job": job},
	}, func() float64 { return p.Progress().Estimate.Fraction })
}

// emptyRegistry puts a new registry in the place of Prometheus' own for one test.
func emptyRegistry(t *testing.T) *prometheus.Registry {
	t.Helper()
	registry, before := prometheus.NewRegistry(), prometheus.DefaultRegisterer
	prometheus.DefaultRegisterer = registry
	t.Cleanup(func() { prometheus.DefaultRegisterer = before })
	return registry
}

func TestARunHasMetrics(t *testing.T) {
	session := newKeyspace(t, readingsTable, strings.Replace(readingsTable, "readings", "archive", 1))
	fill(t, session, 2000, "roof", "cellar")
	look = func(r Reading) error {
		if r.Celsius == 7 {
			return errors.New("seven")
		}
		return nil
	}
	registry := emptyRegistry(t)
	_, err := archiveMeasured(t.Context(), session)
	require.NoError(t, err)

	text := exposed(registry)
	for _, line := range []string{
		`rxcql_rows_failed_total{stage="Tap"} 2`,
		`rxcql_rows_read_total{stage="Table ` + weather + `.readings"} 4000`,
		`rxcql_rows_written_total{stage="Table ` + weather + `.archive"} 3998`,
		`rxcql_runs_total{error_type="",job=""} 1`,
	} {
		require.Contains(t, text, "\n"+line+"\n")
	}
	require.GreaterOrEqual(t, requestsOf(t, registry, "SELECT"), uint64(64), "one a token range at least")
	require.NotZero(t, requestsOf(t, registry, "INSERT"))
}

// exposed is what a registry shows to Prometheus.
func exposed(registry *prometheus.Registry) string {
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	return answer.Body.String()
}

// requestsOf is how many requests of an operation the metrics have.
func requestsOf(t *testing.T, registry *prometheus.Registry, operation string) (n uint64) {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	for _, family := range families {
		for _, m := range family.GetMetric() {
			for _, label := range m.GetLabel() {
				if label.GetName() == "operation" && label.GetValue() == operation {
					n += m.GetHistogram().GetSampleCount()
				}
			}
		}
	}
	return n
}

func TestAMetricTellsHowFarAPipelineIs(t *testing.T) {
	session := newKeyspace(t, readingsTable)
	fill(t, session, 2000, "roof", "cellar")
	registry := prometheus.NewRegistry()
	var during float64
	p, err := rxcql.New(source.Table[Reading](session, weather+".readings"), sink.Each(func(context.Context, Reading) error {
		during = ratio(t, registry)
		return nil
	}))
	require.NoError(t, err)
	watch(registry, "count", p)
	require.Zero(t, ratio(t, registry))
	_, err = p.Run(t.Context())
	require.NoError(t, err)
	require.Less(t, during, 1.0)
	require.InDelta(t, 1, ratio(t, registry), 0)
}

func ratio(t *testing.T, registry *prometheus.Registry) float64 {
	t.Helper()
	families, err := registry.Gather()
	require.NoError(t, err)
	require.Len(t, families, 1)
	return families[0].GetMetric()[0].GetGauge().GetValue()
}
