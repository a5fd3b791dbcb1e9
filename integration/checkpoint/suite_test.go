package checkpoint_test

import (
	"fmt"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/rxcqltest"
)

func TestATableIsAStoreByTheRules(t *testing.T) {
	direct, ks := cassandra.Keyspace(t, cluster, cassandra.Configure(deaf))
	var tables atomic.Int64
	rxcqltest.TestCheckpointStore(t, func(t testing.TB) rxcqltest.CheckpointPlace {
		t.(*testing.T).Parallel() // several rules wait until a lease ends
		table := fmt.Sprintf("%s.jobs%d", ks, tables.Add(1))
		require.NoError(t, checkpoint.CreateTable(t.Context(), direct, table))
		session, proxy := proxied(t.(*testing.T))
		return rxcqltest.CheckpointPlace{
			Store: func() rxcql.CheckpointStore {
				return checkpoint.Table(session, table, checkpoint.Lease(time.Minute)) // a rule waits for longer than that
			},
			Expire: func(job string) {
				applied, err := direct.Query("UPDATE "+table+" SET owner = null WHERE job = ? IF EXISTS", job).MapScanCAS(map[string]any{})
				assert.NoError(t, err)
				assert.True(t, applied)
			},
			Fail: func(fail bool) {
				var err error
				if fail {
					_, err = proxy.Toxics.AddToxicJson(strings.NewReader(
						`{"name":"mute","type":"timeout","stream":"downstream","attributes":{"timeout":0}}`))
				} else {
					err = proxy.Toxics.RemoveToxic(t.Context(), "mute")
				}
				assert.NoError(t, err)
			},
		}
	})
}
