package sink_test

import (
	"encoding/json"
	"math/big"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"gopkg.in/inf.v0"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// percent has its JSON on the pointer.
type percent struct{ v int }

func (p *percent) MarshalJSON() ([]byte, error)    { return json.Marshal(p.v) }
func (p *percent) UnmarshalJSON(data []byte) error { return json.Unmarshal(data, &p.v) }

func TestAFileHoldsValuesWhoseMethodsAreOnThePointer(t *testing.T) {
	type row struct {
		N   big.Int
		D   inf.Dec
		P   percent
		Map map[string]inf.Dec
		Any any
	}
	path := outPath(t)
	_, err := run(t, sequence(row{*big.NewInt(1), *inf.NewDec(20, 1), percent{3}, map[string]inf.Dec{"a": *inf.NewDec(4, 0)}, percent{5}}), sink.NDJSON[row](path))
	require.NoError(t, err)
	require.Equal(t, `{"N":1,"D":"2.0","P":3,"Map":{"a":"4"},"Any":5}`+"\n", content(t, path))
	rows, err := source.NDJSON[row](path).Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, *inf.NewDec(20, 1), rows[0].D)
	require.Equal(t, percent{3}, rows[0].P)
	require.Equal(t, *inf.NewDec(4, 0), rows[0].Map["a"])
}

type hollow struct{ id int }

// meeting has `cql` tags, and the methods of its time.
type meeting struct {
	ID int `cql:"id"`
	time.Time
}

type dated struct {
	time.Time
	ID int
}

func TestRowsOfWhichJSONWouldLoseSomethingAreRefusedByNew(t *testing.T) {
	for want, to := range map[string]error{
		"hollow: Go struct has no exported fields": config(sink.NDJSON[hollow]("x")),
		"[].At: Go struct has no exported fields":  config(sink.NDJSON[[]struct{ At *hollow }]("x")),
		"dated: its JSON is that of the time.Time": config(sink.NDJSON[dated]("x")),
		"a func() has no JSON":                     config(sink.NDJSON[struct{ F func() }]("x")),
		"meeting: its JSON is that of the time":    config(sink.NDJSON[meeting]("x")),
		"At (sink_test.dated): sink_test.dated: its JSON is that of the time.Time": config(sink.CSV[struct {
			At dated `cql:"at"`
		}]("x")),
	} {
		require.ErrorIs(t, to, rxcql.ErrConfig)
		require.ErrorContains(t, to, want)
	}
}

func TestWhatAnAnyHoldsIsLookedAtWhenItIsWritten(t *testing.T) {
	path := outPath(t)
	rep, err := run(t, sequence[any](1, map[string]any{"secret": hollow{7}}, "b"), sink.NDJSON[any](path), rxcql.WithRowErrors(rxcql.SkipRows(1)))
	require.NoError(t, err)
	require.EqualValues(t, 1, rep.Skipped)
	require.Equal(t, "1\n\"b\"\n", content(t, path))
	_, err = run(t, sequence[any](map[string]any{"secret": hollow{7}}), sink.NDJSON[any](outPath(t)))
	require.ErrorContains(t, err, "hollow cannot be written as JSON: Go struct has no exported fields")
	require.NotContains(t, err.Error(), "secret")
}

// Five bytes of a decimal may stand for 300 MB of digits.
func TestADecimalIsWrittenWithNoMoreDigitsThanItHas(t *testing.T) {
	type row struct {
		D inf.Dec
		P *inf.Dec
		L []inf.Dec
		M map[string]inf.Dec
	}
	huge, tiny := *inf.NewDec(5, -300_000_000), *inf.NewDec(5, 300_000_000)
	want := row{huge, &tiny, []inf.Dec{huge, *inf.NewDec(-150, 2)}, map[string]inf.Dec{"a": tiny}}
	path := outPath(t)
	_, err := run(t, sequence(want), sink.NDJSON[row](path))
	require.NoError(t, err)
	require.Equal(t, `{"D":"5E300000000","P":"5E-300000000","L":["5E300000000","-1.50"],"M":{"a":"5E-300000000"}}`+"\n", content(t, path))
	rows, err := source.NDJSON[row](path).Collect(t.Context())
	require.NoError(t, err)
	require.Equal(t, []row{want}, rows)
}
