package cqlfake_test

import (
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// reading is a row of the table readings.
type reading struct {
	Sensor  int32   `cql:"sensor"`
	Seq     int64   `cql:"seq"`
	Celsius float64 `cql:"celsius"`
}

const readings = "(sensor int, seq bigint, celsius double, PRIMARY KEY (sensor, seq))"

func TestATableIsCopiedInABubbleWhereTimeIsFake(t *testing.T) {
	synctest.Test(t, func(t *testing.T) { copies(t, cqlfake.New(t, cqlfake.Latency(time.Second))) })
}

func TestATableIsCopiedOverLoopback(t *testing.T) {
	copies(t, cqlfake.New(t, cqlfake.Loopback()))
}

func copies(t *testing.T, server *cqlfake.Server) {
	server.Keyspace("shop", "readings "+readings, "copied "+readings)
	var want []reading
	session, err := server.Cluster().CreateSession()
	require.NoError(t, err)
	defer cqlfake.CloseSession(session)
	rows := source.Seq(func(yield func(reading, error) bool) {
		for i := range 1000 {
			r := reading{int32(i % 7), int64(i), float64(i) / 4}
			want = append(want, r)
			if !yield(r, nil) {
				return
			}
		}
	})
	report, err := rxcql.Run(t.Context(), rows, sink.Table[reading](session, "shop.readings"))
	require.NoError(t, err)
	require.EqualValues(t, 1000, report.Written)
	_, err = rxcql.Run(t.Context(), source.Table[reading](session, "shop.readings", source.PageRows(10)), sink.Table[reading](session, "shop.copied"))
	require.NoError(t, err)
	got, err := source.Table[reading](session, "shop.copied").Collect(t.Context())
	require.NoError(t, err)
	require.ElementsMatch(t, want, got)
}
