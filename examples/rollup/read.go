package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/source"
)

// longest is the longest range of GET /rollups: each hour is a query.
const longest = 31 * 24 * time.Hour

// rollups reads the table of windows.
type rollups struct {
	cfg      config
	session  *gocql.Session
	keyspace string
	places   *places
	metrics  *metrics
}

// between gives the windows that end from one time on and before another, in the order of their
// ends. It is lazy: the next page is read when the rows before it have been taken, and a page
// ahead.
func (r *rollups) between(ctx context.Context, from, until time.Time) iter.Seq2[Rollup, error] {
	return func(yield func(Rollup, error) bool) {
		for at := from.UTC().Truncate(hour); at.Before(until); at = at.Add(hour) {
			rows := source.Query[Rollup](r.session, "SELECT hour, until, device, since, readings, repeated, skipped, mean, min, max FROM "+
				r.keyspace+".rollups WHERE hour = ? AND until >= ? AND until < ?",
				source.Bind(at, from, until), source.Consistency(r.cfg.consistency))
			for row, err := range rows.All(ctx, rxcql.WithBudget(r.cfg.limits.budget), rxcql.WithRetry(5*time.Second, 0), rxcql.WithHooks(r.metrics.hooks)) {
				if !yield(row, err) || err != nil {
					return
				}
			}
		}
	}
}

// ServeHTTP answers GET /rollups?from=…&until=… with a window a line. A client that stops reading
// stops the query; see docs/http.md.
func (r *rollups) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	from, until, err := span(req, time.Now())
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	ctx, out, leave := answering(w, req, r.places, r.cfg.limits.patience)
	if out == nil {
		return
	}
	defer leave()
	defer r.metrics.client("reader")()
	w.Header().Set("Content-Type", "application/x-ndjson")
	if req.Method == http.MethodHead { // nobody would get what is read
		return
	}
	lines := json.NewEncoder(out)
	var failed error
	for row, err := range r.between(ctx, from, until) { //nolint:contextcheck // it is made of the request's
		if failed = err; failed == nil {
			failed = lines.Encode(row) // waits while the client does not read
		}
		if failed != nil {
			break
		}
	}
	switch {
	case failed == nil:
		_ = out.flush() // the client may have gone
	case !out.began:
		http.Error(w, "the windows cannot be read now", http.StatusServiceUnavailable)
	default:
		panic(http.ErrAbortHandler) // cuts the connection: half an answer must not look whole
	}
}

// span is the range of time that a request asks for: the last hour, if it says nothing.
func span(req *http.Request, now time.Time) (from, until time.Time, err error) {
	given, err := parameters(req, "from", "until")
	if err != nil {
		return from, until, err
	}
	var errs []error
	parse := func(name string, otherwise time.Time) time.Time {
		text, is := given[name]
		if !is {
			return otherwise
		}
		t, err := time.Parse(time.RFC3339, text)
		if err != nil {
			errs = append(errs, fmt.Errorf("%s: give a time as RFC 3339 has it, such as 2026-11-26T14:00:00Z, with %%2B for +; or leave it out", name))
		}
		return t
	}
	until = parse("until", now.Add(time.Hour))
	from = parse("from", until.Add(-2*time.Hour))
	switch {
	case len(errs) > 0:
	case from.Before(time.Unix(0, 0)):
		errs = append(errs, errors.New("the range begins before 1970: no reading is of such a time"))
	case !from.Before(until):
		errs = append(errs, errors.New("from is not before until"))
	case until.Sub(from) > longest:
		errs = append(errs, fmt.Errorf("the range is longer than %v; ask for several, one after the other", longest))
	}
	return from, until, errors.Join(errs...)
}

// parameters returns the parameters of a request's query that are given, empty ones too. Others
// than those that are known are an error, and so is one that is given twice: a misspelled one would
// have an answer to another question.
func parameters(req *http.Request, known ...string) (map[string]string, error) {
	instead := "give " + strings.Join(known, " and ")
	if len(known) == 0 {
		instead = "there are none"
	}
	query, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		return nil, errors.New("the query of the address cannot be read: give parameters as name=value&name=value, with % for other characters")
	}
	given := map[string]string{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(query)) {
		switch values := query[name]; {
		case !slices.Contains(known, name):
			errs = append(errs, fmt.Errorf("%.40q is no parameter here: %s", name, instead))
		case len(values) > 1:
			errs = append(errs, fmt.Errorf("%s is given %d times: give it once", name, len(values)))
		default:
			given[name] = values[0]
		}
	}
	return given, errors.Join(errs[:min(len(errs), mostTold)]...)
}

// patient writes to a client that may be slow: for as long as it takes atOnce bytes within its
// patience, and is not cut off.
type patient struct {
	*bufio.Writer
	conn  *http.ResponseController
	began bool // something has gone to the client
}

// atOnce is how many bytes of an answer are sent at once.
const atOnce = 16 << 10

var errCut = errors.New("another client has the place of this one")

// answering gives an answer a place, or sends the client away; out is nil then. ctx ends with the
// request, or when another has its place.
func answering(w http.ResponseWriter, req *http.Request, in *places, patience time.Duration) (ctx context.Context, out *patient, leave func()) {
	ctx, cancel := context.WithCancelCause(req.Context())
	conn := http.NewResponseController(w)
	back := in.enter(func() {
		cancel(errCut)
		_ = conn.SetWriteDeadline(time.Now()) // fails only where there is no connection, in a test
	})
	if back == nil {
		cancel(nil)
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many clients at once; come again later", http.StatusServiceUnavailable)
		return ctx, nil, nil
	}
	out = &patient{conn: conn}
	out.Writer = bufio.NewWriterSize(writerFunc(func(data []byte) (written int, err error) {
		out.began = true
		for piece := range slices.Chunk(data, atOnce) { // an event may have many windows
			_ = conn.SetWriteDeadline(time.Now().Add(patience)) // likewise
			if ctx.Err() != nil {                               // the deadline may have been set just before
				return written, context.Cause(ctx)
			}
			n, err := w.Write(piece)
			if written += n; err != nil {
				return written, err
			}
		}
		return written, nil
	}), atOnce)
	return ctx, out, func() { back(); cancel(nil) }
}

// flush sends what has been written so far.
func (p *patient) flush() error {
	if err := p.Flush(); err != nil {
		return err
	}
	return p.conn.Flush()
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(data []byte) (int, error) { return f(data) }
