package command_test

import (
	"crypto/sha256"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"testing"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"
	"golang.org/x/sync/errgroup"

	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/integration/programs"
)

// noise are bytes that no compression makes small, other ones for each seed.
func noise(seed uint64, size int) []byte {
	all := make([]byte, size)
	_, _ = rand.NewChaCha8([32]byte{byte(seed), byte(seed >> 8)}).Read(all) // it never fails
	return all
}

// most runs the command to its end with a small budget, and returns the most memory that it had,
// or 0 where that is not known.
func most(t *testing.T, args ...string) (bytes int64) {
	t.Helper()
	p := start(t, append(args, "--budget", "16MiB", "--timeout", "10m", "--progress", "none")...)
	memory := programs.PeakMemory(p.cmd, p.over)
	require.Zero(t, p.wait(t), p.stderr.String())
	return memory()
}

// sums reads a table by plain CQL: a sum of each value, with its write time.
func sums(t *testing.T, session *gocql.Session, table string) map[string]string {
	t.Helper()
	all := map[string]string{}
	iter := session.Query("SELECT p, c, v, WRITETIME(v) FROM " + table).PageSize(500).Iter()
	var p, c int
	var v []byte
	var at int64
	for iter.Scan(&p, &c, &v, &at) {
		all[key(p, c)] = fmt.Sprintf("%x at %d", sha256.Sum256(v), at)
	}
	require.NoError(t, iter.Close())
	return all
}

func TestTransferALargePartitionAndLargeCellsWithASmallBudget(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	const mb = 1 << 20
	for name, table := range map[string]struct {
		rows, size, batch int
		partitions        int
		memory            int64
	}{
		"partition of 100 MB": {rows: 25_000, size: 4 << 10, batch: 250, partitions: 1, memory: 100 * mb},
		"cells of 10 MB":      {rows: 6, size: 10_000_000, batch: 1, partitions: 6, memory: 250 * mb},
	} {
		t.Run(name, func(t *testing.T) {
			from, to := ks+fmt.Sprintf(".t%d", table.size), ks+fmt.Sprintf(".copy%d", table.size)
			require.NoError(t, session.Query("CREATE TABLE "+from+" (p int, c int, v blob, PRIMARY KEY (p, c))").Exec())
			var group errgroup.Group
			group.SetLimit(2)
			for first := 0; first < table.rows; first += table.batch {
				group.Go(func() error {
					b := session.NewBatch(gocql.UnloggedBatch)
					for c := first; c < first+table.batch; c++ {
						b.Query("INSERT INTO "+from+" (p, c, v) VALUES (?, ?, ?) USING TIMESTAMP ?", c%table.partitions, c, noise(uint64(c), table.size), int64(1000+c))
					}
					return session.ExecuteBatch(b)
				})
			}
			require.NoError(t, group.Wait())

			copying := most(t, "copy", from, "--to", to, "--create", "--times")
			comparing := most(t, "diff", from, "--to", to, "--times", "--pause", "0", "--out", filepath.Join(t.TempDir(), "diff"))
			t.Logf("copy had %d MB at most, diff %d MB", copying/mb, comparing/mb)
			if runtime.GOOS == "linux" {
				require.Positive(t, copying)
				require.Positive(t, comparing)
			}
			require.Less(t, copying, table.memory)
			require.Less(t, comparing, table.memory)
			want := sums(t, session, from)
			require.Len(t, want, table.rows)
			require.Equal(t, want, sums(t, session, to))
			require.NoError(t, session.Query("DROP TABLE "+from).Exec())
			require.NoError(t, session.Query("DROP TABLE "+to).Exec())
		})
	}
}
