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
	slots    chan struct{}
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
	if !take(w, r.slots) {
		return
	}
	defer func() { <-r.slots }()
	defer r.metrics.client("reader")()
	w.Header().Set("Content-Type", "application/x-ndjson")
	out := newPatient(w, r.cfg.limits.patience)
	lines := json.NewEncoder(out)
	var failed error
	for row, err := range r.between(req.Context(), from, until) {
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
		if given[name] == "" {
			return otherwise
		}
		t, err := time.Parse(time.RFC3339, given[name])
		if err != nil {
			errs = append(errs, fmt.Errorf(`%s: give a time as RFC 3339 has it, such as "2026-11-26T14:00:00Z"`, name))
		}
		return t
	}
	until = parse("until", now.Add(time.Hour))
	from = parse("from", until.Add(-2*time.Hour))
	switch {
	case len(errs) > 0:
	case !from.Before(until):
		errs = append(errs, errors.New("from is not before until"))
	case until.Sub(from) > longest:
		errs = append(errs, fmt.Errorf("the range is longer than %v; ask for several, one after the other", longest))
	}
	return from, until, errors.Join(errs...)
}

// parameters returns the parameters of a request's query. Others than those that are known are an
// error, and so is one that is given twice: a misspelled one would have an answer to another
// question.
func parameters(req *http.Request, known ...string) (map[string]string, error) {
	query, err := url.ParseQuery(req.URL.RawQuery)
	if err != nil {
		return nil, errors.New("the query of the address cannot be read: give parameters as name=value&name=value, with % for other characters")
	}
	given := map[string]string{}
	var errs []error
	for _, name := range slices.Sorted(maps.Keys(query)) {
		switch values := query[name]; {
		case !slices.Contains(known, name):
			errs = append(errs, fmt.Errorf("%.40q is no parameter here: give %s", name, strings.Join(known, " and ")))
		case len(values) > 1:
			errs = append(errs, fmt.Errorf("%s is given %d times: give it once", name, len(values)))
		default:
			given[name] = values[0]
		}
	}
	return given, errors.Join(errs[:min(len(errs), mostTold)]...)
}

// take takes a slot, or sends the client away.
func take(w http.ResponseWriter, slots chan struct{}) bool {
	select {
	case slots <- struct{}{}:
		return true
	default:
		w.Header().Set("Retry-After", "5")
		http.Error(w, "too many clients at once; come again later", http.StatusServiceUnavailable)
		return false
	}
}

// patient writes to a client that may be slow: for as long as it takes something now and then.
type patient struct {
	*bufio.Writer
	conn  *http.ResponseController
	began bool // something has gone to the client
}

func newPatient(w http.ResponseWriter, patience time.Duration) *patient {
	p := &patient{conn: http.NewResponseController(w)}
	p.Writer = bufio.NewWriterSize(writerFunc(func(data []byte) (int, error) {
		p.began = true
		_ = p.conn.SetWriteDeadline(time.Now().Add(patience)) // fails only where there is no connection, in a test
		return w.Write(data)
	}), 16<<10)
	return p
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
