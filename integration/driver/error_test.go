package driver_test

import (
	"bytes"
	"strings"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/internal/driver"
)

func TestErrorsOfARealServerAreClassified(t *testing.T) {
	session, s, _ := open(t)
	run(t, session, "CREATE TABLE errs (k int, c int, v blob, PRIMARY KEY (k, c))", "CREATE TABLE counts (k int PRIMARY KEY, n counter)")
	three := gocql.Three
	for name, c := range map[string]struct {
		st   driver.Statement
		want driver.Class
	}{
		"syntax":            {driver.Statement{CQL: "SELECT FROM"}, driver.Syntax},
		"unknown column":    {driver.Statement{CQL: "SELECT nope FROM errs"}, driver.Invalid},
		"unknown table":     {driver.Statement{CQL: "SELECT k FROM nope"}, driver.Invalid},
		"too few replicas":  {driver.Statement{CQL: "SELECT k FROM errs WHERE k = 1", Consistency: &three}, driver.Unavailable},
		"null key":          {driver.Statement{CQL: "INSERT INTO errs (k, c) VALUES (?, ?)", Args: []any{nil, 1}}, driver.Invalid},
		"three bytes":       {driver.Statement{CQL: "INSERT INTO errs (k, c) VALUES (?, ?)", Args: []any{&driver.Value{Bytes: []byte("abc")}, 1}}, driver.Invalid},
		"counter inserted":  {driver.Statement{CQL: "INSERT INTO counts (k, n) VALUES (1, 1)"}, driver.Invalid},
		"not bound":         {driver.Statement{CQL: "SELECT k FROM errs WHERE k = ?"}, driver.Invalid},
		"made twice":        {driver.Statement{CQL: "CREATE TABLE errs (k int PRIMARY KEY)"}, driver.Invalid},
		"a comment ahead":   {driver.Statement{CQL: "-- hello\nSELECT k FROM errs WHERE k = ?", Args: []any{1}}, driver.Invalid},
		"function unknown":  {driver.Statement{CQL: "SELECT nope(k) FROM errs"}, driver.Invalid},
		"filtering refused": {driver.Statement{CQL: "SELECT k FROM errs WHERE c = 1"}, driver.Invalid},
	} {
		_, err := s.Fetch(t.Context(), c.st, 10, nil)
		require.Error(t, err, name)
		require.Equal(t, c.want, driver.Classify(err), "%s: %v", name, err)
	}
}

func TestABatchOverSeveralPartitionsCanBeTooLarge(t *testing.T) {
	session, s, _ := open(t)
	run(t, session, "CREATE TABLE large (k int PRIMARY KEY, v blob)")
	var b driver.Batch
	for k := range 20 {
		b.AddEntry("INSERT INTO large (k, v) VALUES (?, ?)", []any{k, bytes.Repeat([]byte{7}, 5000)}, nil)
	}
	err := s.ExecBatch(t.Context(), &b)
	require.Equal(t, driver.TooLarge, driver.Classify(err), "%v", err)
}

func TestARequestLargerThanTheServerTakesIsTooLarge(t *testing.T) {
	session, s, _ := open(t)
	run(t, session, "CREATE TABLE huge (k int PRIMARY KEY, v blob)")
	err := s.Exec(t.Context(), driver.Statement{CQL: "INSERT INTO huge (k, v) VALUES (?, ?)", Args: []any{1, make([]byte, 17<<20)}})
	require.Error(t, err)
	t.Logf("17 MiB: %T %v", err, err)
	require.Equal(t, driver.TooLarge, driver.Classify(err), "%T %v", err, err)
	require.NoError(t, s.Exec(t.Context(), driver.Statement{CQL: "INSERT INTO huge (k) VALUES (2)"}), "the session goes on")
}

func TestTooManyTombstonesAreTheirOwnClass(t *testing.T) {
	session, s, _ := open(t)
	const width = 60
	var names, marks []string
	for i := range width {
		names, marks = append(names, "c"+strings.Repeat("x", i)), append(marks, "?")
	}
	run(t, session, "CREATE TABLE graves (k int, r int, "+strings.Join(names, " int, ")+" int, PRIMARY KEY (k, r))")
	insert := "INSERT INTO graves (k, r, " + strings.Join(names, ", ") + ") VALUES (1, ?, " + strings.Join(marks, ", ") + ")"
	nulls := make([]any, width)
	for r := 0; r < 1700; r += 100 {
		var b driver.Batch
		for i := r; i < r+100; i++ {
			b.AddEntry(insert, append([]any{i}, nulls...), nil)
		}
		require.NoError(t, s.ExecBatch(t.Context(), &b))
	}
	_, err := s.Fetch(t.Context(), driver.Statement{CQL: "SELECT * FROM graves WHERE k = 1"}, 5000, nil)
	require.Equal(t, driver.TooManyTombstones, driver.Classify(err), "%v", err)
}
