package tail_test

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/gocql/gocql"
	"github.com/stretchr/testify/require"

	"github.com/rxcql/rxcql"
	"github.com/rxcql/rxcql/checkpoint"
	"github.com/rxcql/rxcql/integration/cassandra"
	"github.com/rxcql/rxcql/integration/programs"
	"github.com/rxcql/rxcql/sink"
	"github.com/rxcql/rxcql/source"
)

// A bucket of 100 MB, and what may be in flight of it.
const (
	fullRows, fullSize = 12_800, 8 << 10
	fullBudget         = 8 << 20
)

// fullEnv holds the task of a process that reads the bucket.
const fullEnv = "RXCQL_TEST_TAIL_FULL"

type full struct {
	ID  int64  `cql:"id"`
	Pad []byte `cql:"pad"`
}

// tailFull tails the bucket that begins at a time.
func tailFull(session *gocql.Session, table string, begin time.Time) rxcql.Stream[full] {
	minute := slots
	minute.Shard, minute.Shards, minute.Size = "shard", 1, time.Minute
	return source.Tail[full](session, table, minute, source.TailFrom(begin.Add(-time.Minute)), source.TailUntil(begin.Add(time.Minute)), source.SeenBytes(128))
}

// fullChild reads the bucket, and says how many rows there were.
func fullChild() int {
	var do task
	if err := json.Unmarshal([]byte(os.Getenv(fullEnv)), &do); err != nil {
		return complain(err)
	}
	session, err := connect(do.Host)
	if err != nil {
		return complain(err)
	}
	defer session.Close()
	n := 0
	_, err = tailFull(session, do.From, do.Begin).ForEach(context.Background(), func(full) error { n++; return nil }, rxcql.WithBudget(fullBudget))
	if err != nil {
		return complain(err)
	}
	fmt.Println("read", n)
	return 0
}

// A partition of 100 MB: it is read in flat memory, and a job that is broken off goes on in it.
func TestABucketOf100MBIsReadInFlatMemoryAndGoneOnWith(t *testing.T) {
	session, ks := cassandra.Keyspace(t, cluster)
	createTicks(t, session, ks+".brimful", "")
	begin := time.Now().Add(-time.Hour).Truncate(time.Minute)
	pad := []byte(strings.Repeat("x", fullSize))
	written := make(chan error, fullRows)
	turns := make(chan struct{}, 64)
	for id := range int64(fullRows) {
		turns <- struct{}{}
		go func() {
			at := begin.Add(time.Duration(id/10) * time.Millisecond)
			written <- session.Query("INSERT INTO "+ks+".brimful (slot, shard, arrived, id, pad) VALUES (?, 0, ?, ?, ?)", begin.Unix(), at, id, pad).Exec()
			<-turns
		}()
	}
	for range fullRows {
		require.NoError(t, <-written)
	}
	store := checkpoint.File(filepath.Join(t.TempDir(), "brimful.checkpoint"))
	given := int64(0)
	for run := 0; ; run++ {
		require.Less(t, run, 10)
		var p *rxcql.Pipeline
		n := 0
		p, err := rxcql.New(tailFull(session, ks+".brimful", begin), sink.Each(func(_ context.Context, row full) error {
			if row.ID != given || len(row.Pad) != fullSize {
				return fmt.Errorf("row %d comes where row %d should", row.ID, given)
			}
			given++
			if n++; n == 3000 {
				p.Stop()
			}
			return nil
		}, sink.InFlight(1), sink.Idempotent()), rxcql.WithBudget(fullBudget), rxcql.WithCheckpoint(store, "full"))
		require.NoError(t, err)
		report, err := p.Run(t.Context())
		require.NoError(t, err)
		require.LessOrEqual(t, report.PeakBytes, int64(fullBudget)+int64(report.PeakFetches)*report.LargestPage)
		require.EqualValues(t, given, report.ResumedRows+report.ReadRows, "no row is read again")
		if report.Complete {
			break
		}
	}
	require.EqualValues(t, fullRows, given)

	// The memory of a process of its own, which reads all of it.
	text, err := json.Marshal(task{Host: cluster.Hosts()[0], From: ks + ".brimful", Begin: begin})
	require.NoError(t, err)
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), fullEnv+"="+string(text))
	said := &programs.Output{}
	cmd.Stdout, cmd.Stderr = said, said
	ended := programs.Start(t, cmd)
	memory := programs.PeakMemory(cmd, ended)
	<-ended
	require.Zero(t, cmd.ProcessState.ExitCode(), said)
	require.Contains(t, said.String(), fmt.Sprintln("read", fullRows))
	peak := memory()
	t.Logf("%d MB of memory at most", peak>>20)
	require.Less(t, peak, int64(fullRows*fullSize/2))
	if runtime.GOOS == "linux" { // elsewhere it is not known
		require.Positive(t, peak)
	}
}
