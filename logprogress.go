package rxcql

import (
	"context"
	"log/slog"
	"math"
	"sync"
	"time"
)

// watched calls run, and meanwhile logs how far it is, if LogProgress was given.
func (r *Execution) watched(ctx context.Context, run func() error) error {
	if r.cfg.progress == 0 {
		return run()
	}
	stop := make(chan struct{})
	var watch sync.WaitGroup
	watch.Go(func() {
		ticker := time.NewTicker(r.cfg.progress)
		defer ticker.Stop()
		for {
			select {
			case <-ticker.C:
				r.calling("LogProgress", func() { r.logProgress(ctx) }) // the logger's handler is the user's
			case <-stop:
				return
			}
		}
	})
	defer watch.Wait()
	defer close(stop)
	return run()
}

func (r *Execution) logProgress(ctx context.Context) {
	rep := r.report()
	attrs := r.jobAttr()
	if rep.Estimate.Known {
		attrs = append(attrs, slog.Float64("percent", math.Floor(1000*rep.Estimate.Fraction+rounding)/10))
	}
	if rep.Estimate.LeftKnown {
		attrs = append(attrs, slog.Duration("left", rep.Estimate.Left.Round(time.Second)))
	}
	attrs = append(attrs, slog.Int64("rows_read", rep.ReadRows), slog.Int64("rows_written", rep.Written),
		slog.Int64("rows_resumed", rep.ResumedRows), slog.Int64("bytes_in_flight", rep.BytesInFlight),
		slog.Duration("duration", rep.Duration.Round(time.Millisecond)))
	r.Log().LogAttrs(ctx, slog.LevelInfo, "progress", attrs...)
}
