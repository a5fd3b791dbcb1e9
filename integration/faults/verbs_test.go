package faults_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/transfer"
)

// originalsOf reads what originals has written, with the driver alone.
func originalsOf(t *testing.T, direct *gocql.Session, table string) map[[2]int]string {
	t.Helper()
	all := map[[2]int]string{}
	iter := direct.Query("SELECT p, c, v FROM " + table).Iter()
	var o original
	for iter.Scan(&o.P, &o.C, &o.V) {
		all[[2]int{o.P, o.C}] = o.V
	}
	require.NoError(t, iter.Close())
	return all
}

// Each row is in the files once, and in the tables.
func TestTransferUnloadLoadAndCountThroughFaultsAreWhole(t *testing.T) {
	direct, ks := cassandra.Keyspace(t, cluster)
	for _, percent := range []int{1, 5, 10, 20} {
		t.Run(fmt.Sprint(percent, " %"), func(t *testing.T) {
			t.Parallel()
			c := newChance(uint64(percent - 1))
			require.Equal(t, percent, c.percent)
			session := through(t, stand(t, ks, c.decide), impatient)
			from := transfer.Table{Session: session, Name: fmt.Sprintf("%s.src_%d", ks, percent)}
			all := originals(t, direct, from.Name)
			patience := transfer.WithRun(rxcql.WithRetry(10*time.Minute, 0))

			count, err := transfer.Count(from, transfer.CountSizes(), transfer.WithSplits(16), patience)
			require.NoError(t, err)
			counted, err := count.Run(t.Context())
			require.NoError(t, err)
			require.True(t, counted.Run.Complete)
			require.EqualValues(t, len(all), counted.Rows)

			folder := filepath.Join(t.TempDir(), "out")
			unload, err := transfer.Unload(from, folder, transfer.WithFormat(transfer.NDJSON()), transfer.FileBytes(16<<10), transfer.Files(3), transfer.WithSplits(16), patience)
			require.NoError(t, err)
			unloaded, err := unload.Run(t.Context())
			require.NoError(t, err)
			require.True(t, unloaded.Complete)
			require.EqualValues(t, len(all), unloaded.Written)

			for name, opts := range map[string][]transfer.LoadOption{"plain": nil, "spread": {transfer.Spread(10, 5<<10)}} {
				to := transfer.Table{Session: session, Name: fmt.Sprintf("%s.%s_%d", ks, name, percent)}
				exec(t, direct, "CREATE TABLE "+to.Name+" (p int, c int, v text, PRIMARY KEY (p, c))")
				load, err := transfer.Load(folder, to, append(opts, patience)...)
				require.NoError(t, err)
				loaded, err := load.Run(t.Context())
				require.NoError(t, err)
				require.True(t, loaded.Complete)
				require.EqualValues(t, len(all), loaded.Written)
				require.Equal(t, all, originalsOf(t, direct, to.Name))
			}
			if percent >= 5 {
				require.Positive(t, c.fails())
			}
			t.Logf("%d %%: %v, %v", percent, c.failed, c.other)
		})
	}
}
