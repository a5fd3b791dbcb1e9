package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"net/http"
	"time"
)

// demo sends readings of five devices until ctx ends, as a client should: what is not acknowledged
// is sent again, as it was.
func demo(ctx context.Context, address string) {
	devices := []string{"boiler", "cellar", "greenhouse", "oven", "roof"}
	values := []float64{62, 14, 27, 45, 8}
	every := time.NewTicker(200 * time.Millisecond)
	defer every.Stop()
	defer http.DefaultClient.CloseIdleConnections()
	for {
		select {
		case <-every.C:
		case <-ctx.Done():
			return
		}
		var body bytes.Buffer
		now := time.Now()
		for i, device := range devices {
			values[i] += rand.NormFloat64() * 0.3
			wave := 6 * math.Sin(float64(now.UnixMilli())/9000+float64(i)*1.3)
			fmt.Fprintf(&body, "{\"device\":%q,\"at\":%q,\"value\":%.3f}\n", device, now.UTC().Format(time.RFC3339Nano), values[i]+wave)
		}
		for !send(ctx, address, body.Bytes()) {
			select {
			case <-time.After(time.Second): // as Retry-After says
			case <-ctx.Done():
				return
			}
		}
	}
}

// send reports whether the readings need not be sent again.
func send(ctx context.Context, address string, body []byte) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/readings", bytes.NewReader(body))
	if err != nil {
		return true
	}
	req.Header.Set("Content-Type", "application/x-ndjson")
	answer, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	defer answer.Body.Close()
	_, _ = io.Copy(io.Discard, answer.Body) // so that the connection is used again
	return answer.StatusCode != http.StatusTooManyRequests && answer.StatusCode < 500
}
