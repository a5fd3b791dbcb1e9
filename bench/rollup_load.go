package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"golang.org/x/sync/errgroup"
)

// appendReading appends a line of a POST.
func appendReading(body []byte, device int64, at time.Time) []byte {
	body = fmt.Appendf(body, `{"device":"device %02d","at":"`, device)
	body = at.UTC().AppendFormat(body, "2006-01-02T15:04:05.000Z")
	return append(body, "\",\"value\":1}\n"...)
}

// post posts a body, and again after each answer that says so.
func post(ctx context.Context, url string, body []byte, again *atomic.Int64) error {
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, url+"/readings", bytes.NewReader(body))
		if err != nil {
			return err
		}
		req.Header.Set("Content-Type", "application/x-ndjson")
		answer, err := rollupClient.Do(req)
		if err != nil {
			return err
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		switch {
		case err != nil:
			return err
		case answer.StatusCode == http.StatusOK:
			return nil
		case answer.StatusCode != http.StatusTooManyRequests && answer.StatusCode != http.StatusServiceUnavailable:
			return fmt.Errorf("POST /readings: %s: %s", answer.Status, text)
		}
		again.Add(1)
		select {
		case <-time.After(time.Second): // as Retry-After says
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// rollupLoad is readings, of one device after the other, from event time begin on.
type rollupLoad struct {
	url   string
	begin time.Time
	rows  int64
	again atomic.Int64 // posts
}

// run returns when all readings are acknowledged.
func (l *rollupLoad) run(ctx context.Context) error {
	var next atomic.Int64
	posters, ctx := errgroup.WithContext(ctx)
	for range rollupPosters {
		posters.Go(func() error {
			var body []byte
			for {
				first := next.Add(rollupPost) - rollupPost
				if first >= l.rows {
					return nil
				}
				body = body[:0]
				for i := first; i < min(first+rollupPost, l.rows); i++ {
					body = appendReading(body, i%rollupDevices, l.at(i))
				}
				if err := post(ctx, l.url, body, &l.again); err != nil {
					return err
				}
			}
		})
	}
	return posters.Wait()
}

// at is the event time of a reading.
func (l *rollupLoad) at(i int64) time.Time {
	return l.begin.Add(time.Duration(i/rollupDevices) * rollupStep)
}

// end is behind the windows of all readings.
func (l *rollupLoad) end() time.Time { return l.at(l.rows - 1).Add(2 * time.Second) }

// windows is how many there are, each of a second and of one device.
func (l *rollupLoad) windows() int64 {
	seconds := l.at(l.rows-1).Sub(l.begin)/time.Second + 1
	return int64(seconds) * min(rollupDevices, l.rows)
}

// last posts a reading that lets all windows end.
func (l *rollupLoad) last(ctx context.Context) error {
	return post(ctx, l.url, appendReading(nil, 0, l.end().Add(time.Minute)), &l.again)
}

// steady posts a reading of each device every so often. It returns how long windows took, sorted:
// from the moment at which the first reading was due that lets the window end, to its event.
func steady(ctx context.Context, url string) (took []time.Duration, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/events", nil)
	if err != nil {
		return nil, err
	}
	answer, err := rollupClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	// Readings are due at whole steps, so that it is known which one lets a window end.
	begin := time.Now().Add(time.Second).Truncate(steadyEvery)
	end := begin.Add(steadyFor)
	work, ctx := errgroup.WithContext(ctx)
	work.Go(func() error {
		posts, ctx := errgroup.WithContext(ctx)
		var again atomic.Int64
		// Some seconds more, so that the last windows that count do end.
		for due := begin; due.Before(end.Add(5 * time.Second)); due = due.Add(steadyEvery) {
			select {
			case <-time.After(time.Until(due)):
			case <-ctx.Done():
				return posts.Wait()
			}
			posts.Go(func() error { // whether the ones before are answered or not
				var body []byte
				for device := range int64(rollupDevices) {
					body = appendReading(body, device, due)
				}
				return post(ctx, url, body, &again)
			})
		}
		err := posts.Wait()
		if n := again.Load(); err == nil && n > 0 {
			err = fmt.Errorf("%d posts had to be sent again: that is no steady load", n)
		}
		return err
	})
	work.Go(func() error {
		for lines := bufio.NewScanner(answer.Body); ; {
			if !lines.Scan() {
				return fmt.Errorf("the events have ended: %w", lines.Err())
			}
			came := time.Now()
			data, found := strings.CutPrefix(lines.Text(), "data: ")
			var window struct{ Until time.Time }
			if !found {
				continue
			}
			if err := json.Unmarshal([]byte(data), &window); err != nil {
				return err
			}
			ready := window.Until.Add(steadyOrder + steadyEvery - 1).Truncate(steadyEvery)
			switch {
			case ready.After(end):
				return nil
			case ready.After(begin.Add(steadyWarm)):
				took = append(took, came.Sub(ready))
			}
		}
	})
	if err := work.Wait(); err != nil {
		return nil, err
	}
	if len(took) < rollupDevices {
		return nil, fmt.Errorf("only %d windows came", len(took))
	}
	slices.Sort(took)
	return took, nil
}
