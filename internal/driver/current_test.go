package driver_test

import (
	"strings"
	"sync/atomic"
	"testing"

	"github.com/datastax/go-cassandra-native-protocol/datatype"
	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
)

// altered is a server on which a column changes its type with the version of the
// schema: int, then text.
func altered(version, peer *atomic.Int32, prepared *shared[[]string]) *script {
	return &script{
		version: func() byte { return byte(version.Load()) },
		peers:   func() []byte { return []byte{byte(peer.Load())} },
		prepare: func(m *message.Prepare) message.Message {
			prepared.set(append(prepared.get(), m.Query))
			if strings.Contains(m.Query, "FORM") {
				return &message.SyntaxError{ErrorMessage: "in " + m.Query}
			}
			typ := datatype.Int
			if version.Load() > 0 {
				typ = datatype.Varchar
			}
			columns := []*message.ColumnMetadata{column("k", typ)}
			return &message.PreparedResult{
				PreparedQueryId: []byte(m.Query), VariablesMetadata: &message.VariablesMetadata{Columns: columns},
				ResultMetadata: &message.RowsMetadata{ColumnCount: 1, Columns: columns},
			}
		},
	}
}

func TestWhatIsDescribedIsAskedForAnewWhenAnyNodesSchemaHasChangedAndNotElse(t *testing.T) {
	var version, peer atomic.Int32
	var prepared shared[[]string]
	s := serve(t, altered(&version, &peer, &prepared))
	const cql = "SELECT k FROM ks.t WHERE k = ?"
	describe := func(typ string) *driver.Description {
		t.Helper()
		d, err := s.Describe(t.Context(), cql)
		require.NoError(t, err)
		require.Equal(t, typ, d.Params[0].Type.String())
		require.Equal(t, typ, d.Results[0].Type.String())
		return d
	}
	first := describe("int")
	require.Equal(t, first.Text, describe("int").Text)
	require.Len(t, prepared.get(), 1)

	version.Store(1)
	require.NotEqual(t, first.Text, describe("text").Text)
	require.Len(t, prepared.get(), 2)
	peer.Store(1) // it may have answered with the old schema, under the new name of the other node
	describe("text")
	describe("text")
	require.Len(t, prepared.get(), 3)
	for _, text := range prepared.get() {
		word, comment, _ := strings.Cut(text, " /* ")
		require.Equal(t, "SELECT", word)
		_, rest, _ := strings.Cut(comment, " */")
		require.Equal(t, cql, word+rest)
	}
}

func TestValuesBoundToWhatWasDescribedAreEncodedForTheTypesOfNow(t *testing.T) {
	var version, peer atomic.Int32
	var prepared shared[[]string]
	script := altered(&version, &peer, &prepared)
	var sent shared[string]
	script.execute = func(e *message.Execute) message.Message {
		sent.set(string(e.Options.PositionalValues[0].Contents))
		return rows(one, nil)
	}
	s := serve(t, script)
	const cql = "SELECT k FROM ks.t WHERE k = ?"
	bound := []any{"12"} // is encoded as an int too
	require.NoError(t, s.Exec(t.Context(), driver.Statement{CQL: cql, Args: bound}))
	require.Equal(t, "\x00\x00\x00\x0c", sent.get())
	version.Store(1)
	d, err := s.Describe(t.Context(), cql)
	require.NoError(t, err)
	require.NoError(t, d.Fits([]any{"twelve"}))
	require.NoError(t, s.Exec(t.Context(), driver.Statement{CQL: d.Text, Args: bound}))
	require.Equal(t, "12", sent.get())
	_, err = s.Fetch(t.Context(), driver.Statement{CQL: d.Text, Args: []any{"twelve"}}, 10, nil)
	require.NoError(t, err)
	require.Equal(t, "twelve", sent.get())
}

func TestASyntaxErrorIsOfTheTextAsItWasGiven(t *testing.T) {
	var version, peer atomic.Int32
	var prepared shared[[]string]
	s := serve(t, altered(&version, &peer, &prepared))
	_, err := s.Describe(t.Context(), "SELECT k FORM ks.t")
	require.EqualError(t, err, "in SELECT k FORM ks.t")
}
