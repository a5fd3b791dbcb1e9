package rxcql_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/codec"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/operators"
	"github.com/rxcql/rxcql/sink"
)

func TestAReportSaysWhyRowsFailed(t *testing.T) {
	in := operators.Map(seq(100), func(n int) (int, error) {
		switch {
		case n%10 == 7:
			return 0, errors.New("no route")
		case n == 42:
			return 0, errors.New("no delay")
		}
		return n, nil
	})
	in = operators.Filter(in, func(n int) bool { return n > 20 })
	in = operators.Tap(in, func(n int) error {
		if n > 97 {
			return errors.New("no route")
		}
		return nil
	})
	for name, policy := range map[string]rxcql.RowErrorPolicy{
		"skipped": rxcql.SkipRows(100), "dead-lettered": rxcql.DeadLetter(&jobtest.Letters{}),
	} {
		var log bytes.Buffer
		p := pipeline(t, in, &memory[int]{}, rxcql.WithRowErrors(policy), rxcql.WithLogger(slog.New(slog.NewTextHandler(&log, nil))))
		rep, err := p.Run(context.Background())
		require.NoError(t, err, name)
		want := []rxcql.RowErrorReport{
			{Stage: "Map", Rows: 10, Reason: "no route", Range: "all", Page: 0, Row: 7},
			{Stage: "Tap", Rows: 2, Reason: "no route", Range: "all", Page: 9, Row: 7}, // the row in the page, as it came
			{Stage: "Map", Rows: 1, Reason: "no delay", Range: "all", Page: 4, Row: 2},
		}
		require.Equal(t, want, rep.RowErrors, name)
		require.Zero(t, rep.OtherRowErrors)
		require.Equal(t, want, p.Progress().RowErrors)
		require.Contains(t, rep.String(), "  10 in Map, first in range all, page 0, row 7: no route\n")
		data, err := json.Marshal(rep)
		require.NoError(t, err)
		require.Contains(t, string(data), `{"stage":"Map","rows":1,"reason":"no delay","range":"all","page":4,"row":2}`)
		require.Equal(t, 12, strings.Count(log.String(), `reason="no route"`))
	}
}

func TestOnlySoManyReasonsAreToldApart(t *testing.T) {
	rep, err := skipping(t, operators.Map(seq(100), func(n int) (int, error) {
		return 0, errors.New("reason " + strings.Repeat("x", n%20+1) + strings.Repeat(" and so on", 1000))
	}), rxcql.SkipRows(100))
	require.NoError(t, err)
	require.Len(t, rep.RowErrors, 10)
	require.EqualValues(t, 50, rep.OtherRowErrors)
	for _, e := range rep.RowErrors {
		require.EqualValues(t, 5, e.Rows)
		require.LessOrEqual(t, len(e.Reason), 300)
	}
	require.Contains(t, rep.String(), "  50 for other reasons\n")
}

// person is a row with values that must not be said.
type person struct {
	Name  string
	Note  *string
	Codes map[string][]string
	Blob  []byte
	Any   any
	Delay int
}

func TestReasonsHoldNoValues(t *testing.T) {
	note := "The quick brown fox jumps over the lazy dog, and then it sleeps for the rest of that day"
	row := person{
		Name: "Jane Doe", Note: &note, Codes: map[string][]string{"gate": {"XQV"}}, Blob: []byte("blobby"), Any: "hidden", Delay: 1234,
	}
	for _, each := range []struct {
		err  error
		want string
	}{
		{errors.New("no route"), "no route"},
		{fmt.Errorf("the delay %d is too long", row.Delay), "the delay … is too long"},
		{fmt.Errorf("the delay of %d minutes and %v", 2*row.Delay, 1.5), "the delay of … minutes and …"},
		{fmt.Errorf("nobody is called %s", row.Name), "nobody is called …"},
		{fmt.Errorf("nobody is called %s, it seems", strings.ToUpper(row.Name)), "nobody is called …, it seems"},
		{fmt.Errorf("user=%s: unknown", row.Name), "user=…: unknown"},
		{fmt.Errorf("no gate %s", row.Codes["gate"][0]), "no …"},
		{fmt.Errorf("not a %s", row.Blob), "not a …"},
		{fmt.Errorf("not %v", row.Any), "not …"},
		{fmt.Errorf("not of the day: %s", note[4:15]), "not of the day: …"},
		{fmt.Errorf("bad key %q of %q", "nowhere to be found", `with "quotes"`), `bad key "…" of "…"`},
		{errors.New(`cut off in "the midst`), `cut off in "…"`},
		{errors.New("it can't be `this`, and isn't 'that one'"), `it can't be "…", and isn't "…"`},
		{errors.Join(errors.New("first"), errors.New("second")), "first second"},
		{errors.New("illegal base64 data at input byte 4"), "illegal base64 data at input byte …"},
		{func() error { _, err := strconv.Atoi("one hundred"); return err }(), `strconv.Atoi: parsing "…": invalid syntax`},
		{fmt.Errorf("refused: %+v", row), "refused: …"},
		{errors.New("bytes of no text: \xff\xfe"), "bytes of no text: …"},
	} {
		var log bytes.Buffer
		in := operators.Map(seq(1), func(int) (person, error) { return row, nil })
		for name, in := range map[string]rxcql.Stream[person]{
			"Map": operators.Map(in, func(person) (person, error) { return row, each.err }),
			"Tap": operators.Tap(in, func(person) error { return each.err }),
			"FlatMap": operators.FlatMap(in, func(person, func(person) bool) error {
				return each.err
			}),
			"MapConcurrent": operators.MapConcurrent(in, 4, func(context.Context, person) (person, error) { return row, each.err }),
			"Each":          in,
			"Each 2":        in,
		} {
			to := sink.Each(func(context.Context, person) error { return each.err })
			if name == "Each 2" {
				to = sink.Each(func(context.Context, person) error { return each.err }, sink.InFlight(4))
			}
			rep, err := pipeline(t, in, to, rxcql.WithRowErrors(rxcql.SkipRows(10)),
				rxcql.WithLogger(slog.New(slog.NewJSONHandler(&log, nil)))).Run(context.Background())
			require.NoError(t, err)
			require.Len(t, rep.RowErrors, 1)
			if each.want == "refused: …" { // a pointer is in it, and how that reads does not matter
				require.NotRegexp(t, `(?i)jane|doe|xqv|blobby|\d`, rep.RowErrors[0].Reason)
				continue
			}
			require.Equal(t, each.want, rep.RowErrors[0].Reason, name)
			var line struct{ Reason string }
			for _, text := range strings.Split(strings.TrimSpace(log.String()), "\n") {
				if strings.Contains(text, "left out") {
					require.NoError(t, json.Unmarshal([]byte(text), &line))
				}
			}
			require.Equal(t, each.want, line.Reason)
		}
	}
}

func TestReasonsHoldNoValuesOfARowAsReceived(t *testing.T) {
	text, err := codec.Parse("text", nil)
	require.NoError(t, err)
	cols := rxcql.NewColumns([]rxcql.Column{{Name: "k", Type: text}, {Name: "v", Type: text}})
	type wrapped struct{ Row rxcql.Row }
	row := rxcql.NewRow(cols, [][]byte{[]byte("canary"), nil})
	in := operators.Map(seq(1), func(int) (rxcql.Row, error) { return row, nil })
	refused := func(rxcql.Row) (rxcql.Row, error) { return row, fmt.Errorf("no %s here", row.Bytes(0)) }
	rep, err := pipeline(t, operators.Map(in, refused), &memory[rxcql.Row]{}, rxcql.WithRowErrors(rxcql.SkipRows(1))).Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, "no … here", rep.RowErrors[0].Reason)

	within := operators.Map(in, func(r rxcql.Row) (wrapped, error) { return wrapped{r}, nil })
	rep, err = pipeline(t, operators.Tap(within, func(w wrapped) error { return fmt.Errorf("no %s here", w.Row.Bytes(0)) }),
		&memory[wrapped]{}, rxcql.WithRowErrors(rxcql.SkipRows(1))).Run(context.Background())
	require.NoError(t, err)
	require.Equal(t, "no … here", rep.RowErrors[0].Reason)
}

func TestTheFirstRowOfAReasonIsTheSameHoweverRowsOvertake(t *testing.T) {
	for range 20 {
		in := operators.MapConcurrent(seq(200), 8, func(_ context.Context, n int) (int, error) {
			if n >= 33 {
				return 0, errRow
			}
			return n, nil
		}, operators.Unordered())
		rep, err := skipping(t, in, rxcql.SkipRows(1000))
		require.NoError(t, err)
		require.Equal(t, []rxcql.RowErrorReport{
			{Stage: "MapConcurrent", Rows: 167, Reason: errRow.Error(), Range: "all", Page: 3, Row: 3},
		}, rep.RowErrors)
	}
}
