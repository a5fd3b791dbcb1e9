package gotext_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/gotext"
)

type loud struct{ n int }

func (l *loud) UnmarshalText(b []byte) error { l.n = len(b); return nil }
func (l loud) MarshalText() ([]byte, error)  { return []byte("loud"), nil }

type exact struct{ n int }

func (e *exact) UnmarshalJSON(b []byte) error { e.n = len(b); return nil }
func (e exact) MarshalJSON() ([]byte, error)  { return []byte(`{"exact":true}`), nil }

type tree struct {
	Name string  `cql:"name"`
	Next []*tree `cql:"next"`
}

type tagged struct {
	ID    int64    `cql:"id" json:"id,string"`
	Gone  string   `cql:"gone" json:"gone,omitempty"`
	Plain string   // without a tag: left alone by Cassandra, kept by JSON
	Left  chan int `json:"-"`
	L     *loud    `cql:"l"`
	E     exact    `cql:"e"`
	T     tree     `cql:"t"`
	embedded
}

type embedded struct {
	Inner any `cql:"inner"`
}

func TestTagsAndMethodsOfATypeAreRespected(t *testing.T) {
	row, err := gotext.NewRow[tagged](false)
	require.NoError(t, err)
	in := tagged{ID: 5, Plain: "p", L: &loud{}, T: tree{"a", []*tree{{Name: "b"}, nil}}, embedded: embedded{Inner: []any{"x"}}}
	line, err := row.Append(nil, &in)
	require.NoError(t, err)
	require.Equal(t, `{"id":"5","Plain":"p","l":"loud","e":{"exact":true},"t":{"name":"a","next":[{"name":"b","next":null},null]},"inner":["x"]}`, string(line))
	var out tagged
	require.NoError(t, row.Read(line, &out))
	in.L.n, in.E.n = 4, 14
	require.Equal(t, in, out)
	require.NoError(t, row.Read([]byte(`{"ID":"6","plain":"case does not matter"}`), &out))
	require.Equal(t, int64(6), out.ID)

	none, err := gotext.NewRow[struct{ A int }](false)
	require.NoError(t, err)
	require.Nil(t, none, "encoding/json's")
	_, err = gotext.NewRow[struct {
		A int `cql:"a"`
		B int `cql:"b" json:"a"`
	}](false)
	require.ErrorContains(t, err, `two fields are "a" in JSON`)
}
