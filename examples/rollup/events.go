package main

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"
)

const (
	// past is how far back a watcher without an id begins, and furthest how far one with an id does.
	past     = 10 * time.Minute
	furthest = time.Hour
	// heartbeat finds out that a client has gone, and keeps proxies from closing the connection.
	heartbeat = 15 * time.Second
	// live tells a watcher that it has all so far, and with each heartbeat that nothing is missing.
	live = "event: live\ndata: {}\n\n"
	// gap tells a watcher that events are missing: those that it was too slow for, that another
	// instance may have made, or that are too old. A browser asks for what is missing when it
	// connects again.
	gap = "event: gap\ndata: {}\n\n"
	// elsewhere tells a watcher that another instance makes the windows, so that none is pushed here.
	elsewhere = "event: elsewhere\ndata: {}\n\n"
)

// events answers GET /events with Server-Sent Events: windows of the recent past, or from
// Last-Event-ID on, and then each one when it is durable. A window may come twice, and is the same
// then: take it by its device and its end.
type events struct {
	hub       *hub
	rollups   *rollups
	elsewhere func() bool // whether another instance makes the windows
	places    *places
	patience  time.Duration
	metrics   *metrics
}

func (e *events) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	from, late, err := beginning(req, time.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, out, leave := answering(w, req, e.places, e.patience)
	if out == nil {
		return
	}
	defer leave()
	defer e.metrics.client("watcher")()
	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	w.Header().Set("X-Accel-Buffering", "no") // nginx would hold events back
	if req.Method == http.MethodHead {        // which has no body, and so no end of it
		return
	}
	watcher := e.hub.watch() // before the table is read, so that nothing falls between the two
	defer e.hub.leave(watcher)
	_, _ = io.WriteString(out, "retry: 1000\n\n")
	if late {
		_, _ = io.WriteString(out, gap)
	}
	if e.before(ctx, out, from) == nil { //nolint:contextcheck // it is made of the request's
		_ = e.follow(ctx, out, watcher) //nolint:contextcheck // likewise; a client that has gone, or is too slow, connects again
	}
}

// before writes the windows that are in the table.
func (e *events) before(ctx context.Context, out *patient, from time.Time) error {
	var buf []byte
	for row, err := range e.rollups.between(ctx, from, time.Now().Add(hour)) {
		if err != nil {
			return err // the client connects again, with its last id
		}
		buf = appendEvent(buf[:0], row)
		if _, err := out.Write(buf); err != nil {
			return err
		}
	}
	return out.flush()
}

// follow writes windows as they come.
func (e *events) follow(ctx context.Context, out *patient, watcher *watcher) error {
	beat := time.NewTimer(0)
	defer beat.Stop()
	for {
		var chunk []byte
		open := true
		select {
		case chunk, open = <-watcher.chunks:
		case <-beat.C:
			beat.Reset(heartbeat)
			if chunk = []byte(live); e.elsewhere() {
				chunk = []byte(elsewhere)
			}
		case <-ctx.Done():
			return ctx.Err()
		}
		if !open {
			chunk = []byte(gap)
		}
		_, err := out.Write(chunk)
		if err = errors.Join(err, out.flush()); err != nil || !open {
			return err
		}
	}
}

// beginning is the time from which a client wants windows. late says that there are older ones that
// it does not get.
func beginning(req *http.Request, now time.Time) (from time.Time, late bool, err error) {
	given, err := parameters(req, "after")
	if err != nil {
		return from, false, err
	}
	id := req.Header.Get("Last-Event-ID")
	after, is := given["after"] // of a page that has to make a new connection by itself
	switch {
	case id == "" && !is:
		return now.Add(-past), false, nil
	case id == "":
		id = after
	}
	ms, err := strconv.ParseInt(id, 10, 64)
	if err != nil {
		return from, false, errors.New("Last-Event-ID, or after, is none of ours: leave it out")
	}
	if from = time.UnixMilli(ms); from.Before(now.Add(-furthest)) {
		return now.Add(-furthest), true, nil
	}
	return from, false, nil
}
