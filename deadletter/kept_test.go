package deadletter_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"gopkg.in/inf.v0"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/deadletter"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/source"
)

// failed runs one row into a stage that fails, with letters to path.
func failed[T any](t *testing.T, path string, row T) (rxcql.Report, error) {
	rows := source.Seq(func(yield func(T, error) bool) { yield(row, nil) })
	bad := operators.Tap(rows, func(T) error { return errors.New("not today") })
	return bad.ForEach(t.Context(), func(T) error { return nil }, rxcql.WithRowErrors(rxcql.DeadLetter(deadletter.NDJSON(path))))
}

// kelvin has its JSON on the pointer.
type kelvin struct{ v float64 }

func (k *kelvin) MarshalJSON() ([]byte, error)    { return json.Marshal(k.v) }
func (k *kelvin) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &k.v) }

type measurement struct {
	ID      int64   `cql:"id"`
	N       big.Int `cql:"n"`
	D       inf.Dec `cql:"d"`
	K       kelvin
	History map[string]inf.Dec
	Any     any
}

func TestALetterKeepsValuesWhoseMethodsAreOnThePointer(t *testing.T) {
	path := file(t)
	want := measurement{7, *big.NewInt(123456789), *inf.NewDec(5, -300_000_000), kelvin{21.5},
		map[string]inf.Dec{"a": *inf.NewDec(314, 2)}, json.Number("5")}
	rep, err := failed(t, path, want)
	require.NoError(t, err)
	require.EqualValues(t, 1, rep.DeadLettered)
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Less(t, len(text), 1000)
	letters, errs := readAll[measurement](path)
	require.Empty(t, errs)
	require.Equal(t, want, letters[0].Row)
}

type scored struct {
	id    int64
	score float64
}

type keyed struct {
	ID   int64  `cql:"id" json:"-"`
	Note string `cql:"note"`
}

func TestARowThatALetterWouldNotKeepEndsTheRun(t *testing.T) {
	path := file(t)
	for _, run := range []func() (rxcql.Report, error){
		func() (rxcql.Report, error) { return failed(t, path, scored{7, 0.5}) },
		func() (rxcql.Report, error) { return failed(t, path, keyed{7, "secret"}) },
		func() (rxcql.Report, error) { return failed(t, path, []map[string]any{{"secret": scored{7, 0.5}}}) },
	} {
		rep, err := run()
		require.ErrorContains(t, err, "cannot be kept as a dead letter")
		require.ErrorContains(t, err, "or read the rows as rxcql.Row")
		require.NotContains(t, err.Error(), "secret")
		require.Zero(t, rep.DeadLettered)
		require.Less(t, rep.PagesSettled, rep.Pages)
	}
	letters, errs := readAll[json.RawMessage](path)
	require.Empty(t, letters)
	require.Empty(t, errs)
}

func TestALetterWithANameTwiceIsRefused(t *testing.T) {
	path := file(t)
	write(t, path, letter(1, `first`))
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	line := string(text)
	type row struct {
		ID int `json:"id"`
	}
	for _, twice := range []string{
		strings.Replace(line, `"row":`, `"row":"other","row":`, 1),
		strings.Replace(line, `"row":"first"`, `"row":{"id":1,"id":2}`, 1),
		strings.Replace(line, `"row":"first"`, `"row":{"id":1,"ID":2}`, 1),
	} {
		require.NotEqual(t, line, twice)
		require.NoError(t, os.WriteFile(path, []byte(twice), 0o600))
		letters, errs := readAll[row](path, deadletter.AnyType())
		require.Len(t, errs, 1)
		require.ErrorIs(t, errs[0], deadletter.ErrLetter)
		require.ErrorContains(t, errs[0], "twice")
		_ = letters
	}
}
