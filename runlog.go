package rxcql

import (
	"context"
	"log/slog"
	"slices"
	"strings"

	"github.com/rxcql/rxcql/flow"
)

// logStart logs what is about to run, and into which sinks, if any.
func (r *Execution) logStart(ctx context.Context, sinks []string) {
	attrs := append(r.jobAttr(), slog.Any("sources", r.sources()), slog.Any("sinks", sinks),
		slog.Int64("budget_bytes", r.cfg.budget), slog.Int("workers", r.cfg.workers))
	r.Log().LogAttrs(ctx, slog.LevelInfo, "run started", attrs...)
}

// sources returns the names of the sources.
func (r *Execution) sources() (names []string) {
	for _, st := range r.order {
		if st.node.info.Source {
			names = append(names, st.name)
		}
	}
	return names
}

// logEnd logs how the run ended; err is what the run returns.
func (r *Execution) logEnd(ctx context.Context, rep *Report, err error) {
	attrs := append(r.jobAttr(),
		slog.Int64("rows_read", rep.ReadRows), slog.Int64("rows_written", rep.Written),
		slog.Int64("rows_filtered", rep.Filtered), slog.Int64("rows_skipped", rep.Skipped),
		slog.Int64("rows_dead_lettered", rep.DeadLettered), slog.Int64("rows_unknown", rep.Unknown),
		slog.Int64("rows_resumed", rep.ResumedRows), slog.Duration("duration", rep.Duration),
		slog.Bool("complete", rep.Complete))
	if rep.EndedBy != "" {
		attrs = append(attrs, slog.String("ended_by", rep.EndedBy))
	}
	if err == nil {
		r.Log().LogAttrs(ctx, slog.LevelInfo, "run ended", attrs...)
		return
	}
	attrs = append(attrs, slog.String("error", r.shown(err)))
	r.Log().LogAttrs(ctx, slog.LevelError, "run ended", attrs...)
}

// rowWarnings is how many rows that failed a run logs at Warn. Millions may fail.
const rowWarnings = 100

// logRowFailed logs that a row was skipped or dead-lettered.
func (s *Stage) logRowFailed(ctx context.Context, f *FailedRow, where, reason string) {
	r := &s.run.rowErrors
	log, level := s.run.Log(), slog.LevelWarn
	n := r.left.Add(1)
	if n > rowWarnings {
		level = slog.LevelDebug
	}
	if log.Enabled(ctx, level) {
		attrs := []slog.Attr{slog.String("stage", s.name), slog.Any("range", f.Part()), slog.Int64("page", f.Page), slog.Int("row", f.Index)}
		if where != "" {
			attrs = append(attrs, slog.String("place", where))
		}
		attrs = append(attrs, slog.Bool("dead_letter", r.letters != nil), slog.String("reason", reason))
		log.LogAttrs(ctx, level, "a row failed and was left out", attrs...)
	}
	if n == rowWarnings {
		log.WarnContext(ctx, "rows that fail from now on are logged at level Debug; the report counts them", "logged", n)
	}
}

// jobAttr names the job, if the run belongs to one.
func (r *Execution) jobAttr() []slog.Attr {
	if r.cfg.checkpoint == nil {
		return nil
	}
	return []slog.Attr{slog.String("job", r.cfg.checkpoint.job)}
}

// logLoaded logs that there is a checkpoint to go on from.
func (j *job) logLoaded(ctx context.Context) {
	text := "job goes on"
	if j.complete() {
		text = "job is complete already and is left as it is"
	}
	j.run.Log().InfoContext(ctx, text, "job", j.cfg.job, "run", j.runs)
}

// logResumed logs what earlier runs have left of a source.
func (s *Stage) logResumed(done []flow.TokenRange, begun []*flow.Track, rows int64) {
	j := s.run.job
	if j.loaded == nil || j.complete() {
		return
	}
	s.run.Log().InfoContext(s.run.ctx, "source goes on", "job", j.cfg.job, "stage", s.name,
		"ranges_done", len(done), "ranges_begun", len(begun), "rows_settled", rows)
}

// logSaved logs that a save is durable: the first of a run at Info, which shows that saving works,
// the others at Debug.
func (j *job) logSaved(ctx context.Context, saves int64, bytes int) {
	level := slog.LevelDebug
	if saves == 1 {
		level = slog.LevelInfo
	}
	attrs := []slog.Attr{slog.String("job", j.cfg.job), slog.Int64("saves", saves), slog.Int("bytes", bytes)}
	if len(j.run.frontierStages()) > 0 {
		pages, held := j.run.heldPages()
		attrs = append(attrs, slog.Int64("pages_held", pages), slog.Int64("bytes_held", held))
	}
	j.run.Log().LogAttrs(ctx, level, "checkpoint saved", attrs...)
}

// Of what windows may hold, the share from which the log warns, and that below which it may warn
// again.
const (
	almostFull = 0.75
	halfFull   = 0.5
)

// logHeld warns of windows that hold almost as much as they may, since the run fails beyond that.
// It is called before each save of keepSaving.
func (j *job) logHeld(ctx context.Context) {
	j.mu.Lock()
	all := slices.Clone(j.frontiers)
	j.mu.Unlock()
	for _, f := range all {
		pages, bytes := f.Held()
		sessions := f.Sessions()
		share := max(shareOf(pages, j.cfg.heldPages), shareOf(bytes, j.cfg.heldBytes), shareOf(int64(sessions), int64(j.cfg.sessions)))
		switch {
		case share < halfFull:
			f.warned = false
		case share >= almostFull && !f.warned:
			f.warned = true
			durable, _ := f.Saved(false)
			j.run.Log().LogAttrs(ctx, slog.LevelWarn, "windows hold almost as much as they may", slog.String("job", j.cfg.job),
				slog.String("stage", f.stage.name), slog.String("durable_up_to", durable.String()),
				slog.Int64("pages_held", pages), slog.Int64("pages_most", j.cfg.heldPages),
				slog.Int64("bytes_held", bytes), slog.Int64("bytes_most", j.cfg.heldBytes),
				slog.Int("sessions", sessions), slog.Int("sessions_most", j.cfg.sessions))
		}
	}
}

// shareOf returns how much of a bound is used; 0 if there is none.
func shareOf(n, most int64) float64 {
	if most == 0 {
		return 0
	}
	return float64(n) / float64(most)
}

// shown returns the text of the error that ended a run, as the log may have it.
func (r *Execution) shown(err error) string {
	said := sayings(err)
	if r.said != nil {
		said = append(said, r.said)
	}
	slices.SortStableFunc(said, func(a, b *saying) int { return len(b.whole) - len(a.whole) }) // longest first, since one may be part of another
	whole := textOf(err)
	text := whole
	for _, each := range said {
		if !strings.Contains(whole, each.whole) { // a method Error that returns another text each time
			return short(each.shown, longestError)
		}
		text = strings.ReplaceAll(text, each.whole, each.shown)
	}
	return short(text, longestError)
}

// sayings returns those in the tree of an error.
func sayings(err error) (list []*saying) {
	switch e := err.(type) { //nolint:errorlint // each error of the tree by itself
	case *StageError:
		if e.said != nil {
			return []*saying{e.said}
		}
		return sayings(e.Err)
	case *noEnd:
		return sayings(e.err)
	case interface{ Unwrap() error }:
		return sayings(e.Unwrap())
	case interface{ Unwrap() []error }:
		for _, inner := range e.Unwrap() {
			list = append(list, sayings(inner)...)
		}
	}
	return list
}
