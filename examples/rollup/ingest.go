package main

import (
	"encoding/json"
	"errors"
	"mime"
	"net/http"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/gocql/gocql"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// ingest takes posts of readings, and writes them.
type ingest struct {
	cfg      config
	session  *gocql.Session
	keyspace string
	metrics  *metrics
	devices  *devices      // that may send
	bodies   *places       // that are being read
	slots    chan struct{} // has one for each post that has been read, and is at work
	posts    chan *post    // wait for their write to begin

	mu     sync.Mutex
	latest time.Time // time of arrival
}

// post is what a client has sent. It is written as a whole, or its client is told to send it again.
type post struct {
	readings []Reading
	fresh    []Device // that the table has not yet
	arrived  time.Time
	begun    time.Time
	clock    time.Time     // what the clock said then; it goes on while the machine sleeps
	written  chan struct{} // closed when all are durable
}

// newPost stamps the readings with the time of arrival. It never goes back, even if the clock is
// set back: the tail may have passed the earlier time.
func (in *ingest) newPost(readings []Reading) *post {
	p := &post{readings: readings, begun: time.Now(), written: make(chan struct{})}
	p.clock = p.begun.Round(0)
	in.mu.Lock()
	defer in.mu.Unlock()
	if now := p.begun.UTC().Truncate(time.Millisecond); in.latest.Before(now) {
		in.latest = now
	}
	p.arrived = in.latest
	for i := range readings {
		readings[i].Bucket, readings[i].Arrived = p.arrived.Truncate(bucket), p.arrived
	}
	return p
}

// farAhead is how far the time of arrival may be ahead of the clock, after that was set back. The
// tail gives a reading when its time has come, and it must not have expired by then.
const farAhead = kept / 2

func newIngest(session *gocql.Session, keyspace string, cfg config, m *metrics) *ingest {
	return &ingest{
		cfg: cfg, session: session, keyspace: keyspace, metrics: m,
		devices: newDevices(cfg), bodies: &places{most: cfg.limits.posts, quick: cfg.limits.quick},
		slots: make(chan struct{}, cfg.limits.posts), posts: make(chan *post, cfg.limits.waiting),
	}
}

// pipeline writes posts as they come. A channel drops nothing: when the table takes no more, posts
// wait in it, and when it is full accept says so to clients (source.Buffer has other policies). A
// write that fails is tried again for as long as its client waits.
//
// The names of devices that are new are written with them, and a post is durable when both are.
func (in *ingest) pipeline(error) (*rxcql.Pipeline, error) {
	posts := whenDurable(source.Chan(in.posts), func(rows []*post) func() {
		posts := slices.Clone(rows)
		return func() {
			for _, p := range posts {
				close(p.written)
			}
		}
	})
	into := sink.Consistency(in.cfg.consistency)
	return rxcql.New(posts, sink.Tee(
		sink.Through(rowsOf(in, func(p *post) []Reading { return p.readings }), sink.Table[Reading](in.session, in.keyspace+".readings", into)),
		sink.Through(rowsOf(in, func(p *post) []Device { return p.fresh }), sink.Table[Device](in.session, in.keyspace+".devices", into))),
		rxcql.WithRetry(in.cfg.writeDeadline, 0), rxcql.WithHooks(in.metrics.hooks))
}

// rowsOf gives rows of posts, unless their clients have been told to send them again.
func rowsOf[T any](in *ingest, of func(*post) []T) func(rxcql.Stream[*post]) rxcql.Stream[T] {
	return func(posts rxcql.Stream[*post]) rxcql.Stream[T] {
		return operators.FlatMap(posts, func(p *post, emit func(T) bool) error {
			if !in.late(p) {
				slices.Values(of(p))(emit)
			}
			return nil
		})
	}
}

// late reports whether the tail may have passed the place of these readings, so that an
// acknowledgement would be a lie. Of the two clocks one stands still while the machine sleeps, and
// the other may be set back.
func (in *ingest) late(p *post) bool {
	now := time.Now()
	return max(now.Sub(p.begun), now.Round(0).Sub(p.clock)) > in.cfg.writeDeadline
}

// ServeHTTP answers POST /readings.
func (in *ingest) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	status, answer := in.accept(w, req)
	later := status == http.StatusTooManyRequests || status == http.StatusServiceUnavailable
	if later && w.Header().Get("Retry-After") == "" {
		w.Header().Set("Retry-After", "1")
	}
	w.Header().Set("Content-Type", "application/json")
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(in.cfg.limits.patience)) // the writes may have taken long
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(answer) // the client may be gone
	in.metrics.posted(status, answer.Written)
}

// answer is the body of an answer to a POST.
type answer struct {
	Written int       `json:"written"`         // readings
	Error   string    `json:"error,omitempty"` // nothing is known to be written then
	Lines   []badLine `json:"lines,omitempty"`
	Devices []string  `json:"devices,omitempty"` // that the error is about, the first mostTold
}

var tooMany = answer{Error: "too many requests at once; send it again later"}

func (in *ingest) accept(w http.ResponseWriter, req *http.Request) (status int, _ answer) {
	readings, status, wrong := in.read(w, req)
	if status != 0 {
		return status, wrong
	}
	select {
	case in.slots <- struct{}{}:
		defer func() { <-in.slots }()
	default:
		return http.StatusTooManyRequests, tooMany
	}
	p := in.newPost(readings)
	if p.arrived.Sub(p.clock) > farAhead {
		return http.StatusServiceUnavailable, answer{Error: "the clock of this machine has been set back by more than a day, " +
			"and what is taken in now would expire before its time has come; nothing is written, send it to another instance or later"}
	}
	var refused *refusal
	if p.fresh, refused = in.devices.admit(readings, p.arrived); refused != nil {
		in.metrics.refused.WithLabelValues(refused.reason).Inc()
		w.Header().Set("Retry-After", refused.after)
		return http.StatusTooManyRequests, refused.answer
	}
	select {
	case in.posts <- p:
	default:
		return http.StatusTooManyRequests, answer{Error: "writes have fallen behind, and nothing of this is written; send it again later"}
	}
	if !in.acknowledged(p) {
		return http.StatusServiceUnavailable, answer{Error: "not acknowledged in time; send it again: what is written already is not counted twice"}
	}
	in.devices.kept(p.fresh)
	return http.StatusOK, answer{Written: len(readings)}
}

// acknowledged waits, and reports whether the post was written in time.
func (in *ingest) acknowledged(p *post) bool {
	deadline := time.NewTimer(time.Until(p.begun.Add(in.cfg.writeDeadline)))
	defer deadline.Stop()
	select {
	case <-p.written:
		return !in.late(p) // both may be so
	case <-deadline.C:
		return false
	}
}

// read reads the body of a POST. The status is 0 if nothing is wrong with it.
func (in *ingest) read(w http.ResponseWriter, req *http.Request) (readings []Reading, status int, wrong answer) {
	if _, err := parameters(req); err != nil {
		return nil, http.StatusBadRequest, answer{Error: err.Error()}
	}
	if kind, _, _ := mime.ParseMediaType(req.Header.Get("Content-Type")); kind != "application/x-ndjson" {
		return nil, http.StatusUnsupportedMediaType, answer{Error: "Content-Type must be application/x-ndjson: one JSON object a line"}
	}
	if in := req.Header.Get("Content-Encoding"); in != "" && in != "identity" {
		return nil, http.StatusUnsupportedMediaType, answer{Error: "Content-Encoding: send the lines as they are"}
	}
	conn := http.NewResponseController(w)
	end := func(at time.Time) { _ = conn.SetReadDeadline(at) } // fails only where there is no connection, in a test
	end(time.Now().Add(in.cfg.limits.bodyTime))
	leave := in.bodies.enter(func() { end(time.Now()) })
	if leave == nil {
		return nil, http.StatusTooManyRequests, tooMany
	}
	defer leave() // also if the reading panics
	readings, lines, err := readLines(http.MaxBytesReader(w, req.Body, in.cfg.limits.body), time.Now(), in.cfg)
	var large *http.MaxBytesError
	switch {
	case errors.As(err, &large):
		return nil, http.StatusRequestEntityTooLarge, answer{Error: "the body is too large; send it in several"}
	case errors.Is(err, errTooManyLines):
		return nil, http.StatusRequestEntityTooLarge, answer{Error: "there are too many lines; send them in several requests"}
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, http.StatusRequestTimeout, answer{Error: "the body has not come in time, or too slowly while others waited; send it again"}
	case err != nil: // then the last line is not a whole one
		return nil, http.StatusBadRequest, answer{Error: "the body cannot be read to its end"}
	case len(lines) > 0:
		return nil, http.StatusBadRequest, answer{Error: "some lines are wrong, and nothing is written; send the others again without them", Lines: lines}
	case len(readings) == 0:
		return nil, http.StatusBadRequest, answer{Error: "there is no line"}
	}
	leave()          // nobody ends it any more
	end(time.Time{}) // else it would end the request's context while it waits
	return readings, 0, answer{}
}
