package sink_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/internal/schema"
	"github.com/rxcql/rxcql/sink"
)

func TestOneBadRowCostsOneRow(t *testing.T) {
	rows := partitions(3, 100)
	rows[142].V = "bad"
	rows[199].V = "bad"
	server := &recorder{refuse: func(s sink.Sent) error {
		for _, r := range s.Rows {
			if string(r.Values[2].([]byte)) == "bad" {
				return invalid{}
			}
		}
		return nil
	}}
	rep, err := run(t, sequence(rows...), sink.TableOn[event](server.send, events(), sink.InFlight(1)))
	var stage *rxcql.StageError
	require.ErrorAs(t, err, &stage)
	require.Equal(t, "Table ks.t", stage.Stage)
	require.ErrorIs(t, err, invalid{})
	require.Equal(t, []int{142, 199}, badRows(err))
	written := map[string]int{}
	for _, r := range server.rows() {
		written[string(r.Values[0].([]byte))+string(r.Values[1].([]byte))]++
	}
	second := 0 // rows of the partition with the bad ones
	for key, n := range written {
		require.Equal(t, 1, n, "a row was written twice")
		if key[7] == 1 {
			second++
		}
	}
	require.Equal(t, 98, second)
	require.EqualValues(t, len(written), rep.Written)
	require.Zero(t, rep.PagesSettled)
	require.Zero(t, rep.BytesInFlight)
	require.NotContains(t, err.Error(), "bad")
}

func TestATableThatRefusesEveryRowIsFoundOutSoon(t *testing.T) {
	calls := 0
	server := func(context.Context, sink.Sent) error {
		calls++
		return invalid{}
	}
	_, err := run(t, sequence(partitions(1, 1000)...), sink.TableOn[event](server, events(), sink.InFlight(1), sink.BatchRows(1000)))
	require.ErrorIs(t, err, invalid{})
	require.Less(t, calls, 60)
	require.Contains(t, err.Error(), "not tried")
}

func TestAnyOtherErrorIsNotSentAgain(t *testing.T) {
	broken := errors.New("broken")
	calls := 0
	server := func(context.Context, sink.Sent) error {
		calls++
		return broken
	}
	rep, err := run(t, sequence(partitions(1, 100)...), sink.TableOn[event](server, events(), sink.InFlight(1)))
	require.ErrorIs(t, err, broken)
	require.Equal(t, 1, calls)
	require.Zero(t, rep.Written)
	require.Zero(t, rep.PagesSettled)
}

func badRows(err error) (rows []int) {
	var one *rxcql.RowError
	switch e := err.(type) {
	case interface{ Unwrap() []error }:
		for _, each := range e.Unwrap() {
			rows = append(rows, badRows(each)...)
		}
	case *rxcql.StageError:
		return badRows(e.Err)
	default:
		if errors.As(err, &one) {
			rows = append(rows, one.Row)
		}
	}
	return rows
}

// invalid is the server's answer to a row that it does not take.
type invalid struct{}

func (invalid) Code() int       { return 0x2200 }
func (invalid) Message() string { return "invalid" }
func (invalid) Error() string   { return "invalid" }

func TestAListThatMayHaveBeenWrittenIsWrittenAgainAtALaterTime(t *testing.T) {
	about := tableOf(column("p", schema.PartitionKey, "bigint"), column("c", schema.Clustering, "int"),
		column("v", schema.Regular, "list<text>"))
	type row struct {
		P int64    `cql:"p"`
		C int32    `cql:"c"`
		V []string `cql:"v"`
	}
	large := []string{strings.Repeat("x", 700_000)}
	first := map[int32]int64{}
	server := &recorder{refuse: func(s sink.Sent) error {
		if len(s.Rows) == 1 {
			return nil
		}
		for i, r := range s.Rows {
			first[int32(i)] = r.Timestamp
		}
		return writeFailure{}
	}}
	_, err := run(t, sequence(row{C: 0, V: large}, row{C: 1, V: large}),
		sink.TableOn[row](server.send, about, sink.BatchBytes(2<<20)))
	require.NoError(t, err)
	require.Len(t, server.sent, 2)
	for i, r := range server.rows() {
		require.Equal(t, first[int32(i)]+1, r.Timestamp)
	}
}

// writeFailure is the server's answer when replicas fail at a write.
type writeFailure struct{}

func (writeFailure) Code() int       { return 0x1500 }
func (writeFailure) Message() string { return "failed" }
func (writeFailure) Error() string   { return "failed" }
