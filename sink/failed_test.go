package sink_test

import (
	"context"
	"encoding/json"
	"errors"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/jobtest"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

func rowsOf[T any](t *testing.T, b *jobtest.Letters) (rows []T) {
	for _, l := range b.All {
		var row T
		require.NoError(t, json.Unmarshal(l.Row, &row))
		rows = append(rows, row)
	}
	return rows
}

// refusing is a server that takes no row with the value "bad".
func refusing(answer error) *recorder {
	return &recorder{refuse: func(s sink.Sent) error {
		for _, r := range s.Rows {
			if v, ok := r.Values[2].([]byte); ok && string(v) == "bad" {
				return answer
			}
		}
		return nil
	}}
}

// someBad are rows of which every seventh is bad.
func someBad(partitionCount, rows int) (all, bad []event) {
	all = partitions(partitionCount, rows)
	for i := range all {
		if i%7 == 3 {
			all[i].V = "bad"
			bad = append(bad, all[i])
		}
	}
	return all, bad
}

func TestRowsThatTheServerRefusesAreSkippedOrBecomeLetters(t *testing.T) {
	for _, answer := range []error{invalid{}, tooLarge{}} {
		all, bad := someBad(5, 60)
		for _, opts := range [][]sink.TableOption{nil, {sink.BatchRows(1)}, {sink.InFlight(1)}} {
			server := refusing(answer)
			rep, err := run(t, sequence(all...), sink.TableOn[event](server.send, events(), opts...),
				rxcql.WithRowErrors(rxcql.SkipRows(int64(len(bad)))))
			require.NoError(t, err)
			reconciles(t, rep, server, int64(len(bad)), 0)

			letters, server := &jobtest.Letters{}, refusing(answer)
			rep, err = run(t, sequence(all...), sink.TableOn[event](server.send, events(), opts...), rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
			require.NoError(t, err)
			reconciles(t, rep, server, 0, int64(len(bad)))
			require.ElementsMatch(t, bad, rowsOf[event](t, letters))
			for _, l := range letters.All {
				require.Equal(t, "Table ks.t", l.Stage)
				require.Equal(t, "sink_test.event", l.Type)
				var row event
				require.NoError(t, json.Unmarshal(l.Row, &row))
				require.Equal(t, row, all[int(l.Page)*512+l.Index], "its place")
			}

			_, err = run(t, sequence(all...), sink.TableOn[event](refusing(answer).send, events(), opts...),
				rxcql.WithRowErrors(rxcql.SkipRows(int64(len(bad))-1)))
			require.ErrorIs(t, err, rxcql.ErrSkipLimit)
			require.ErrorIs(t, err, answer)
		}
	}
}

// reconciles requires that a run ended well and every row is accounted for.
func reconciles(t *testing.T, rep rxcql.Report, server *recorder, skipped, letters int64) {
	t.Helper()
	require.True(t, rep.Complete)
	require.Equal(t, []int64{skipped, letters}, []int64{rep.Skipped, rep.DeadLettered})
	require.Equal(t, rep.ReadRows, rep.Written+skipped+letters)
	require.EqualValues(t, rep.Written, len(server.rows()))
	require.Equal(t, rep.Pages, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)
	st := rep.Stages[len(rep.Stages)-1]
	require.Equal(t, st.In, st.Out+st.Skipped+st.DeadLettered)
}

// tooLarge is the server's answer to a row that is larger than it takes.
type tooLarge struct{}

func (tooLarge) Code() int       { return 0x2200 }
func (tooLarge) Message() string { return "Batch too large" }
func (tooLarge) Error() string   { return "Batch too large" }

func TestARawRowBecomesALetterByteForByteAlthoughItsPageHasGone(t *testing.T) {
	columns := rxcql.NewColumns([]rxcql.Column{
		{Name: "p", Type: events().Columns[0].Type}, {Name: "c", Type: events().Columns[1].Type}, {Name: "v", Type: events().Columns[2].Type},
	})
	var memory []byte // that the rows of a page refer to
	cell := func(b ...byte) []byte {
		memory = append(memory, b...)
		return memory[len(memory)-len(b) : len(memory) : len(memory)]
	}
	rows := source.Seq(func(yield func(rxcql.Row, error) bool) {
		for i := range byte(100) {
			if i%10 == 0 { // the page before has been delivered
				clear(memory)
				memory = make([]byte, 0, 1<<10)
			}
			v := cell([]byte("good")...)
			if i%9 == 0 {
				v = cell([]byte("bad")...)
			}
			if !yield(rxcql.NewRow(columns, [][]byte{cell(0, 0, 0, 0, 0, 0, 0, i), cell(0, 0, 0, i), v}), nil) {
				return
			}
		}
	}, source.PageRows(10))
	letters, server := &jobtest.Letters{}, refusing(invalid{})
	_, err := run(t, rows, sink.TableOn[rxcql.Row](server.send, events(), sink.BatchLinger(time.Minute)), rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
	require.NoError(t, err)
	require.Len(t, letters.All, 12)
	for _, row := range rowsOf[rxcql.Row](t, letters) {
		i := row.Bytes(1)[3]
		require.Zero(t, i%9)
		require.Equal(t, [][]byte{{0, 0, 0, 0, 0, 0, 0, i}, {0, 0, 0, i}, []byte("bad")}, [][]byte{row.Bytes(0), row.Bytes(1), row.Bytes(2)})
	}
}

func TestARowThatCannotBeEncodedIsARowError(t *testing.T) {
	all := partitions(3, 100)
	bad := func(e event) int64 { return int64(e.C%10) - 1 } // a timestamp below 1
	letters, server := &jobtest.Letters{}, &recorder{}
	rep, err := run(t, sequence(all...), sink.TableOn[event](server.send, events(), sink.TimestampOf(bad)), rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
	require.NoError(t, err)
	reconciles(t, rep, server, 0, 60)
	for _, row := range rowsOf[event](t, letters) {
		require.LessOrEqual(t, row.C%10, int32(1))
	}
}

func TestAnOtherErrorOfABatchLetsNoRowOfItBeSkipped(t *testing.T) {
	all := partitions(1, 20)
	all[3].V, all[12].V = "bad", "broken"
	broken := errors.New("broken")
	server := &recorder{refuse: func(s sink.Sent) error {
		for _, r := range s.Rows {
			switch string(r.Values[2].([]byte)) {
			case "bad":
				return invalid{}
			case "broken":
				if len(s.Rows) == 1 {
					return broken
				}
				return invalid{}
			}
		}
		return nil
	}}
	letters := &jobtest.Letters{}
	rep, err := run(t, sequence(all...), sink.TableOn[event](server.send, events()), rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
	require.ErrorIs(t, err, broken)
	require.Empty(t, letters.All)
	require.Zero(t, rep.PagesSettled)
	require.EqualValues(t, 18, rep.Written)
}

func TestATableThatWasDroppedIsNoRowsFault(t *testing.T) {
	for _, about := range []*schema.Table{
		events(),
		tableOf(column("p", schema.PartitionKey, "bigint"), column("c", schema.Regular, "int"), column("v", schema.Regular, "text")),
	} {
		server := sink.Altered{
			Server:   func(context.Context, sink.Sent) error { return invalid{} },
			Prepares: func(cql string) error { require.Contains(t, cql, "INSERT"); return invalid{} },
		}
		letters := &jobtest.Letters{}
		rep, err := run(t, sequence(partitions(5, 3)...), sink.TableOnAltered[event](server, about), rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
		require.ErrorIs(t, err, rxcql.ErrSchema)
		require.ErrorIs(t, err, invalid{})
		require.Empty(t, letters.All)
		require.Zero(t, rep.PagesSettled)

		lost := errors.New("connection lost")
		server.Prepares = func(string) error { return lost }
		_, err = run(t, sequence(partitions(5, 3)...), sink.TableOnAltered[event](server, about), rxcql.WithRowErrors(rxcql.SkipRows(1000)))
		require.ErrorIs(t, err, lost)
	}
}

func TestManyRowsRefusedAndNoneTakenEndTheRunWhateverThePolicy(t *testing.T) {
	letters := &jobtest.Letters{}
	server := func(context.Context, sink.Sent) error { return invalid{} }
	_, err := run(t, sequence(partitions(1, 1000)...), sink.TableOn[event](server, events(), sink.BatchRows(1000)), rxcql.WithRowErrors(rxcql.DeadLetter(letters)))
	require.ErrorContains(t, err, "not tried")
	require.Empty(t, letters.All)
}
