package main

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/datastax/go-cassandra-native-protocol/message"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql/rxcqltest/cqlfake"
)

// Its client has sent it again: for less long than a run is tried again, so that none has failed.
func TestAReadingIsNotLateBecauseServersWereAway(t *testing.T) {
	worked(t, configured(t), func(t *testing.T, w working) {
		time.Sleep(time.Minute)
		var down atomic.Bool
		down.Store(true)
		w.server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
			if down.Load() && r.Reads("rollup.readings") {
				return cqlfake.Fail(&message.Unavailable{ErrorMessage: "too few replicas"})
			}
			return nil
		})
		happened := time.Now().Add(time.Second)
		time.Sleep(11 * time.Second)
		down.Store(false)
		time.Sleep(3 * time.Second)
		w.put(t, "a", happened)
		time.Sleep(time.Minute)
		require.Zero(t, w.failures(t))
		require.NoError(t, w.worker.health())
		require.Len(t, w.windows(t), 1)
	})
}

// Reads take longer than the overlap, now and then or always.
func TestTheLastWindowClosesWhereReadsAreSlow(t *testing.T) {
	for _, each := range []int64{1, 4, 8, 12, 20} {
		t.Run(fmt.Sprint(each), func(t *testing.T) {
			worked(t, configured(t), func(t *testing.T, w working) {
				time.Sleep(time.Minute) // the first poll asks for two days
				var n atomic.Int64
				w.server.Control(func(r *cqlfake.Request) *cqlfake.Reply {
					if !r.Reads("rollup.readings") {
						return nil
					}
					if n.Add(1)%each == 0 {
						return cqlfake.Tables().After(4 * time.Second)
					}
					return nil
				})
				time.Sleep(time.Minute)
				w.put(t, "a", time.Now())
				time.Sleep(2 * time.Minute)
				require.NoError(t, w.worker.health())
				require.Len(t, w.windows(t), 1)
			})
		})
	}
}
