package secure_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// canary is in everything that must not be said: a password, a bound value, a
// value of a row.
const canary = "canary7Gx9secret"

// heard is everything that was said.
type heard struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (h *heard) Write(p []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	return h.text.Write(p)
}

func (h *heard) say(words ...any) { _, _ = fmt.Fprintln(h, words...) }

// run runs a pipeline and listens to all that comes of it.
func (h *heard) run(t *testing.T, p *rxcql.Pipeline, err error) error {
	t.Helper()
	if err != nil {
		h.say(err)
		return err
	}
	rep, err := p.Run(context.Background())
	text, marshalErr := json.Marshal(rep)
	require.NoError(t, marshalErr)
	h.say(rep.String(), string(text), err, fmt.Sprintf("%+v %#v", err, err))
	return err
}

func (h *heard) nothing(t *testing.T) {
	t.Helper()
	said := strings.ToLower(h.text.String())
	for _, word := range []string{strings.ToLower(canary), "canary", "7gx9", fmt.Sprintf("%x", canary)} {
		require.NotContains(t, said, word)
	}
}

type secret struct {
	K int    `cql:"k"`
	V string `cql:"v"`
}

func TestSecretsAreNotInErrorsReportsOrLogs(t *testing.T) {
	s, ks := cassandra.Keyspace(t, cluster)
	for _, cql := range []string{
		"CREATE TABLE t (k int PRIMARY KEY, v text)",
		"CREATE TABLE small (k int PRIMARY KEY, v int)",
		"CREATE TABLE docs (k int PRIMARY KEY, v map<text, int>)",
	} {
		require.NoError(t, s.Query(cql).Exec())
	}
	require.NoError(t, s.Query("INSERT INTO t (k, v) VALUES (1, ?)", canary).Exec())
	h := &heard{}
	log := rxcql.WithLogger(slog.New(slog.NewTextHandler(h, &slog.HandlerOptions{Level: slog.LevelDebug})))
	table := func() rxcql.Stream[secret] { return source.Table[secret](s, ks+".t") }
	each := sink.Each(func(context.Context, secret) error { return nil })
	broken := errors.New("refused")

	for name, run := range map[string]func() error{
		"a server that quotes the bound value of a read": func() error {
			cql := "SELECT k, v FROM " + ks + ".t WHERE k = blob_as_int(?)"
			p, err := rxcql.New(source.Query[secret](s, cql, source.Bind([]byte(canary))), each, log)
			return h.run(t, p, err)
		},
		"a server that quotes the bound value of a write": func() error {
			p, err := rxcql.New(table(), sink.Exec(s, "INSERT INTO "+ks+".docs (k, v) VALUES (?, from_json(?))",
				func(r secret) ([]any, error) { return []any{r.K, r.V}, nil }), log)
			return h.run(t, p, err)
		},
		"a bound value of another type": func() error {
			p, err := rxcql.New(source.Query[secret](s, "SELECT k, v FROM "+ks+".t WHERE k = ?", source.Bind(canary)), each, log)
			return h.run(t, p, err)
		},
		"a function that fails at a row": func() error {
			p, err := rxcql.New(operators.Map(table(), func(r secret) (secret, error) { return r, broken }), each, log)
			return h.run(t, p, err)
		},
		"a function that panics with a row": func() error {
			p, err := rxcql.New(operators.Map(table(), func(r secret) (secret, error) { panic(r) }), each, log)
			return h.run(t, p, err)
		},
		"a row that does not fit the target": func() error {
			p, err := rxcql.New(operators.Map(table(), func(r secret) (oversized, error) {
				return oversized{r.K, r.V, strings.Repeat(r.V, 1<<20)}, nil
			}), sink.Table[oversized](s, ks+".wide"), log)
			require.NoError(t, s.Query("CREATE TABLE wide (k int PRIMARY KEY, v text, w text)").Exec())
			return h.run(t, p, err)
		},
		"a column of another type": func() error {
			p, err := rxcql.New(table(), sink.Table[secret](s, ks+".small"), log)
			return h.run(t, p, err)
		},
	} {
		require.Error(t, run(), name)
	}
	h.nothing(t)
}

// Rows that fail are left out here, each for a reason that the report and the log give.
func TestSecretsAreNotInTheReasonsForWhichRowsFailed(t *testing.T) {
	s, ks := cassandra.Keyspace(t, cluster)
	for _, cql := range []string{
		"CREATE TABLE t (k int PRIMARY KEY, v text)",
		"CREATE TABLE wide (k int PRIMARY KEY, v text, w text)",
		"CREATE TABLE small (k int PRIMARY KEY, v inet)",
		"CREATE TABLE docs (k int PRIMARY KEY, v map<text, int>)",
	} {
		require.NoError(t, s.Query(cql).Exec())
	}
	require.NoError(t, s.Query("INSERT INTO t (k, v) VALUES (1, ?)", canary).Exec())
	h := &heard{}
	log := rxcql.WithLogger(slog.New(slog.NewTextHandler(h, &slog.HandlerOptions{Level: slog.LevelDebug})))
	skip := rxcql.WithRowErrors(rxcql.SkipRows(1000))
	file := func(name, text string) string {
		path := filepath.Join(t.TempDir(), name)
		require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		return path
	}
	table := source.Table[secret](s, ks+".t")
	raw := source.Table[rxcql.Row](s, ks+".t")
	each := func(err func(secret) error, opts ...sink.EachOption) rxcql.Sink[secret] {
		return sink.Each(func(_ context.Context, r secret) error { return err(r) }, opts...)
	}
	quotes := func(r secret) error { return fmt.Errorf("nothing goes to %s, nor %q, nor %x", r.V, r.V, r.V) }
	fine := func(secret) error { return nil }

	for name, run := range map[string]func() (*rxcql.Pipeline, error){
		"Map": func() (*rxcql.Pipeline, error) {
			return rxcql.New(operators.Map(table, func(r secret) (secret, error) { return r, quotes(r) }), each(fine), log, skip)
		},
		"MapConcurrent": func() (*rxcql.Pipeline, error) {
			in := operators.MapConcurrent(table, 4, func(_ context.Context, r secret) (secret, error) { return r, quotes(r) })
			return rxcql.New(in, each(fine), log, skip)
		},
		"a row as received": func() (*rxcql.Pipeline, error) {
			in := operators.Map(raw, func(r rxcql.Row) (secret, error) { return secret{}, quotes(secret{V: string(r.Bytes(1))}) })
			return rxcql.New(in, each(fine), log, skip)
		},
		"Each":          func() (*rxcql.Pipeline, error) { return rxcql.New(table, each(quotes), log, skip) },
		"Each, several": func() (*rxcql.Pipeline, error) { return rxcql.New(table, each(quotes, sink.InFlight(4)), log, skip) },
		"Exec: a function": func() (*rxcql.Pipeline, error) {
			return rxcql.New(table, sink.Exec(s, "INSERT INTO "+ks+".t (k, v) VALUES (?, ?)",
				func(r secret) ([]any, error) { return nil, quotes(r) }), log, skip)
		},
		"Exec: another type": func() (*rxcql.Pipeline, error) {
			return rxcql.New(table, sink.Exec(s, "INSERT INTO "+ks+".t (k, v) VALUES (?, ?)",
				func(r secret) ([]any, error) { return []any{r.V, r.V}, nil }), log, skip)
		},
		"Exec: words of the server": func() (*rxcql.Pipeline, error) {
			return rxcql.New(table, sink.Exec(s, "INSERT INTO "+ks+".docs (k, v) VALUES (?, from_json(?))",
				func(r secret) ([]any, error) { return []any{r.K, r.V}, nil }), log, skip)
		},
		"a value that is none of the type": func() (*rxcql.Pipeline, error) {
			return rxcql.New(table, sink.Table[secret](s, ks+".small"), log, skip)
		},
		"a row that is too large": func() (*rxcql.Pipeline, error) {
			in := operators.Map(table, func(r secret) (oversized, error) {
				return oversized{r.K, r.V, strings.Repeat(r.V, 2<<20)}, nil
			})
			return rxcql.New(in, sink.Table[oversized](s, ks+".wide"), log, skip)
		},
		"a line that is no JSON": func() (*rxcql.Pipeline, error) {
			return rxcql.New(source.NDJSON[secret](file("1.ndjson", canary+"\n{\"k\": 1, \"v\": "+canary+"}\n")), each(fine), log, skip)
		},
		"JSON of another type": func() (*rxcql.Pipeline, error) {
			return rxcql.New(source.NDJSON[secret](file("2.ndjson", `{"k": "`+canary+`", "v": "x"}`+"\n")), each(fine), log, skip)
		},
		"a cell of another type": func() (*rxcql.Pipeline, error) {
			return rxcql.New(source.CSV[secret](file("3.csv", "k,v\n"+canary+",x\n1,x,"+canary+"\n")), each(fine), log, skip)
		},
	} {
		p, err := run()
		require.NoError(t, err, name)
		rep, err := p.Run(context.Background())
		text, marshalErr := json.Marshal(rep)
		require.NoError(t, marshalErr)
		h.say(name, rep.String(), string(text), err)
		require.NoError(t, err, name)
		require.Positive(t, rep.Skipped, name)
		require.NotEmpty(t, rep.RowErrors, name)
		for _, e := range rep.RowErrors {
			t.Log(name+":", e.Reason)
		}
	}
	h.nothing(t)
}

// oversized is a row that no server takes.
type oversized struct {
	K int    `cql:"k"`
	V string `cql:"v"`
	W string `cql:"w"`
}

func TestSecretsAreNotInCheckpoints(t *testing.T) {
	s, ks := cassandra.Keyspace(t, cluster)
	require.NoError(t, s.Query("CREATE TABLE t (p text, k int, v text, PRIMARY KEY (p, k))").Exec())
	for k := range 500 {
		require.NoError(t, s.Query("INSERT INTO t (p, k, v) VALUES (?, ?, ?)", canary, k, canary).Exec())
	}
	folder := t.TempDir()
	h := &heard{}
	stopped := errors.New("refused")
	for i, in := range []rxcql.Stream[secret]{
		source.Table[secret](s, ks+".t", source.PageRows(50)),
		source.Query[secret](s, "SELECT k, v FROM "+ks+".t WHERE p = ?", source.Bind(canary), source.PageRows(50)),
	} {
		file := filepath.Join(folder, fmt.Sprint(i, ".checkpoint"))
		n := 0
		p, err := rxcql.New(in, sink.Each(func(context.Context, secret) error {
			if n++; n > 300 {
				return stopped
			}
			return nil
		}, sink.Idempotent()), rxcql.WithCheckpoint(checkpoint.File(file), "job"))
		require.ErrorIs(t, h.run(t, p, err), stopped)
		data, err := os.ReadFile(file)
		require.NoError(t, err)
		require.Contains(t, string(data), `"settled":6`, "it was broken off in the midst")
		info, err := os.Stat(file)
		require.NoError(t, err)
		require.EqualValues(t, 0o600, info.Mode().Perm())
		h.say(string(data))
	}
	h.nothing(t)
}

func TestSecretsOfALoginAreNotInErrors(t *testing.T) {
	h := &heard{}
	_, err := session(t, func(c *gocql.ClusterConfig) {
		c.Authenticator = gocql.PasswordAuthenticator{Username: "cassandra", Password: canary}
	})
	require.Error(t, err)
	require.Contains(t, err.Error(), "cassandra", "who was refused")
	h.say(err, fmt.Sprintf("%+v %#v", err, err))
	h.nothing(t)
	t.Log(err)
}
