package main

import (
	"context"
	"net/http"
	"strconv"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"

	"github.com/rxcql/rxcql"
)

// metrics are what GET /metrics shows; docs/metrics.md has more of the toolkit's.
type metrics struct {
	handler  http.Handler
	hooks    rxcql.Hooks // of both pipelines
	posts    *prometheus.CounterVec
	refused  *prometheus.CounterVec
	readings prometheus.Counter
	skipped  *prometheus.CounterVec
	delay    prometheus.Gauge
	registry *prometheus.Registry
	clients  *prometheus.GaugeVec
}

func newMetrics() *metrics {
	registry := prometheus.NewRegistry()
	registry.MustRegister(collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	auto := promauto.With(registry)
	counter := func(name, help string, labels ...string) *prometheus.CounterVec {
		return auto.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
	}
	read := counter("rxcql_rows_read_total", "Rows that sources have handed on.", "stage")
	written := counter("rxcql_rows_written_total", "Rows that have become durable.", "stage")
	failed := counter("rxcql_rows_failed_total", "Rows that cannot be used, now in the table unusable.", "stage")
	late := counter("rollup_late_readings_total", "Readings whose window had closed; some are counted again after a crash.").WithLabelValues()
	retries := counter("rxcql_retries_total", "Requests that were repeated.", "stage", "error_type")
	runs := counter("rxcql_runs_total", "Runs of pipelines that have ended.", "job", "error_type")
	return &metrics{
		registry: registry,
		handler:  promhttp.HandlerFor(registry, promhttp.HandlerOpts{}),
		posts:    counter("rollup_posts_total", "Answers to POST /readings.", "status"),
		readings: counter("rollup_readings_total", "Readings that were acknowledged.").WithLabelValues(),
		refused:  counter("rollup_refused_posts_total", "Posts of too many devices, or of too many readings.", "reason"),
		skipped: counter("rollup_skipped_readings_total", "Readings that are in no window, since there was no room or no POST has brought them; "+
			"some are counted again after a crash.", "reason"),
		delay: auto.NewGauge(prometheus.GaugeOpts{Name: "rollup_delay_seconds",
			Help: "How old readings are when the job reads them: not 0 if more came at once than it can remember."}),
		clients: auto.NewGaugeVec(prometheus.GaugeOpts{Name: "rollup_clients", Help: "Clients that are being answered."}, []string{"kind"}),
		hooks: rxcql.Hooks{
			PageRead: func(_ context.Context, e rxcql.PageEvent) {
				read.WithLabelValues(e.Stage).Add(float64(e.Rows))
			},
			RowsWritten: func(_ context.Context, e rxcql.WrittenEvent) {
				written.WithLabelValues(e.Stage).Add(float64(e.Rows))
			},
			RowFailed: func(_ context.Context, e rxcql.RowFailedEvent) { failed.WithLabelValues(e.Stage).Inc() },
			RowsLate:  func(_ context.Context, e rxcql.LateEvent) { late.Add(float64(e.Rows)) },
			Retry: func(_ context.Context, e rxcql.RetryEvent) {
				retries.WithLabelValues(e.Stage, e.ErrorType).Inc()
			},
			RunEnd: func(_ context.Context, e rxcql.RunEvent) { runs.WithLabelValues(e.Job, e.ErrorType).Inc() },
		},
	}
}

// knows shows how many devices are known.
func (m *metrics) knows(devices func() float64) {
	m.registry.MustRegister(prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Name: "rollup_devices", Help: "Devices that have a place: see --devices.",
	}, devices))
}

// posted counts an answer to a POST, and what it acknowledges.
func (m *metrics) posted(status, readings int) {
	m.posts.WithLabelValues(strconv.Itoa(status)).Inc()
	m.readings.Add(float64(readings))
}

// client counts a client until it is gone.
func (m *metrics) client(kind string) (gone func()) {
	gauge := m.clients.WithLabelValues(kind)
	gauge.Inc()
	return gauge.Dec
}
